using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>PodDisruptionBudgets.</summary>
internal sealed class PodDisruptionBudgetStrategy() : KindStrategy(Of("policy", "v1", "poddisruptionbudgets"), hasStatus: true, generation: true)
{
    /// <inheritdoc/>
    public override bool AllowUnconditionalUpdate => false;

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        if (spec.Has("minAvailable") && spec.Has("maxUnavailable"))
            errors.Add(FieldError.Invalid("spec", spec.DeepClone(), "minAvailable and maxUnavailable cannot be both set"));
        foreach (var field in new[] { "minAvailable", "maxUnavailable" })
        {
            errors.PositiveIntOrPercent(new FieldPath("spec").Child(field), spec.IntStr(field));
            errors.NotMoreThan100Percent(new FieldPath("spec").Child(field), spec.IntStr(field));
        }

        errors.LabelSelector("spec.selector", spec.Obj("selector"));
        errors.OptionalOneOf("spec.unhealthyPodEvictionPolicy", spec.Str("unhealthyPodEvictionPolicy"), "AlwaysAllow", "IfHealthyBudget");
    }
}

/// <summary>PriorityClasses.</summary>
internal sealed class PriorityClassStrategy() : KindStrategy(Of("scheduling.k8s.io", "v1", "priorityclasses"), generation: true)
{
    private const int HighestUserPriority = 1_000_000_000;
    private static readonly Dictionary<string, long> SystemClasses = new() { ["system-node-critical"] = 2_000_001_000, ["system-cluster-critical"] = 2_000_000_000 };

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => obj.Default("preemptionPolicy", "PreemptLowerPriority");

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var (name, value) = (obj.Name(), obj.Num("value") ?? 0);
        if (name.StartsWith("system-", StringComparison.Ordinal))
        {
            if (!SystemClasses.TryGetValue(name, out var known) || known != value)
                errors.Add(FieldError.Forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: " + name + " is not a known system priority class"));
        }
        else if (value > HighestUserPriority)
        {
            errors.Add(FieldError.Forbidden("value", $"maximum allowed value of a user defined priority is {HighestUserPriority}"));
        }

        errors.OptionalOneOf("preemptionPolicy", obj.Str("preemptionPolicy"), "Never", "PreemptLowerPriority");
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        if (obj.Num("value") != old.Num("value"))
            errors.Add(FieldError.Forbidden("value", "may not be changed in an update."));
        errors.Unchanged("preemptionPolicy", obj["preemptionPolicy"], old["preemptionPolicy"]);
    }
}

/// <summary>ResourceQuotas.</summary>
internal sealed class ResourceQuotaStrategy() : KindStrategy(Of("", "v1", "resourcequotas"), hasStatus: true)
{
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
        foreach (var (name, value) in Spec(obj).Obj("hard") ?? [])
        {
            var at = new FieldPath("spec.hard").Key(name);
            errors.Rules(at, name, Names.QualifiedName(name));
            ResourceValidation.Amount(errors, at, name, value?.ToString() ?? string.Empty);
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("spec.scopes", Spec(obj)["scopes"], Spec(old)["scopes"]);
}

/// <summary>LimitRanges.</summary>
internal sealed class LimitRangeStrategy() : KindStrategy(Of("", "v1", "limitranges"))
{
    /// <inheritdoc/>
    public override bool AllowCreateOnUpdate => true;

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        foreach (var (_, limit) in Spec(obj).Items("limits"))
        {
            foreach (var list in new[] { "max", "min", "default", "defaultRequest", "maxLimitRequestRatio" })
                PodDefaults.Quantities(limit.Obj(list));
            if (limit.Str("type") != "Container")
                continue;

            // A default limit falls back to the maximum, a default request to the limit or the minimum.
            foreach (var (name, value) in limit.Obj("max") ?? [])
                limit.Ensure("default").TryAdd(name, value?.DeepClone());
            foreach (var (name, value) in limit.Obj("default") ?? [])
                limit.Ensure("defaultRequest").TryAdd(name, value?.DeepClone());
            foreach (var (name, value) in limit.Obj("min") ?? [])
                limit.Ensure("defaultRequest").TryAdd(name, value?.DeepClone());
        }
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        foreach (var (i, limit) in Spec(obj).Items("limits"))
        {
            var at = new FieldPath("spec.limits").Index(i);
            foreach (var list in new[] { "max", "min", "default", "defaultRequest", "maxLimitRequestRatio" })
            {
                foreach (var (name, value) in limit.Obj(list) ?? [])
                    ResourceValidation.Amount(errors, at.Child(list).Key(name), name, value?.ToString() ?? string.Empty);
            }

            Order(errors, at, limit, "min", "max");
            Order(errors, at, limit, "defaultRequest", "default");
            Order(errors, at, limit, "default", "max");
        }
    }

    private static void Order(List<FieldError> errors, FieldPath at, JsonObject limit, string low, string high)
    {
        foreach (var (name, value) in limit.Obj(low) ?? [])
        {
            if (Quantity.TryParse(value?.ToString(), out var less) && Quantity.TryParse(limit.Obj(high)?[name]?.ToString(), out var more) && less > more)
                errors.Add(FieldError.Invalid(at.Child(low).Key(name), less.ToString(), $"{low} value {less} is greater than {high} value {more}"));
        }
    }
}
