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
        if (version != "v2")
            return;
        if ((spec.Arr("metrics")?.Count ?? 0) == 0)
        {
            spec["metrics"] = new JsonArray(new JsonObject
            {
                ["type"] = "Resource",
                ["resource"] = new JsonObject { ["name"] = "cpu", ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = 80 } },
            });
        }

        if (spec.Obj("behavior") is not { } behavior)
            return;
        var up = behavior.Ensure("scaleUp");
        up.Default("stabilizationWindowSeconds", 0);
        Rules(up, Policy("Pods", 4), Policy("Percent", 100));
        Rules(behavior.Ensure("scaleDown"), Policy("Percent", 100));
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        var (min, max) = (spec.Num("minReplicas") ?? 1, spec.Num("maxReplicas") ?? 0);
        if (min < 1)
            errors.Add(FieldError.Invalid("spec.minReplicas", min, "must be greater than or equal to 1") with { Rule = min == 0 ? Ratchet.ScaleToZero : null });
        if (max < 1)
            errors.Add(FieldError.Invalid("spec.maxReplicas", max, "must be greater than 0"));
        if (max < min)
            errors.Add(FieldError.Invalid("spec.maxReplicas", max, "must be greater than or equal to `minReplicas`"));
        var target = spec.Obj("scaleTargetRef");
        AutoscalerValidation.Reference(errors, "spec.scaleTargetRef", target);
        AutoscalerValidation.Version(errors, "spec.scaleTargetRef", target, target.Str("kind") == "ReplicationController", Ratchet.About(Ratchet.TargetGroup, target.Str("kind")));
        if (version == "v2")
        {
            AutoscalerValidation.Metrics(errors, "spec.metrics", spec);
            AutoscalerValidation.Behavior(errors, "spec.behavior", spec.Obj("behavior"));
        }
        else if (spec.Num("targetCPUUtilizationPercentage") is < 1 and var percent)
        {
            // The older version is a short way to write one metric; its error is that metric's.
            errors.Add(FieldError.Invalid("spec.metrics[0].resource.target.averageUtilization", percent, "must be greater than 0"));
        }

        if (min == 0 && !spec.Items("metrics").Any(static m => m.Item.Str("type") is "Object" or "External"))
            errors.Add(FieldError.Forbidden("spec.metrics", "must specify at least one Object or External metric to support scaling to zero replicas"));
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        errors.NonNegative("status.currentReplicas", obj.Obj("status").Num("currentReplicas"));
        errors.NonNegative("status.desiredReplicas", obj.Obj("status").Num("desiredReplicas"));
    }

    private static void Rules(JsonObject rules, params JsonObject[] policies)
    {
        rules.DefaultAbsent("selectPolicy", "Max");
        if (rules["policies"] is null)
            rules["policies"] = new JsonArray([.. policies]);
    }

    private static JsonObject Policy(string type, int value) => new() { ["type"] = type, ["value"] = value, ["periodSeconds"] = 15 };
}
