using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>Places a pod on a node: sets spec.nodeName once and for all, and the condition PodScheduled.</summary>
internal sealed class PodBinder(GenericRegistry registry, NodeLedger ledger, TimeProvider time)
{
    /// <summary>The resource of pods.</summary>
    public static ApiResource Pods { get; } = ResourceTable.Find("", "v1", "pods")!;

    /// <summary>Binds the request's pod; checkRoom: refuses when the node has not enough left.</summary>
    /// <exception cref="ApiException">404; 409 when the pod is placed, deleted, another (uid) or does not fit any more.</exception>
    public async ValueTask BindAsync(RequestContext request, string node, string uid, JsonObject? metadata, bool checkRoom, CancellationToken ct)
    {
        if (node.Length == 0) throw new ApiException(Statuses.Invalid("", "Binding", request.Name, [FieldError.Required("target.name")]));
        var key = request.Namespace + "/" + request.Name;
        if (checkRoom)
        {
            var pod = await registry.Caches.GetAsync(Pods, request.Namespace, request.Name, ct)
                ?? await registry.Caches.GetFreshAsync(Pods, request.Namespace, request.Name, ct)
                ?? throw new ApiException(Statuses.NotFound(Pods, request.Name));
            if (PlacedOn(pod) is { } placed) throw Refuse(request, $"pod {request.Name} is already assigned to node {GoText.Quote(placed)}");
            if (await ledger.TryTakeAsync(key, pod, node, ct) is { } missing) throw Refuse(request, $"node {GoText.Quote(node)} has not enough {missing} left for pod {request.Name}");
        }

        try
        {
            await registry.RewriteAsync(request, pod => Place(request, pod, node, uid, metadata), ct);
        }
        catch when (checkRoom)
        {
            ledger.Release(key);
            throw;
        }
    }

    private void Place(RequestContext request, JsonObject pod, string node, string uid, JsonObject? metadata)
    {
        if (uid.Length > 0 && uid != ObjectMetaRules.Text(pod, "uid"))
            throw Refuse(request, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {ObjectMetaRules.Text(pod, "uid")}");
        if (ObjectMetaRules.IsDeleting(pod)) throw Refuse(request, $"pod {request.Name} is being deleted, cannot be assigned to a host");
        if (PlacedOn(pod) is { } placed) throw Refuse(request, $"pod {request.Name} is already assigned to node {GoText.Quote(placed)}");
        if (pod["spec"]?["schedulingGates"] is JsonArray { Count: > 0 }) throw Refuse(request, $"pod {request.Name} has non-empty .spec.schedulingGates");
        if (pod["spec"] is not JsonObject spec) pod["spec"] = spec = [];
        spec["nodeName"] = node;
        foreach (var map in new[] { "annotations", "labels" })
        {
            if (metadata?[map] is not JsonObject { Count: > 0 } given) continue;
            if (ObjectMetaRules.Of(pod)[map] is not JsonObject own) ObjectMetaRules.Of(pod)[map] = own = [];
            foreach (var (name, value) in given) own[name] = value?.DeepClone();
        }

        SetScheduled(pod);
    }

    private void SetScheduled(JsonObject pod)
    {
        if (pod["status"] is not JsonObject status) pod["status"] = status = [];
        if (status["conditions"] is not JsonArray conditions) status["conditions"] = conditions = [];
        var now = ObjectMetaRules.Time(time.GetUtcNow());
        var condition = new JsonObject { ["type"] = "PodScheduled", ["status"] = "True", ["lastProbeTime"] = null, ["lastTransitionTime"] = now };
        for (var i = conditions.Count - 1; i >= 0; i--)
        {
            if (conditions[i]?["type"]?.ToString() == "PodScheduled") conditions.RemoveAt(i);
        }

        conditions.Add(condition);
    }

    private static string? PlacedOn(JsonObject pod) => pod["spec"]?["nodeName"]?.ToString() is { Length: > 0 } node ? node : null;

    private static ApiException Refuse(RequestContext request, string why) => new(Statuses.Conflict("", "pods/binding", request.Name, why));
}
