using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>HorizontalPodAutoscalers, in both of their versions.</summary>
internal sealed class HorizontalPodAutoscalerStrategy(string version) : KindStrategy(Of("autoscaling", version, "horizontalpodautoscalers"), hasStatus: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("minReplicas", 1);
        if (version != "v2" || (spec.Arr("metrics")?.Count ?? 0) > 0)
            return;
        spec["metrics"] = new JsonArray(new JsonObject
        {
            ["type"] = "Resource",
            ["resource"] = new JsonObject { ["name"] = "cpu", ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = 80 } },
        });
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        var (min, max) = (spec.Num("minReplicas") ?? 1, spec.Num("maxReplicas") ?? 0);
        if (min < 1)
            errors.Add(FieldError.Invalid("spec.minReplicas", min, "must be greater than or equal to 1"));
        if (max < 1)
            errors.Add(FieldError.Invalid("spec.maxReplicas", max, "must be greater than 0"));
        if (max < min)
            errors.Add(FieldError.Invalid("spec.maxReplicas", max, "must be greater than or equal to `minReplicas`"));
        foreach (var field in new[] { "kind", "name" })
        {
            if (spec.Obj("scaleTargetRef").Str(field).Length == 0)
                errors.Add(FieldError.Required(new FieldPath("spec.scaleTargetRef").Child(field)));
        }

        if (spec.Num("targetCPUUtilizationPercentage") is < 1 and var percent)
            errors.Add(FieldError.Invalid("spec.targetCPUUtilizationPercentage", percent, "must be greater than 0"));
    }
}
