using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using EndpointPort = Mesh.Api.Discovery.V1.EndpointPort;

namespace Mesh.Controllers.Endpoints;

/// <summary>Copies Endpoints that users write for services without a selector into slices, which is what everyone reads.</summary>
internal sealed class EndpointSliceMirroringController : KeyedController
{
    internal const string Manager = "endpointslicemirroring-controller.k8s.io";
    private const string SkipMirror = "endpointslice.kubernetes.io/skip-mirror";
    private const string ByService = "service";
    private readonly IInformer<Service> _services;
    private readonly IInformer<Mesh.Api.Core.V1.Endpoints> _endpoints;
    private readonly IInformer<EndpointSlice> _slices;
    private readonly Expectations _expectations;
    private readonly SliceWriter _writer;

    internal EndpointSliceMirroringController(ControllerContext context)
        : base(context, "endpointslice-mirroring-controller", "endpoint_slice_mirroring")
    {
        _expectations = new Expectations(context.Time);
        _writer = new SliceWriter(context.Client, _expectations);
        _endpoints = WatchPrimary<Mesh.Api.Core.V1.Endpoints>();
        _services = Watch<Service>();
        _services.AddHandler((old, now) => Enqueue(ObjectKey.Of(now ?? old!)));
        _slices = Watch<EndpointSlice>();
        _slices.AddIndex(ByService, SliceIndex.Value);
        _slices.AddHandler((old, now) =>
        {
            var slice = now ?? old!;
            if (slice.Metadata.Labels?.GetValueOrDefault(SliceDecision.ManagedBy) != Manager || SliceIndex.Service(slice) is not { } key) return;
            if (old is null) _expectations.CreationObserved(key);
            Enqueue(key);
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (!_expectations.Satisfied(key)) return ReconcileResult.Done;
        var endpoints = _endpoints.Lister.Get(key.Namespace, key.Name);
        var present = _slices.Lister.ByIndex(ByService, key.ToString())
            .Where(s => s.Metadata.Labels?.GetValueOrDefault(SliceDecision.ManagedBy) == Manager && s.Metadata.DeletionTimestamp is null).ToList();
        SlicePlan plan;
        if (endpoints is null || !IsMirrored(endpoints, _services.Lister.Get(key.Namespace, key.Name)))
        {
            plan = new SlicePlan([], [], present);
        }
        else
        {
            var labels = (endpoints.Metadata.Labels ?? []).Where(l => l.Key is not (SliceDecision.ServiceName or SliceDecision.ManagedBy)).ToDictionary(l => l.Key, l => l.Value);
            var owner = new SliceOwner(endpoints, key.Name, Manager, labels, endpoints.Metadata.Annotations?.GetValueOrDefault(EndpointFacts.TriggerTime), 1000);
            plan = SliceDecision.Plan(owner, Groups(endpoints), present);
        }

        await _writer.WriteAsync(key, plan, ct).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    internal static bool IsMirrored(Mesh.Api.Core.V1.Endpoints endpoints, Service? service) =>
        service is { Spec.Selector: not { Count: > 0 } }
        && endpoints.Metadata.Labels?.GetValueOrDefault(SkipMirror) != "true"
        && endpoints.Metadata.Annotations?.ContainsKey("control-plane.alpha.kubernetes.io/leader") != true
        // The gateway itself writes both for the API's own service.
        && endpoints.Metadata is not { Namespace: "default", Name: "kubernetes" };

    internal static List<SliceGroup> Groups(Mesh.Api.Core.V1.Endpoints endpoints)
    {
        var groups = new Dictionary<string, SliceGroup>(StringComparer.Ordinal);
        foreach (var subset in endpoints.Subsets ?? [])
        {
            var ports = (subset.Ports ?? []).ConvertAll(p => new EndpointPort { Name = p.Name ?? "", Port = p.Port, Protocol = p.Protocol ?? "TCP", AppProtocol = p.AppProtocol });
            Add(subset.Addresses, true);
            Add(subset.NotReadyAddresses, false);

            void Add(List<EndpointAddress>? addresses, bool ready)
            {
                foreach (var address in addresses ?? [])
                {
                    var group = new SliceGroup(address.Ip?.Contains(':') == true ? "IPv6" : "IPv4", ports, []);
                    if (!groups.TryAdd(group.Key, group)) group = groups[group.Key];
                    group.Endpoints.Add(new Endpoint
                    {
                        Addresses = [address.Ip ?? ""],
                        Conditions = new EndpointConditions { Ready = ready },
                        Hostname = string.IsNullOrEmpty(address.Hostname) ? null : address.Hostname,
                        NodeName = address.NodeName,
                        TargetRef = address.TargetRef,
                    });
                }
            }
        }

        return [.. groups.Values];
    }
}
