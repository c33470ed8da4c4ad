using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Rbac.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Rbac;

/// <summary>Fills cluster roles that are sums of others (aggregationRule) with the others' rules.</summary>
internal sealed class ClusterRoleAggregationController : KeyedController
{
    private readonly IInformer<ClusterRole> _roles;

    internal ClusterRoleAggregationController(ControllerContext context)
        : base(context, "clusterrole-aggregation-controller", "ClusterRoleAggregator")
    {
        _roles = Watch<ClusterRole>();
        _roles.AddHandler((_, _) =>
        {
            // Any role may be a part of any sum.
            foreach (var role in _roles.Lister.List().Where(r => r.AggregationRule is not null)) Enqueue(ObjectKey.Of(role));
        });
    }

    /// <summary>The rules of all matching roles, by selector and then by name, each once; the sum itself is no part of itself.</summary>
    internal static List<PolicyRule> Aggregate(ClusterRole sum, IEnumerable<ClusterRole> roles)
    {
        var rules = new List<PolicyRule>();
        var all = roles.OrderBy(r => r.Metadata.Name, StringComparer.Ordinal).ToList();
        foreach (var selector in sum.AggregationRule?.ClusterRoleSelectors ?? [])
        {
            var match = LabelSelectors.Of(selector);
            foreach (var role in all.Where(r => r.Metadata.Name != sum.Metadata.Name && match.Matches(r.Metadata.Labels)))
            {
                foreach (var rule in role.Rules ?? [])
                {
                    if (!rules.Exists(r => PolicyRule.SemanticEquals(r, rule))) rules.Add(rule);
                }
            }
        }

        return rules;
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_roles.Lister.Get(null, key.Name) is not { AggregationRule: not null } sum) return ReconcileResult.Done;
        var rules = Aggregate(sum, _roles.Lister.List());
        var present = sum.Rules ?? [];
        if (rules.Count == present.Count && rules.Zip(present).All(p => PolicyRule.SemanticEquals(p.First, p.Second))) return ReconcileResult.Done;
        var changed = sum.Clone();
        changed.Rules = rules;
        var json = JsonNode.Parse(KubeJson.Serialize(changed))!;
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = sum.Metadata.ResourceVersion },
            ["rules"] = json["rules"]?.DeepClone() ?? new JsonArray(),
        };
        await Client.PatchAsync<ClusterRole>(null, key.Name, PatchType.Merge, Json.Bytes(patch), ct: ct).ConfigureAwait(false);
        return ReconcileResult.Done;
    }
}
