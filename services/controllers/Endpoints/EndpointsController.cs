using System.Collections.Concurrent;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Endpoints;

/// <summary>Keeps the Endpoints object of every service that has a selector.</summary>
internal sealed class EndpointsController : KeyedController
{
    private readonly IInformer<Service> _services;
    private readonly IInformer<Pod> _pods;
    private readonly IInformer<Mesh.Api.Core.V1.Endpoints> _endpoints;
    private readonly ConcurrentDictionary<ObjectKey, DateTime> _shown = new();
    private readonly IEventRecorder _recorder;

    internal EndpointsController(ControllerContext context)
        : base(context, "endpoints-controller", "endpoint")
    {
        _recorder = context.Recorder("endpoint-controller");
        _services = WatchPrimary<Service>();
        _pods = Watch<Pod>();
        _pods.AddHandler((old, now) =>
        {
            foreach (var key in ServicePods.Concerned(old, now, _services.Lister)) Enqueue(key);
        });
        _endpoints = Watch<Mesh.Api.Core.V1.Endpoints>();
        _endpoints.AddHandler((old, now) =>
        {
            // Someone deleted what we keep; our own writes need no second look.
            if (now is null) Enqueue(ObjectKey.Of(old!));
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_services.Lister.Get(key.Namespace, key.Name) is not { } service)
        {
            _shown.TryRemove(key, out _);
            if (_endpoints.Lister.Get(key.Namespace, key.Name) is { } orphan && orphan.Metadata.Labels?.ContainsKey("endpoints.kubernetes.io/managed-by") == true)
                await DeleteAsync(key, ct).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        if (service.Spec?.Selector is not { Count: > 0 } || service.Spec.Type == "ExternalName") return ReconcileResult.Done;
        var present = _endpoints.Lister.Get(key.Namespace, key.Name);
        var pods = ServicePods.Of(service, _pods.Lister).ToList();
        var trigger = EndpointFacts.Trigger(service, pods, _shown.TryGetValue(key, out var shown) ? shown : null);
        var next = EndpointsDecision.Decide(service, pods, present, trigger);
        if (present is not null && EndpointsDecision.Same(present, next)) return ReconcileResult.Done;
        try
        {
            if (present is null) await Client.CreateAsync(next, ct).ConfigureAwait(false);
            else await Client.UpdateAsync(next, ct).ConfigureAwait(false);
            if (trigger is { } at) _shown[key] = at;
            return ReconcileResult.Done;
        }
        catch (ApiException e) when (Workloads.PodMaker.IsTerminatingNamespace(e))
        {
            return ReconcileResult.Done;
        }
        catch (ApiException e) when (!e.IsConflict && !e.IsAlreadyExists)
        {
            _recorder.Warning(service, present is null ? "FailedToCreateEndpoint" : "FailedToUpdateEndpoint",
                $"Failed to {(present is null ? "create" : "update")} endpoint for service {key}: {e.Message}");
            throw;
        }
    }

    private async Task DeleteAsync(ObjectKey key, CancellationToken ct)
    {
        try
        {
            await Client.DeleteAsync<Mesh.Api.Core.V1.Endpoints>(key.Namespace, key.Name, ct: ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // the garbage collector or a user was faster
        }
    }
}
