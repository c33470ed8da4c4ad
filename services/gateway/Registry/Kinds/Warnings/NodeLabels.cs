using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Warnings;

/// <summary>Labels of nodes that have newer names, wherever something selects nodes.</summary>
internal static class NodeLabels
{
    private static readonly Dictionary<string, string> Deprecated = new(StringComparer.Ordinal)
    {
        ["beta.kubernetes.io/arch"] = "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        ["beta.kubernetes.io/os"] = "deprecated since v1.14; use \"kubernetes.io/os\" instead",
        ["failure-domain.beta.kubernetes.io/region"] = "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
        ["failure-domain.beta.kubernetes.io/zone"] = "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
        ["beta.kubernetes.io/instance-type"] = "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
        ["app.kubernetes.io/created-by"] = "deprecated since v1.9",
        ["scheduler.alpha.kubernetes.io/preferAvoidPods"] = "deprecated since v1.22; use Taints and Tolerations instead",
        ["node-role.kubernetes.io/master"] = "use \"node-role.kubernetes.io/control-plane\" instead",
    };

    /// <summary>The keys of a map of labels; named: each by its own path, or all by the map's.</summary>
    public static IEnumerable<string> InMap(FieldPath path, JsonObject? owner, string field, Func<FieldPath, string, FieldPath> place) =>
        owner.Map(field).Where(static p => Deprecated.ContainsKey(p.Key)).Select(p => $"{place(path, p.Key)}: {Deprecated[p.Key]}");

    /// <summary>One key that is named in the text.</summary>
    public static IEnumerable<string> Named(FieldPath path, string key)
    {
        if (Deprecated.TryGetValue(key, out var message))
            yield return $"{path}: {key} is {message}";
    }

    /// <summary>The keys of match expressions of a term or selector.</summary>
    public static IEnumerable<string> InExpressions(FieldPath path, JsonObject? term, string field = "matchExpressions") =>
        term.Items(field).SelectMany(e => Named(path.Child(field).Index(e.Index).Child("key"), e.Item.Str("key")));

    /// <summary>The terms of a required node affinity.</summary>
    public static IEnumerable<string> InTerms(FieldPath path, JsonObject? selector) =>
        selector.Items("nodeSelectorTerms").SelectMany(t => InExpressions(path.Child("nodeSelectorTerms").Index(t.Index), t.Item));
}
