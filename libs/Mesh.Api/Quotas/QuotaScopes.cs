using System.Text.Json.Nodes;

namespace Mesh.Api.Quotas;

/// <summary>Which objects a quota with scopes is about.</summary>
public static class QuotaScopes
{
    /// <summary>Whether the object is in every scope of the quota's spec.</summary>
    public static bool Match(JsonObject? quotaSpec, ApiResource resource, JsonObject obj)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(obj);
        if (quotaSpec?["scopes"] is JsonArray scopes && !scopes.All(s => In(resource, obj, s?.ToString() ?? "", "Exists", []))) return false;
        return quotaSpec.Part("scopeSelector").Each("matchExpressions")
            .All(e => In(resource, obj, e.Text("scopeName"), e.Text("operator"), e["values"] is JsonArray values ? [.. values.Select(static v => v?.ToString() ?? "")] : []));
    }

    private static bool In(ApiResource resource, JsonObject obj, string scope, string op, string[] values)
    {
        var spec = obj.Part("spec");
        if (resource is { Group: "", Plural: "persistentvolumeclaims" })
            return scope == "VolumeAttributesClass" && Selects(spec.Text("volumeAttributesClassName"), op, values);
        if (resource is not { Group: "", Plural: "pods" }) return false;
        return scope switch
        {
            "Terminating" => spec?["activeDeadlineSeconds"] is not null,
            "NotTerminating" => spec?["activeDeadlineSeconds"] is null,
            "BestEffort" => obj.Part("status").Text("qosClass") == "BestEffort",
            "NotBestEffort" => obj.Part("status").Text("qosClass") != "BestEffort",
            "PriorityClass" => Selects(spec.Text("priorityClassName"), op, values),
            "CrossNamespacePodAffinity" => LooksElsewhere(spec.Part("affinity")),
            _ => false,
        };
    }

    private static bool Selects(string value, string op, string[] values) => op switch
    {
        "Exists" => value.Length > 0,
        "DoesNotExist" => value.Length == 0,
        "In" => value.Length > 0 && values.Contains(value),
        "NotIn" => value.Length == 0 || !values.Contains(value),
        _ => false,
    };

    private static bool LooksElsewhere(JsonObject? affinity)
    {
        foreach (var kind in new[] { "podAffinity", "podAntiAffinity" })
        {
            var terms = affinity.Part(kind).Each("requiredDuringSchedulingIgnoredDuringExecution")
                .Concat(affinity.Part(kind).Each("preferredDuringSchedulingIgnoredDuringExecution").Select(static p => p.Part("podAffinityTerm") ?? []));
            if (terms.Any(static t => t["namespaces"] is JsonArray { Count: > 0 } || t["namespaceSelector"] is not null)) return true;
        }

        return false;
    }
}
