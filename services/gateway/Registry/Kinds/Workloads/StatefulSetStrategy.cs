using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Storage;
using Mesh.Gateway.Registry.Kinds.Warnings;

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
        var policy = spec.Str("podManagementPolicy");
        if (policy.Length == 0)
            errors.Add(FieldError.Required("spec.podManagementPolicy"));
        else if (policy is not ("OrderedReady" or "Parallel"))
            errors.Add(FieldError.Invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"));
        UpdateStrategy(errors, "spec.updateStrategy", spec.Obj("updateStrategy") ?? []);
        foreach (var when in new[] { "whenDeleted", "whenScaled" })
            errors.Supported(new FieldPath("spec.persistentVolumeClaimRetentionPolicy").Child(when), spec.Obj("persistentVolumeClaimRetentionPolicy").Str(when), "Retain", "Delete");
        errors.NonNegative("spec.replicas", spec.Num("replicas"));
        errors.NonNegative("spec.minReadySeconds", spec.Num("minReadySeconds"));
        errors.NonNegative("spec.ordinals.start", spec.Obj("ordinals").Num("start"));
        Workload.Selector(errors, spec, "statefulset");
        if (Workload.SelectorFits(spec) is { } fits)
            Template(errors, "spec.template", spec, fits);
        else
            errors.Add(FieldError.Invalid("spec.selector", spec["selector"], string.Empty));
        Running(errors, "spec.template.spec", spec.Obj("template", "spec"));
    }

    // Volumes of the claim templates are not in the pod's template, so its containers are first checked with the pods.
    private static void Template(List<FieldError> errors, FieldPath path, JsonObject spec, bool fits)
    {
        var template = spec.Obj("template") ?? [];
        var labels = template.Obj("metadata", "labels");
        if (!fits && !(spec.Obj("selector") is { } selector && Check.SelectorIsEmpty(selector)))
            errors.Add(FieldError.Invalid(path.Child("metadata", "labels"), labels, "`selector` does not match template `labels`"));
        errors.Labels(path.Child("labels"), labels);
        errors.Annotations(path.Child("annotations"), template.Obj("metadata", "annotations"));
        PodMetadataValidation.Annotations(errors, path.Child("annotations"), template, template.Obj("spec") ?? []);
    }

    private static void Running(List<FieldError> errors, FieldPath path, JsonObject? spec)
    {
        if (spec.Str("restartPolicy") != "Always")
            errors.Add(FieldError.NotSupported(path.Child("restartPolicy"), spec.Str("restartPolicy"), "Always"));
        if (spec.Has("activeDeadlineSeconds"))
            errors.Add(FieldError.Forbidden(path.Child("activeDeadlineSeconds"), "activeDeadlineSeconds in StatefulSet is not Supported"));
    }

    private static void UpdateStrategy(List<FieldError> errors, FieldPath path, JsonObject strategy)
    {
        switch (strategy.Str("type"))
        {
            case "":
                errors.Add(FieldError.Required(path));
                break;
            case "OnDelete":
                if (strategy.Has("rollingUpdate"))
                    errors.Add(FieldError.Invalid(path.Child("rollingUpdate"), strategy["rollingUpdate"], "only allowed for updateStrategy 'RollingUpdate'"));
                break;
            case "RollingUpdate":
                var rolling = strategy.Obj("rollingUpdate");
                errors.NonNegative(path.Child("rollingUpdate", "partition"), rolling.Num("partition"));
                var unavailable = rolling.IntStr("maxUnavailable");
                errors.PositiveIntOrPercent(path.Child("rollingUpdate", "maxUnavailable"), unavailable);
                if (Workload.IsZero(unavailable))
                    errors.Add(FieldError.Invalid(path.Child("rollingUpdate", "maxUnavailable"), unavailable?.ToNode(), "cannot be 0"));
                errors.NotMoreThan100Percent(path.Child("rollingUpdate", "maxUnavailable"), unavailable);
                break;
            default:
                errors.Add(FieldError.Invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'"));
                break;
        }
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

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => WorkloadWarnings.StatefulSet(obj, old);
}
