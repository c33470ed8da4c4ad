using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Quotas;

namespace Mesh.Controllers.Quotas;

/// <summary>What a quota's status must say, from what is in its namespace.</summary>
internal static class QuotaDecision
{
    /// <summary>The limits as they are in the spec, and what is used of each.</summary>
    public static ResourceQuotaStatus Decide(
        ResourceQuota quota, IEnumerable<(ApiResource Resource, JsonObject Object)> objects, IReadOnlyDictionary<string, int> counts, DateTimeOffset now)
    {
        var hard = quota.Spec?.Hard ?? [];
        var spec = quota.Spec is null ? null : JsonNode.Parse(KubeJson.Serialize(quota))!["spec"] as JsonObject;
        var used = hard.Keys.ToDictionary(static name => name, static _ => Quantity.Zero, StringComparer.Ordinal);
        foreach (var (resource, obj) in objects)
        {
            if (!QuotaScopes.Match(spec, resource, obj)) continue;
            foreach (var (name, amount) in QuotaUsage.Of(resource, obj, now))
            {
                if (used.TryGetValue(name, out var sum)) used[name] = sum + amount;
            }
        }

        foreach (var (name, count) in counts) used[name] = Quantity.FromValue(count);
        return new ResourceQuotaStatus { Hard = new(hard), Used = used.ToDictionary(static u => u.Key, static u => (string?)u.Value.ToString() ?? "0")! };
    }
}
