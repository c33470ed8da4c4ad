using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>
/// matchLabelKeys and mismatchLabelKeys (KEP-3633, KEP-3243): labels whose values are taken from the pod when it is made and written into the
/// selector beside them, so that whoever places pods only reads selectors.
/// </summary>
internal static class LabelKeys
{
    private static readonly (string Field, string Operator)[] Fields = [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")];

    /// <summary>Writes the pod's own values into the selectors of its affinity terms and spread constraints.</summary>
    public static void Merge(JsonObject pod)
    {
        var labels = pod.Obj("metadata", "labels");
        var spec = pod.Obj("spec");
        foreach (var kind in new[] { "podAffinity", "podAntiAffinity" })
        {
            var affinity = spec.Obj("affinity", kind);
            foreach (var (_, term) in affinity.Items("requiredDuringSchedulingIgnoredDuringExecution"))
                Merge(term, labels);
            foreach (var (_, weighted) in affinity.Items("preferredDuringSchedulingIgnoredDuringExecution"))
            {
                if (weighted.Obj("podAffinityTerm") is { } term)
                    Merge(term, labels);
            }
        }

        foreach (var (_, constraint) in spec.Items("topologySpreadConstraints"))
            Merge(constraint, labels);
    }

    /// <summary>The keys of a term or constraint: qualified names beside a selector that does not itself speak of them, and not both kinds of one.</summary>
    public static void Check(List<FieldError> errors, FieldPath path, JsonObject owner)
    {
        var selector = owner.Obj("labelSelector");
        foreach (var (field, _) in Fields)
        {
            var keys = owner.Strings(field);
            if (keys.Count > 0 && selector is null)
            {
                errors.Add(FieldError.Forbidden(path.Child(field), "must not be specified when labelSelector is not set"));
                continue;
            }

            foreach (var (i, key) in keys.Index())
                errors.Rules(path.Child(field).Index(i), key, Names.QualifiedName(key));
        }

        var (match, mismatch) = (owner.Strings("matchLabelKeys"), owner.Strings("mismatchLabelKeys"));
        var seen = match.Count == 0 ? [] : (selector.Obj("matchLabels") ?? []).Select(static p => p.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var (_, item) in match.Count == 0 ? [] : selector.Items("matchExpressions"))
        {
            // What was merged in is there once; twice means that the selector had it already. (The path is Kubernetes' own.)
            if (!seen.Add(item.Str("key")) && match.IndexOf(item.Str("key")) is >= 0 and var at)
                errors.Add(FieldError.Invalid(path.Index(at), item.Str("key"), "exists in both matchLabelKeys and labelSelector"));
        }

        foreach (var (i, key) in match.Index())
        {
            if (mismatch.Contains(key))
                errors.Add(FieldError.Invalid(path.Child("matchLabelKeys").Index(i), key, "exists in both matchLabelKeys and mismatchLabelKeys"));
        }
    }

    private static void Merge(JsonObject owner, JsonObject? labels)
    {
        if (owner.Obj("labelSelector") is not { } selector)
            return;
        foreach (var (field, op) in Fields)
        {
            foreach (var key in owner.Strings(field))
            {
                if (labels?.ContainsKey(key) != true)
                    continue;
                if (selector["matchExpressions"] is not JsonArray list)
                    selector["matchExpressions"] = list = [];
                list.Add((JsonNode)new JsonObject { ["key"] = key, ["operator"] = op, ["values"] = new JsonArray(labels.Str(key)) });
            }
        }
    }
}
