using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>Deployments.</summary>
internal sealed class DeploymentStrategy() : KindStrategy(Of("apps", "v1", "deployments"), hasStatus: true, generation: true)
{
    /// <inheritdoc/>
    protected override bool StatusWritersLabel => false;

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        spec.Default("progressDeadlineSeconds", 600);
        var strategy = spec.Ensure("strategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Str("type") == "RollingUpdate")
        {
            var rolling = strategy.Ensure("rollingUpdate");
            rolling.Default("maxUnavailable", "25%");
            rolling.Default("maxSurge", "25%");
        }

        PodDefaults.Template(spec.Obj("template"));
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        errors.NonNegative("spec.replicas", spec.Num("replicas"));
        Workload.Selector(errors, spec, "deployment");
        Workload.SelectedTemplate(errors, spec, "ReplicaSet");
        Strategy(errors, "spec.strategy", spec.Obj("strategy") ?? []);
        errors.NonNegative("spec.minReadySeconds", spec.Num("minReadySeconds"));
        errors.NonNegative("spec.revisionHistoryLimit", spec.Num("revisionHistoryLimit"));
        if (spec.Num("progressDeadlineSeconds") is { } deadline)
        {
            errors.NonNegative("spec.progressDeadlineSeconds", deadline);
            if (deadline <= (spec.Num("minReadySeconds") ?? 0))
                errors.Add(FieldError.Invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) =>
        errors.Unchanged("spec.selector", Spec(obj)["selector"], Spec(old)["selector"]);

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors) => Workload.Status(errors, obj, old);

    private static void Strategy(List<FieldError> errors, FieldPath path, JsonObject strategy)
    {
        switch (strategy.Str("type"))
        {
            case "Recreate":
                if (strategy.Has("rollingUpdate"))
                    errors.Add(FieldError.Forbidden(path.Child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'"));
                break;
            case "RollingUpdate":
                Workload.RollingUpdate(errors, path.Child("rollingUpdate"), strategy.Obj("rollingUpdate"));
                break;
            default:
                errors.Add(FieldError.NotSupported(path.Child("type"), strategy.Str("type"), "Recreate", "RollingUpdate"));
                break;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => WorkloadWarnings.Named(obj, old);
}
