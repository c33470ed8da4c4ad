using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Endpoints;

/// <summary>The core/v1 Endpoints object of a service: addresses grouped by the ports they serve, at most a thousand.</summary>
internal static class EndpointsDecision
{
    internal const int MaxAddresses = 1000;
    private const string ManagedBy = "endpoints.kubernetes.io/managed-by";
    private const string OverCapacity = "endpoints.kubernetes.io/over-capacity";

    internal static Mesh.Api.Core.V1.Endpoints Decide(Service service, IEnumerable<Pod> pods, Mesh.Api.Core.V1.Endpoints? present, DateTime? trigger)
    {
        var publish = service.Spec?.PublishNotReadyAddresses == true;
        var v6 = service.Spec?.IpFamilies is ["IPv6", ..] || (service.Spec?.IpFamilies is null && service.Spec?.ClusterIP?.Contains(':') == true);
        var entries = new List<(EndpointAddress Address, bool Ready, List<EndpointPort> Ports)>();
        foreach (var pod in pods.OrderBy(p => p.Metadata.Name, StringComparer.Ordinal))
        {
            if (!EndpointFacts.IsEndpoint(pod, publish) || EndpointFacts.Address(pod, v6) is not { } ip) continue;
            var address = new EndpointAddress
            {
                Ip = ip,
                NodeName = pod.Spec?.NodeName,
                Hostname = EndpointFacts.Hostname(pod, service),
                TargetRef = EndpointFacts.Reference(pod),
            };
            var ports = new List<EndpointPort>();
            foreach (var port in service.Spec?.Ports ?? [])
            {
                if (EndpointFacts.FindPort(pod, port) is not { } number) continue;
                ports.Add(new EndpointPort { Name = string.IsNullOrEmpty(port.Name) ? null : port.Name, Port = number, Protocol = port.Protocol ?? "TCP", AppProtocol = port.AppProtocol });
            }

            // Without ports only a headless service has endpoints: DNS still names its pods.
            if (ports.Count == 0 && !(EndpointFacts.IsHeadless(service) && service.Spec?.Ports is not { Count: > 0 })) continue;
            entries.Add((address, publish || PodFacts.IsReady(pod), ports));
        }

        var over = entries.Count > MaxAddresses;
        if (over) entries = [.. entries.OrderByDescending(e => e.Ready).Take(MaxAddresses)];
        var next = present?.Clone() ?? new Mesh.Api.Core.V1.Endpoints { Metadata = new ObjectMeta { Name = service.Metadata.Name, Namespace = service.Metadata.Namespace } };
        next.Subsets = Subsets(entries);
        next.Metadata.Labels = service.Metadata.Labels is { } labels ? new(labels) : [];
        next.Metadata.Labels[ManagedBy] = "endpoint-controller";
        if (EndpointFacts.IsHeadless(service)) next.Metadata.Labels[EndpointFacts.HeadlessLabel] = "";
        else next.Metadata.Labels.Remove(EndpointFacts.HeadlessLabel);
        var annotations = next.Metadata.Annotations ??= [];
        if (over) annotations[OverCapacity] = "truncated";
        else annotations.Remove(OverCapacity);
        if (trigger is { } at) annotations[EndpointFacts.TriggerTime] = KubeTime.Format(at);
        if (annotations.Count == 0) next.Metadata.Annotations = null;
        return next;
    }

    /// <summary>Whether writing would change more than the trigger time.</summary>
    internal static bool Same(Mesh.Api.Core.V1.Endpoints present, Mesh.Api.Core.V1.Endpoints next)
    {
        var (a, b) = (present.Subsets ?? [], next.Subsets ?? []);
        return a.Count == b.Count && a.Zip(b).All(p => EndpointSubset.SemanticEquals(p.First, p.Second))
            && SameMap(present.Metadata.Labels, next.Metadata.Labels)
            && (present.Metadata.Annotations?.ContainsKey(OverCapacity) ?? false) == (next.Metadata.Annotations?.ContainsKey(OverCapacity) ?? false);
    }

    internal static bool SameMap(Dictionary<string, string>? a, Dictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? []).All(p => b!.TryGetValue(p.Key, out var v) && v == p.Value);

    private static List<EndpointSubset> Subsets(List<(EndpointAddress Address, bool Ready, List<EndpointPort> Ports)> entries) =>
        [.. entries.GroupBy(e => PortsKey(e.Ports)).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new EndpointSubset
        {
            Addresses = Sorted(g.Where(e => e.Ready).Select(e => e.Address)),
            NotReadyAddresses = Sorted(g.Where(e => !e.Ready).Select(e => e.Address)),
            Ports = g.First().Ports is { Count: > 0 } ports ? [.. ports.OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Port)] : null,
        })];

    private static List<EndpointAddress>? Sorted(IEnumerable<EndpointAddress> addresses)
    {
        var list = addresses.OrderBy(a => a.Ip, StringComparer.Ordinal).ThenBy(a => a.TargetRef?.Uid, StringComparer.Ordinal).ToList();
        return list.Count == 0 ? null : list;
    }

    private static string PortsKey(List<EndpointPort> ports) =>
        string.Join(';', ports.Select(p => $"{p.Name}/{p.Protocol}/{p.Port}/{p.AppProtocol}").Order(StringComparer.Ordinal));
}
