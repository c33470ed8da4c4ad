using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>ResourceQuotas.</summary>
internal sealed class ResourceQuotaStrategy() : KindStrategy(Of("", "v1", "resourcequotas"), hasStatus: true)
{
    private static readonly string[] Scopes =
        ["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass"];

    private static readonly string[] PodResources =
        ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory", "pods", "requests.ephemeral-storage", "limits.ephemeral-storage", "ephemeral-storage"];

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => PodDefaults.Quantities(obj.Obj("spec", "hard"));

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject();
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        Amounts(errors, "spec.hard", spec.Obj("hard"));
        ScopeList(errors, spec);
        ScopeSelector(errors, spec);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        if (!Spec(obj).Strings("scopes").ToHashSet().SetEquals(Spec(old).Strings("scopes")))
            errors.Add(FieldError.Invalid("spec.scopes", Spec(obj)["scopes"], Check.Immutable));
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        Amounts(errors, "status.hard", obj.Obj("status", "hard"));
        Amounts(errors, "status.used", obj.Obj("status", "used"));
    }

    private static void Amounts(List<FieldError> errors, FieldPath path, JsonObject? list)
    {
        foreach (var (name, value) in list ?? [])
        {
            ResourceNames.OfQuota(errors, path.Key(name), name);
            ResourceValidation.Amount(errors, path.Key(name), name, value?.ToString() ?? string.Empty);
        }
    }

    private static void ScopeList(List<FieldError> errors, JsonObject spec)
    {
        FieldPath path = "spec.scopes";
        var scopes = spec.Strings("scopes");
        foreach (var scope in scopes)
        {
            if (!Scopes.Contains(scope))
                errors.Add(FieldError.Invalid(path, scopes, "unsupported scope"));
            foreach (var _ in Misfits(spec, scope))
                errors.Add(FieldError.Invalid(path, scopes, "unsupported scope applied to resource"));
        }

        if (Conflicting(scopes))
            errors.Add(FieldError.Invalid(path, scopes, "conflicting scopes"));
    }

    private static void ScopeSelector(List<FieldError> errors, JsonObject spec)
    {
        FieldPath path = "spec.scopeSelector.matchExpressions";
        var scopes = new List<string>();
        foreach (var (_, item) in spec.Obj("scopeSelector").Items("matchExpressions"))
        {
            var (scope, op) = (item.Str("scopeName"), item.Str("operator"));
            scopes.Add(scope);
            if (!Scopes.Contains(scope))
                errors.Add(FieldError.Invalid(path.Child("scopeName"), scope, "unsupported scope"));
            foreach (var _ in Misfits(spec, scope))
                errors.Add(FieldError.Invalid(path, spec["scopeSelector"], "unsupported scope applied to resource"));
            if (scope is not ("PriorityClass" or "VolumeAttributesClass") && Scopes.Contains(scope) && op != "Exists")
            {
                errors.Add(FieldError.Invalid(path.Child("operator"), op,
                    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"));
            }

            var values = item.Strings("values").Count;
            if (op is "In" or "NotIn" && values == 0)
                errors.Add(FieldError.Required(path.Child("values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
            else if (op is "Exists" or "DoesNotExist" && values > 0)
                errors.Add(FieldError.Invalid(path.Child("values"), item["values"], "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
            else if (op is not ("In" or "NotIn" or "Exists" or "DoesNotExist"))
                errors.Add(FieldError.Invalid(path.Child("operator"), op, "not a valid selector operator"));
        }

        if (Conflicting(scopes))
            errors.Add(FieldError.Invalid(path, spec["scopes"], "conflicting scopes"));
    }

    // Resources that a scope has nothing to say about.
    private static IEnumerable<string> Misfits(JsonObject spec, string scope) => (spec.Obj("hard") ?? []).Select(static p => p.Key).Order(StringComparer.Ordinal)
        .Where(ResourceNames.IsStandardQuota)
        .Where(name => scope switch
        {
            "Terminating" or "NotTerminating" or "NotBestEffort" or "PriorityClass" or "CrossNamespacePodAffinity" => !PodResources.Contains(name),
            "BestEffort" => name != "pods",
            "VolumeAttributesClass" => name is not ("persistentvolumeclaims" or "requests.storage"),
            _ => true,
        });

    private static bool Conflicting(List<string> scopes) =>
        (scopes.Contains("BestEffort") && scopes.Contains("NotBestEffort")) || (scopes.Contains("Terminating") && scopes.Contains("NotTerminating"));
}
