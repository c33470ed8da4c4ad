using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>DaemonSets.</summary>
internal sealed class DaemonSetStrategy() : KindStrategy(Of("apps", "v1", "daemonsets"), hasStatus: true, generation: true)
{
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
        Workload.Selector(errors, spec, "daemonset");
        PodSpecValidation.RunningTemplate(errors, "spec.template", spec.Obj("template"), spec.Obj("selector"), Workload.SelectorFits(spec), "DaemonSet");
        errors.NonNegative("spec.minReadySeconds", spec.Num("minReadySeconds"));
        errors.NonNegative("spec.revisionHistoryLimit", spec.Num("revisionHistoryLimit"));

        var strategy = spec.Obj("updateStrategy") ?? [];
        FieldPath path = "spec.updateStrategy";
        errors.OneOf(path.Child("type"), strategy.Str("type"), "RollingUpdate", "OnDelete");
        if (strategy.Str("type") != "RollingUpdate")
            return;
        var rolling = strategy.Obj("rollingUpdate");
        var (unavailable, surge) = (rolling.IntStr("maxUnavailable"), rolling.IntStr("maxSurge"));
        errors.PositiveIntOrPercent(path.Child("rollingUpdate", "maxUnavailable"), unavailable);
        errors.PositiveIntOrPercent(path.Child("rollingUpdate", "maxSurge"), surge);
        if (!Workload.IsZero(unavailable) && !Workload.IsZero(surge))
            errors.Add(FieldError.Invalid(path.Child("rollingUpdate", "maxSurge"), surge?.ToNode(), "may not be set when maxUnavailable is non-zero"));
        else if (Workload.IsZero(unavailable) && Workload.IsZero(surge))
            errors.Add(FieldError.Required(path.Child("rollingUpdate", "maxUnavailable"), "cannot be 0 when maxSurge is 0"));
        errors.NotMoreThan100Percent(path.Child("rollingUpdate", "maxUnavailable"), unavailable);
        errors.NotMoreThan100Percent(path.Child("rollingUpdate", "maxSurge"), surge);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) =>
        errors.Unchanged("spec.selector", Spec(obj)["selector"], Spec(old)["selector"]);
}
