using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;
using EndpointPort = Mesh.Api.Discovery.V1.EndpointPort;

namespace Mesh.Controllers.Endpoints;

/// <summary>The endpoints that one set of ports serves, of one address family.</summary>
internal sealed record SliceGroup(string AddressType, List<EndpointPort> Ports, List<Endpoint> Endpoints)
{
    internal string Key => SliceDecision.Key(AddressType, Ports);
}

/// <summary>Slices to make, to write and to delete.</summary>
internal sealed record SlicePlan(List<EndpointSlice> Create, List<EndpointSlice> Update, List<EndpointSlice> Delete);

/// <summary>Who the slices belong to and what they carry.</summary>
internal sealed record SliceOwner(IKubeObject Owner, string ServiceName, string ManagedBy, Dictionary<string, string> Labels, string? TriggerTime, int MaxPerSlice = 100);

/// <summary>From pods to endpoint slices, with as few writes as possible.</summary>
internal static class SliceDecision
{
    internal const string ServiceName = "kubernetes.io/service-name";
    internal const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    internal const string Controller = "endpointslice-controller.k8s.io";

    /// <summary>The groups a service wants.</summary>
    internal static List<SliceGroup> Groups(Service service, IEnumerable<Pod> pods, Func<string, string?> zoneOfNode)
    {
        var groups = new Dictionary<string, SliceGroup>(StringComparer.Ordinal);
        var publish = service.Spec?.PublishNotReadyAddresses == true;
        var candidates = pods.Where(p => EndpointFacts.IsEndpoint(p, includeTerminating: true)).OrderBy(p => p.Metadata.Name, StringComparer.Ordinal).ToList();
        foreach (var family in Families(service))
        {
            foreach (var pod in candidates)
            {
                if (EndpointFacts.Address(pod, family == "IPv6") is not { } ip) continue;
                var ports = new List<EndpointPort>();
                foreach (var port in service.Spec?.Ports ?? [])
                {
                    if (EndpointFacts.FindPort(pod, port) is not { } number) continue;
                    ports.Add(new EndpointPort { Name = port.Name ?? "", Port = number, Protocol = port.Protocol ?? "TCP", AppProtocol = port.AppProtocol });
                }

                if (ports.Count == 0 && service.Spec?.Ports is { Count: > 0 } && !EndpointFacts.IsHeadless(service)) continue;
                var group = new SliceGroup(family, ports, []);
                if (!groups.TryAdd(group.Key, group)) group = groups[group.Key];
                group.Endpoints.Add(Endpoint(service, pod, ip, publish, zoneOfNode));
            }

            // A service without endpoints still has one slice: that it has none is also said.
            if (!groups.Values.Any(g => g.AddressType == family)) groups[family] = new SliceGroup(family, [], []);
        }

        return [.. groups.Values];
    }

    /// <summary>
    /// Per group: keep in every slice what is still wanted (changed where it changed), fill free places with what is new, make
    /// slices for the rest; slices of no group, and slices left empty beside others, go.
    /// </summary>
    internal static SlicePlan Plan(SliceOwner owner, IReadOnlyList<SliceGroup> groups, IReadOnlyList<EndpointSlice> present)
    {
        var plan = new SlicePlan([], [], []);
        var byKey = present.ToLookup(s => Key(s.AddressType ?? "", s.Ports ?? []));
        foreach (var gone in present.Where(s => groups.All(g => g.Key != Key(s.AddressType ?? "", s.Ports ?? [])))) plan.Delete.Add(gone);
        foreach (var group in groups) PlanGroup(owner, group, [.. byKey[group.Key].OrderBy(s => s.Metadata.Name, StringComparer.Ordinal)], plan);
        ReuseForCreate(plan, owner);
        return plan;
    }

    internal static string Key(string addressType, IEnumerable<EndpointPort> ports) =>
        addressType + "|" + string.Join(';', ports.Select(p => $"{p.Name}/{p.Protocol}/{p.Port}/{p.AppProtocol}").Order(StringComparer.Ordinal));

    private static void PlanGroup(SliceOwner owner, SliceGroup group, List<EndpointSlice> present, SlicePlan plan)
    {
        var wanted = new Dictionary<string, Endpoint>(StringComparer.Ordinal);
        foreach (var endpoint in group.Endpoints) wanted.TryAdd(Identity(endpoint), endpoint);
        var kept = new List<(EndpointSlice Slice, List<Endpoint> Endpoints, bool Changed)>();
        foreach (var slice in present)
        {
            var (endpoints, changed) = (new List<Endpoint>(), false);
            foreach (var endpoint in slice.Endpoints ?? [])
            {
                if (!wanted.Remove(Identity(endpoint), out var want))
                {
                    changed = true;
                    continue;
                }

                changed |= !Mesh.Api.Discovery.V1.Endpoint.SemanticEquals(endpoint, want);
                endpoints.Add(want);
            }

            kept.Add((slice, endpoints, changed));
        }

        var rest = new Queue<Endpoint>(group.Endpoints.Where(e => wanted.ContainsKey(Identity(e))).DistinctBy(Identity));
        for (var i = 0; i < kept.Count; i++)
        {
            var (slice, endpoints, changed) = kept[i];
            while (rest.Count > 0 && endpoints.Count < owner.MaxPerSlice)
            {
                endpoints.Add(rest.Dequeue());
                changed = true;
            }

            var surplus = endpoints.Count == 0 && kept.Where((_, j) => j != i).Any(k => k.Endpoints.Count > 0 || kept.IndexOf(k) < i);
            if (surplus) plan.Delete.Add(slice);
            else if (changed || !SameMeta(owner, slice)) plan.Update.Add(Filled(owner, slice.Clone(), group, endpoints));
        }

        while (rest.Count > 0 || (kept.Count == 0 && plan.Create.All(c => Key(c.AddressType!, c.Ports!) != group.Key)))
        {
            var endpoints = new List<Endpoint>();
            while (rest.Count > 0 && endpoints.Count < owner.MaxPerSlice) endpoints.Add(rest.Dequeue());
            plan.Create.Add(Filled(owner, Empty(owner, group), group, endpoints));
        }
    }

    /// <summary>A slice to delete and one to make of the same family: one write instead of two, and no moment without.</summary>
    private static void ReuseForCreate(SlicePlan plan, SliceOwner owner)
    {
        for (var i = plan.Create.Count - 1; i >= 0; i--)
        {
            var create = plan.Create[i];
            var reuse = plan.Delete.Find(s => s.AddressType == create.AddressType);
            if (reuse is null) continue;
            plan.Delete.Remove(reuse);
            plan.Create.RemoveAt(i);
            plan.Update.Add(Filled(owner, reuse.Clone(), new SliceGroup(create.AddressType!, create.Ports!, []), create.Endpoints!));
        }
    }

    private static EndpointSlice Empty(SliceOwner owner, SliceGroup group) => new()
    {
        Metadata = new ObjectMeta
        {
            Namespace = owner.Owner.Metadata.Namespace,
            GenerateName = owner.ServiceName + "-",
            OwnerReferences = [Owners.ControllerReference(owner.Owner)],
        },
        AddressType = group.AddressType,
    };

    private static EndpointSlice Filled(SliceOwner owner, EndpointSlice slice, SliceGroup group, List<Endpoint> endpoints)
    {
        slice.Endpoints = endpoints;
        slice.Ports = group.Ports;
        slice.Metadata.Labels = Labels(owner);
        if (owner.TriggerTime is { } at) (slice.Metadata.Annotations ??= [])[EndpointFacts.TriggerTime] = at;
        return slice;
    }

    private static bool SameMeta(SliceOwner owner, EndpointSlice slice) => EndpointsDecision.SameMap(slice.Metadata.Labels, Labels(owner));

    private static Dictionary<string, string> Labels(SliceOwner owner) =>
        new(owner.Labels, StringComparer.Ordinal) { [ServiceName] = owner.ServiceName, [ManagedBy] = owner.ManagedBy };

    private static string Identity(Endpoint e) => string.Join(',', e.Addresses ?? []) + "|" + e.TargetRef?.Uid + "|" + e.Hostname;

    private static Endpoint Endpoint(Service service, Pod pod, string ip, bool publish, Func<string, string?> zoneOfNode)
    {
        var serving = PodFacts.IsReady(pod);
        var terminating = pod.Metadata.DeletionTimestamp is not null;
        return new Endpoint
        {
            Addresses = [ip],
            Conditions = new EndpointConditions { Ready = publish || (serving && !terminating), Serving = serving, Terminating = terminating },
            Hostname = EndpointFacts.Hostname(pod, service),
            NodeName = pod.Spec?.NodeName,
            Zone = pod.Spec?.NodeName is { } node ? zoneOfNode(node) : null,
            TargetRef = EndpointFacts.Reference(pod),
        };
    }

    private static IEnumerable<string> Families(Service service)
    {
        if (service.Spec?.IpFamilies is { Count: > 0 } families) return families;
        return [service.Spec?.ClusterIP?.Contains(':') == true ? "IPv6" : "IPv4"];
    }
}
