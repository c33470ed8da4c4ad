using System.Collections.Concurrent;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Endpoints;

/// <summary>Keeps the endpoint slices of every service that has a selector.</summary>
internal sealed class EndpointSliceController : KeyedController
{
    private const string ByService = "service";
    private readonly IInformer<Service> _services;
    private readonly IInformer<Pod> _pods;
    private readonly IInformer<EndpointSlice> _slices;
    private readonly IInformer<Node> _nodes;
    private readonly Expectations _expectations;
    private readonly SliceWriter _writer;
    private readonly ConcurrentDictionary<ObjectKey, DateTime> _shown = new();
    private readonly IEventRecorder _recorder;

    internal EndpointSliceController(ControllerContext context)
        : base(context, "endpointslice-controller", "endpoint_slice")
    {
        _recorder = context.Recorder("endpoint-slice-controller");
        _expectations = new Expectations(context.Time);
        _writer = new SliceWriter(context.Client, _expectations);
        _services = WatchPrimary<Service>();
        _nodes = Watch<Node>();
        _pods = Watch<Pod>();
        _pods.AddHandler((old, now) =>
        {
            foreach (var key in ServicePods.Concerned(old, now, _services.Lister)) Enqueue(key);
        });
        _slices = Watch<EndpointSlice>();
        _slices.AddIndex(ByService, SliceIndex.Value);
        _slices.AddHandler(OnSlice);
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_services.Lister.Get(key.Namespace, key.Name) is not { } service)
        {
            // The slices' owner is gone: the garbage collector takes them.
            _expectations.Forget(key);
            _shown.TryRemove(key, out _);
            return ReconcileResult.Done;
        }

        if (service.Spec?.Selector is not { Count: > 0 } || service.Spec.Type == "ExternalName" || service.Metadata.DeletionTimestamp is not null) return ReconcileResult.Done;
        if (!_expectations.Satisfied(key)) return ReconcileResult.Done; // the missing slice's arrival enqueues the key
        var pods = ServicePods.Of(service, _pods.Lister).ToList();
        var trigger = EndpointFacts.Trigger(service, pods, _shown.TryGetValue(key, out var shown) ? shown : null);
        var groups = SliceDecision.Groups(service, pods, node => _nodes.Lister.Get(null, node)?.Metadata.Labels?.GetValueOrDefault("topology.kubernetes.io/zone"));
        var owner = new SliceOwner(service, key.Name, SliceDecision.Controller, Labels(service), trigger is { } at ? KubeTime.Format(at) : null);
        var present = _slices.Lister.ByIndex(ByService, key.ToString())
            .Where(s => s.Metadata.Labels?.GetValueOrDefault(SliceDecision.ManagedBy) == SliceDecision.Controller && s.Metadata.DeletionTimestamp is null).ToList();
        var plan = SliceDecision.Plan(owner, groups, present);
        try
        {
            await _writer.WriteAsync(key, plan, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (Workloads.PodMaker.IsTerminatingNamespace(e))
        {
            return ReconcileResult.Done;
        }
        catch (ApiException e) when (!e.IsConflict)
        {
            _recorder.Warning(service, "FailedToUpdateEndpointSlices", $"Error updating Endpoint Slices for Service {key}: {e.Message}");
            throw;
        }

        if (trigger is { } now && plan.Create.Count + plan.Update.Count > 0) _shown[key] = now;
        return ReconcileResult.Done;
    }

    private static Dictionary<string, string> Labels(Service service)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in service.Metadata.Labels ?? [])
        {
            if (name is not (SliceDecision.ServiceName or SliceDecision.ManagedBy or EndpointFacts.HeadlessLabel)) labels[name] = value;
        }

        if (EndpointFacts.IsHeadless(service)) labels[EndpointFacts.HeadlessLabel] = "";
        return labels;
    }

    private void OnSlice(EndpointSlice? old, EndpointSlice? now)
    {
        var slice = now ?? old!;
        if (slice.Metadata.Labels?.GetValueOrDefault(SliceDecision.ManagedBy) != SliceDecision.Controller) return;
        if (SliceIndex.Service(slice) is not { } key) return;
        if (old is null) _expectations.CreationObserved(key);
        Enqueue(key);
    }
}

/// <summary>Files slices under namespace/service.</summary>
internal static class SliceIndex
{
    internal static IEnumerable<string> Value(EndpointSlice slice) => Service(slice) is { } key ? [key.ToString()] : [];

    internal static ObjectKey? Service(EndpointSlice slice) =>
        slice.Metadata.Labels?.GetValueOrDefault(SliceDecision.ServiceName) is { Length: > 0 } name ? new ObjectKey(slice.Metadata.Namespace, name) : null;
}
