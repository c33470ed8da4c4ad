using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>DaemonSets.</summary>
internal sealed class DaemonSetStrategy() : KindStrategy(Of("apps", "v1", "daemonsets"), hasStatus: true, generation: true)
{
    private static readonly string[] Counters =
    [
        "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration", "updatedNumberScheduled", "numberAvailable",
        "numberUnavailable",
    ];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("revisionHistoryLimit", 10);
        var strategy = spec.Ensure("updateStrategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Str("type") == "RollingUpdate")
        {
            strategy.Ensure("rollingUpdate").Default("maxUnavailable", 1);
            strategy.Ensure("rollingUpdate").Default("maxSurge", 0);
        }

        PodDefaults.Template(spec.Obj("template"));
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject { ["currentNumberScheduled"] = 0, ["numberMisscheduled"] = 0, ["desiredNumberScheduled"] = 0, ["numberReady"] = 0 };
        if (Spec(obj).Num("templateGeneration") is null && obj.Obj("metadata", "annotations").Str("deprecated.daemonset.template.generation").Length == 0)
            obj.Ensure("metadata").Ensure("annotations")["deprecated.daemonset.template.generation"] = "1";
    }

    /// <inheritdoc/>
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(obj, old, context);
        const string Counter = "deprecated.daemonset.template.generation";
        _ = long.TryParse(old.Obj("metadata", "annotations").Str(Counter), out var count);
        if (!JsonNode.DeepEquals(Spec(obj)["template"], Spec(old)["template"]))
            count++;
        if (count > 0)
            obj.Ensure("metadata").Ensure("annotations")[Counter] = count.ToString();
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        errors.LabelSelector("spec.selector", spec.Obj("selector"), Ratchet.FollowingSelectorValue);
        var template = spec.Obj("template") ?? [];
        if (Workload.SelectorFits(spec) == false)
            errors.Add(FieldError.Invalid("spec.template.metadata.labels", template.Obj("metadata", "labels"), "`selector` does not match template `labels`"));
        if (spec.Obj("selector") is { } selector && Check.SelectorIsEmpty(selector))
            errors.Add(FieldError.Invalid("spec.selector", selector, "empty selector is invalid for daemonset"));
        PodSpecValidation.RunningTemplate(errors, "spec.template", template, null, selectorFits: true, "DaemonSet");
        errors.NonNegative("spec.minReadySeconds", spec.Num("minReadySeconds"));
        UpdateStrategy(errors, "spec.updateStrategy", spec.Obj("updateStrategy") ?? []);
        errors.NonNegative("spec.revisionHistoryLimit", spec.Num("revisionHistoryLimit"));
    }

    private static void UpdateStrategy(List<FieldError> errors, FieldPath path, JsonObject strategy)
    {
        errors.OneOf(path.Child("type"), strategy.Str("type"), "RollingUpdate", "OnDelete");
        if (strategy.Str("type") != "RollingUpdate")
            return;
        path = path.Child("rollingUpdate");
        var rolling = strategy.Obj("rollingUpdate");
        var (unavailable, surge) = (rolling.IntStr("maxUnavailable"), rolling.IntStr("maxSurge"));
        errors.PositiveIntOrPercent(path.Child("maxUnavailable"), unavailable);
        errors.PositiveIntOrPercent(path.Child("maxSurge"), surge);
        errors.NotMoreThan100Percent(path.Child("maxUnavailable"), unavailable);
        errors.NotMoreThan100Percent(path.Child("maxSurge"), surge);
        var (hasUnavailable, hasSurge) = (unavailable is not null && !Workload.IsZero(unavailable), surge is not null && !Workload.IsZero(surge));
        if (hasUnavailable && hasSurge)
            errors.Add(FieldError.Invalid(path.Child("maxSurge"), surge?.ToNode(), "may not be set when maxUnavailable is non-zero"));
        else if (!hasUnavailable && !hasSurge)
            errors.Add(FieldError.Required(path.Child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) =>
        errors.Unchanged("spec.selector", Spec(obj)["selector"], Spec(old)["selector"]);

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        foreach (var field in Counters)
            errors.NonNegative(new FieldPath("status").Child(field), obj.Obj("status").Num(field));
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => WorkloadWarnings.Template(obj, old);
}
