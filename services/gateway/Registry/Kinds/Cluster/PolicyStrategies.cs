using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>PodDisruptionBudgets.</summary>
internal sealed class PodDisruptionBudgetStrategy() : KindStrategy(Of("policy", "v1", "poddisruptionbudgets"), hasStatus: true, generation: true)
{
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
        if (spec.Has("unhealthyPodEvictionPolicy"))
            errors.Supported("spec.unhealthyPodEvictionPolicy", spec.Str("unhealthyPodEvictionPolicy"), "AlwaysAllow", "IfHealthyBudget");
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        foreach (var field in new[] { "disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods" })
            errors.NonNegative(new FieldPath("status").Child(field), obj.Obj("status").Num(field));
    }
}

/// <summary>PriorityClasses.</summary>
internal sealed class PriorityClassStrategy() : KindStrategy(Of("scheduling.k8s.io", "v1", "priorityclasses"), generation: true)
{
    private const int HighestUserPriority = 1_000_000_000;
    private static readonly Dictionary<string, long> SystemClasses = new() { ["system-node-critical"] = 2_000_001_000, ["system-cluster-critical"] = 2_000_000_000 };

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => obj.DefaultAbsent("preemptionPolicy", "PreemptLowerPriority");

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var (name, value) = (obj.Name(), obj.Num("value") ?? 0);
        if (name.StartsWith("system-", StringComparison.Ordinal))
        {
            const string Reserved = "priority class names with 'system-' prefix are reserved for system use only. error: ";
            if (!SystemClasses.TryGetValue(name, out var known))
                errors.Add(FieldError.Forbidden("metadata.name", Reserved + name + " is not a known system priority class"));
            else if (known != value)
                errors.Add(FieldError.Forbidden("metadata.name", Reserved + $"value of {name} PriorityClass must be {known}"));
            else if (obj.Bool("globalDefault"))
                errors.Add(FieldError.Forbidden("metadata.name", Reserved + $"globalDefault of {name} PriorityClass must be false"));
        }
        else if (value > HighestUserPriority)
        {
            errors.Add(FieldError.Forbidden("value", $"maximum allowed value of a user defined priority is {HighestUserPriority}"));
        }

        errors.OptionalOneOf("preemptionPolicy", obj.Str("preemptionPolicy"), "PreemptLowerPriority", "Never");
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        if (obj.Num("value") != old.Num("value"))
            errors.Add(FieldError.Forbidden("value", "may not be changed in an update."));
        errors.Unchanged("preemptionPolicy", obj["preemptionPolicy"], old["preemptionPolicy"]);
    }
}
