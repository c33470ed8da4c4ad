using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Storage;

/// <summary>PersistentVolumes.</summary>
internal sealed class PersistentVolumeStrategy() : KindStrategy(Of("", "v1", "persistentvolumes"), hasStatus: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("persistentVolumeReclaimPolicy", "Retain");
        spec.DefaultAbsent("volumeMode", "Filesystem");
        PodDefaults.Quantities(spec.Obj("capacity"));
        VolumeDefaults.Shared(spec);
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
        ClaimSpecValidation.Modes(errors, "spec.accessModes", spec);
        Capacity(errors, "spec.capacity", spec.Obj("capacity"));
        errors.OptionalOneOf("spec.persistentVolumeReclaimPolicy", spec.Str("persistentVolumeReclaimPolicy"), "Delete", "Recycle", "Retain");
        if (spec.Obj("nodeAffinity") is { } affinity)
        {
            if (affinity.Obj("required") is { } required)
                SchedulingValidation.NodeSelector(errors, "spec.nodeAffinity.required", required);
            else
                errors.Add(FieldError.Required("spec.nodeAffinity.required", "must specify required node constraints"));
        }

        PersistentVolumeSources.Check(errors, "spec", spec, obj.Name());
        if (spec.Str("storageClassName") is { Length: > 0 } name)
            errors.Rules("spec.storageClassName", name, Names.Dns1123Subdomain(name));
        if (spec.Has("volumeMode"))
            errors.Supported("spec.volumeMode", spec.Str("volumeMode"), "Block", "Filesystem");
        if (spec.Has("volumeAttributesClassName"))
        {
            var attributes = spec.Str("volumeAttributesClassName");
            if (attributes.Length == 0)
                errors.Add(FieldError.Required("spec.volumeAttributesClassName", "an empty string is disallowed"));
            else
                errors.Rules("spec.volumeAttributesClassName", attributes, Names.Dns1123Subdomain(attributes));
            if (!spec.Has("csi"))
                errors.Add(FieldError.Required("spec.csi", "has to be specified when using volumeAttributesClassName"));
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (spec, was) = (Spec(obj), Spec(old));
        if (!JsonNode.DeepEquals(PersistentVolumeSources.Only(spec, was), PersistentVolumeSources.Only(was, was)))
            errors.Add(FieldError.Forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"));
        errors.Unchanged("volumeMode", spec["volumeMode"], was["volumeMode"]);
        if (was.Has("nodeAffinity") && !JsonNode.DeepEquals(spec["nodeAffinity"], was["nodeAffinity"]))
            errors.Add(FieldError.Invalid("nodeAffinity", spec["nodeAffinity"], Check.Immutable + ", except for updating from beta label to GA"));
        if (was.Has("volumeAttributesClassName") && !spec.Has("volumeAttributesClassName"))
            errors.Add(FieldError.Forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"));
    }

    private static void Capacity(List<FieldError> errors, FieldPath path, JsonObject? capacity)
    {
        if ((capacity?.Count ?? 0) == 0)
            errors.Add(FieldError.Required(path));
        if (capacity?.ContainsKey("storage") != true || capacity.Count > 1)
            errors.Add(FieldError.NotSupported(path, capacity, "storage"));
        foreach (var (name, node) in capacity ?? [])
        {
            if (!Quantity.TryParse(node?.ToString(), out var amount))
                continue;
            if (amount.Sign < 0)
                errors.Add(FieldError.Invalid(path.Key(name), amount.Value, "must be a valid resource quantity"));
            if (amount.Sign <= 0)
                errors.Add(FieldError.Invalid(path.Key(name), amount.ToString(), "must be greater than zero"));
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => StorageWarnings.Volume(obj);
}
