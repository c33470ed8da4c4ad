using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>PersistentVolumes.</summary>
internal sealed class PersistentVolumeStrategy() : KindStrategy(Of("", "v1", "persistentvolumes"), hasStatus: true)
{
    private static readonly string[] NotSources =
        ["capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions", "volumeMode", "nodeAffinity", "volumeAttributesClassName"];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("persistentVolumeReclaimPolicy", "Retain");
        spec.Default("volumeMode", "Filesystem");
        PodDefaults.Quantities(spec.Obj("capacity"));
        if (spec.Obj("hostPath") is { } hostPath && hostPath["type"] is null)
            hostPath["type"] = string.Empty;
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject { ["phase"] = "Pending" };
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        if (spec.Strings("accessModes").Count == 0)
            errors.Add(FieldError.Required("spec.accessModes"));
        foreach (var mode in spec.Strings("accessModes").Where(m => !ClaimSpecValidation.AccessModes.Contains(m)))
            errors.Add(FieldError.NotSupported("spec.accessModes", mode, ClaimSpecValidation.AccessModes));
        if ((spec.Obj("capacity")?.Count ?? 0) == 0)
            errors.Add(FieldError.Required("spec.capacity"));
        else if (spec.Obj("capacity") is { } capacity && (!capacity.ContainsKey("storage") || capacity.Count > 1))
            errors.Add(FieldError.NotSupported("spec.capacity", capacity.DeepClone(), "storage"));
        foreach (var (name, value) in spec.Obj("capacity") ?? [])
            ResourceValidation.Amount(errors, new FieldPath("spec.capacity").Key(name), name, value?.ToString() ?? string.Empty);
        errors.OptionalOneOf("spec.persistentVolumeReclaimPolicy", spec.Str("persistentVolumeReclaimPolicy"), "Delete", "Recycle", "Retain");
        errors.OptionalOneOf("spec.volumeMode", spec.Str("volumeMode"), "Block", "Filesystem");

        var sources = spec.Where(p => p.Value is not null && !NotSources.Contains(p.Key)).Select(p => p.Key).ToList();
        if (sources.Count == 0)
            errors.Add(FieldError.Required("spec", "must specify a volume type"));
        foreach (var extra in sources.Skip(1))
            errors.Add(FieldError.Forbidden(new FieldPath("spec").Child(extra), "may not specify more than 1 volume type"));
        if (spec.Obj("nodeAffinity", "required") is { } required)
            SchedulingValidation.NodeSelector(errors, "spec.nodeAffinity.required", required);
        else if (spec.Has("local"))
            errors.Add(FieldError.Required("spec.nodeAffinity", "Local volume requires node affinity"));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        static JsonObject Source(JsonObject spec) => new(spec.Where(p => !NotSources.Contains(p.Key)).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
        if (!JsonNode.DeepEquals(Source(Spec(obj)), Source(Spec(old))))
            errors.Add(FieldError.Forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"));
        errors.Unchanged("spec.volumeMode", Spec(obj)["volumeMode"], Spec(old)["volumeMode"]);
        if (Spec(old).Has("nodeAffinity"))
            errors.Unchanged("spec.nodeAffinity", Spec(obj)["nodeAffinity"], Spec(old)["nodeAffinity"]);
    }
}
