using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Selectors;

namespace Mesh.Gateway.Registry.Subresources;

/// <summary>
/// POST pods/NAME/eviction: deletes a pod when its disruption budget allows it, and counts the disruption in the budget's status first
/// (disruptionsAllowed, disruptedPods), so that many evictions at once cannot spend one allowance twice.
/// </summary>
internal sealed class EvictionSubresource(GenericRegistry registry, TimeProvider time) : ISubresource
{
    private const int RetrySeconds = 10;
    private const int MaxDisruptedPods = 2000;
    private static readonly ApiResource Budgets = ResourceTable.Find("policy", "v1", "poddisruptionbudgets")!;

    /// <inheritdoc/>
    public string Id => "/pods/eviction";

    /// <inheritdoc/>
    public async ValueTask<SubresourceAnswer> CreateAsync(RequestContext request, JsonObject body, CancellationToken ct)
    {
        if (ObjectMetaRules.Text(body, "name") is { Length: > 0 } name && name != request.Name)
            throw new ApiException(Statuses.BadRequest("name in URL does not match name in Eviction object"));
        await registry.AdmitSubresourceAsync(request, body, ct);
        var pod = (await registry.GetAsync(Whole(request), "", ct)).Parsed;
        if (!IsFree(pod)) await SpendAsync(request, pod, ct);
        var options = Http.QueryOptions.Delete(new Microsoft.AspNetCore.Http.QueryCollection(), body["deleteOptions"] as JsonObject ?? []);
        await registry.DeleteAsync(Whole(request, options.DryRun), options.Options, ct);
        return new SubresourceAnswer(BindingSubresource.Success(), 201);
    }

    /// <summary>Pods that do no work any more, or none yet, need no budget.</summary>
    private static bool IsFree(JsonObject pod) =>
        pod["status"]?["phase"]?.ToString() is "Succeeded" or "Failed" or "Pending" || ObjectMetaRules.IsDeleting(pod);

    private async ValueTask SpendAsync(RequestContext request, JsonObject pod, CancellationToken ct)
    {
        var labels = pod["metadata"]?["labels"] as JsonObject;
        var matching = (await registry.Caches.ListAsync(Budgets, request.Namespace, ct))
            .Where(b => Selector.FromJson(b["spec"]?["selector"] as JsonObject).Matches(labels)).ToArray();
        if (matching.Length == 0) return;
        if (matching.Length > 1)
            throw new ApiException(Statuses.InternalError("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."));
        var name = ObjectMetaRules.Text(matching[0], "name");
        if (!IsReady(pod) && UnhealthyMayGo(matching[0])) return;
        var budget = new RequestContext { User = request.User, Resource = Budgets, Namespace = request.Namespace, Name = name, Subresource = "status", DryRun = request.DryRun };
        await registry.RewriteAsync(budget, b => Count(b, request.Name), ct);
    }

    private void Count(JsonObject budget, string pod)
    {
        if (budget["status"] is not JsonObject status) budget["status"] = status = [];
        var name = ObjectMetaRules.Text(budget, "name");
        if (Number(status, "observedGeneration") < Number(ObjectMetaRules.Of(budget), "generation"))
            throw Refuse($"The disruption budget {name} is still being processed by the server.", RetrySeconds);
        var allowed = Number(status, "disruptionsAllowed");
        if (allowed < 0) throw Forbidden(name, "pdb disruptions allowed is negative");
        if (status["disruptedPods"] is JsonObject { Count: > MaxDisruptedPods })
            throw Forbidden(name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
        if (allowed == 0)
        {
            throw Refuse(SyncFailure(status) is { } failure
                ? $"The disruption budget {name} does not allow evicting pods currently because it failed sync: {failure}"
                : $"The disruption budget {name} needs {Number(status, "desiredHealthy")} healthy pods and has {Number(status, "currentHealthy")} currently");
        }

        status["disruptionsAllowed"] = allowed - 1;
        if (status["disruptedPods"] is not JsonObject disrupted) status["disruptedPods"] = disrupted = [];
        disrupted[pod] = ObjectMetaRules.Time(time.GetUtcNow());
    }

    private static bool IsReady(JsonObject pod) =>
        (pod["status"]?["conditions"] as JsonArray)?.OfType<JsonObject>().Any(static c => c["type"]?.ToString() == "Ready" && c["status"]?.ToString() == "True") == true;

    private static bool UnhealthyMayGo(JsonObject budget) =>
        budget["spec"]?["unhealthyPodEvictionPolicy"]?.ToString() == "AlwaysAllow"
        || (Number(budget["status"] as JsonObject, "currentHealthy") >= Number(budget["status"] as JsonObject, "desiredHealthy") && Number(budget["status"] as JsonObject, "desiredHealthy") > 0);

    private static long Number(JsonObject? obj, string field) =>
        obj?[field] is JsonValue value ? value.TryGetValue<long>(out var wide) ? wide : value.TryGetValue<int>(out var narrow) ? narrow : 0 : 0;

    /// <summary>Nobody knows when a budget will allow more, so no time is named: clients that obey Retry-After would sit on it instead of telling their user.</summary>
    private static ApiException Refuse(string cause, int? retryAfter = null)
    {
        var status = Statuses.DisruptionBudget("Cannot evict pod as it would violate the pod's disruption budget.", cause);
        status.Details!.RetryAfterSeconds = retryAfter;
        return new ApiException(status);
    }

    private static ApiException Forbidden(string budget, string why) => new(Statuses.Forbidden(Budgets.Group, Budgets.Plural, budget, why));

    private static string? SyncFailure(JsonObject status) =>
        (status["conditions"] as JsonArray)?.OfType<JsonObject>().FirstOrDefault(static c =>
            c["type"]?.ToString() == "DisruptionAllowed" && c["status"]?.ToString() == "False" && c["reason"]?.ToString() == "SyncFailed")?["message"]?.ToString();

    private static RequestContext Whole(RequestContext request, bool dryRun = false) =>
        new() { User = request.User, Resource = request.Resource, Namespace = request.Namespace, Name = request.Name, DryRun = request.DryRun || dryRun };
}
