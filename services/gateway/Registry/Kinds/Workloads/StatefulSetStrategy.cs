using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Cluster;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>StatefulSets.</summary>
internal sealed class StatefulSetStrategy() : KindStrategy(Of("apps", "v1", "statefulsets"), hasStatus: true, generation: true)
{
    private static readonly string[] Changeable =
        ["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("podManagementPolicy", "OrderedReady");
        spec.Default("replicas", 1);
        spec.Default("revisionHistoryLimit", 10);
        var strategy = spec.Ensure("updateStrategy");
        strategy.Default("type", "RollingUpdate");
        if (strategy.Str("type") == "RollingUpdate")
            strategy.Ensure("rollingUpdate").Default("partition", 0);
        var retention = spec.Ensure("persistentVolumeClaimRetentionPolicy");
        retention.Default("whenDeleted", "Retain");
        retention.Default("whenScaled", "Retain");
        PodDefaults.Template(spec.Obj("template"));
        foreach (var (_, claim) in spec.Items("volumeClaimTemplates"))
        {
            claim.Default("kind", "PersistentVolumeClaim");
            claim.Default("apiVersion", "v1");
            PersistentVolumeClaimStrategy.DefaultClaim(claim);
            claim.Ensure("status").Default("phase", "Pending");
        }
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject { ["replicas"] = 0, ["availableReplicas"] = 0 };
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        errors.OneOf("spec.podManagementPolicy", spec.Str("podManagementPolicy"), "OrderedReady", "Parallel");
        var strategy = spec.Obj("updateStrategy") ?? [];
        if (strategy.Str("type").Length == 0)
            errors.Add(FieldError.Required("spec.updateStrategy"));
        else if (strategy.Str("type") is not ("OnDelete" or "RollingUpdate"))
            errors.Add(FieldError.Invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'"));
        else if (strategy.Str("type") == "OnDelete" && strategy.Has("rollingUpdate"))
            errors.Add(FieldError.Invalid("spec.updateStrategy.rollingUpdate", strategy["rollingUpdate"], "only allowed for updateStrategy 'RollingUpdate'"));
        errors.NonNegative("spec.updateStrategy.rollingUpdate.partition", strategy.Obj("rollingUpdate").Num("partition"));
        errors.NonNegative("spec.replicas", spec.Num("replicas"));
        errors.NonNegative("spec.minReadySeconds", spec.Num("minReadySeconds"));
        errors.NonNegative("spec.ordinals.start", spec.Obj("ordinals").Num("start"));
        foreach (var when in new[] { "whenDeleted", "whenScaled" })
            errors.OneOf(new FieldPath("spec.persistentVolumeClaimRetentionPolicy").Child(when), spec.Obj("persistentVolumeClaimRetentionPolicy").Str(when), "Delete", "Retain");
        Workload.Selector(errors, spec, "statefulset");
        PodSpecValidation.RunningTemplate(errors, "spec.template", spec.Obj("template"), spec.Obj("selector"), Workload.SelectorFits(spec), "StatefulSet");
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (now, was) = ((JsonObject)Spec(obj).DeepClone(), (JsonObject)Spec(old).DeepClone());
        foreach (var name in Changeable)
        {
            now.Remove(name);
            was.Remove(name);
        }

        if (!JsonNode.DeepEquals(now, was))
        {
            errors.Add(FieldError.Forbidden("spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
        }
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors) => Workload.Status(errors, obj, old);
}
