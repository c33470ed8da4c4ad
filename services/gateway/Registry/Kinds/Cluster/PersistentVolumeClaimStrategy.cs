using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>PersistentVolumeClaims.</summary>
internal sealed class PersistentVolumeClaimStrategy() : KindStrategy(Of("", "v1", "persistentvolumeclaims"), hasStatus: true)
{
    internal static readonly string[] AccessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

    /// <summary>Defaults of a claim, alone and in a StatefulSet.</summary>
    public static void DefaultClaim(JsonObject claim)
    {
        var spec = claim.Ensure("spec");
        spec.Default("volumeMode", "Filesystem");
        PodDefaults.Quantities(spec.Ensure("resources").Obj("requests"));
        PodDefaults.Quantities(spec.Obj("resources", "limits"));
    }

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => DefaultClaim(obj);

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
        var modes = spec.Strings("accessModes");
        if (modes.Count == 0)
            errors.Add(FieldError.Required("spec.accessModes", "at least 1 access mode is required"));
        foreach (var mode in modes.Where(m => !AccessModes.Contains(m)))
            errors.Add(FieldError.NotSupported("spec.accessModes", mode, AccessModes));
        if (modes.Contains("ReadWriteOncePod") && modes.Count > 1)
            errors.Add(FieldError.Forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes"));
        if (spec.Obj("resources", "requests")?["storage"] is not { } storage)
            errors.Add(FieldError.Required("spec.resources[storage]"));
        else if (!Quantity.TryParse(storage.ToString(), out var size) || size.Sign <= 0)
            errors.Add(FieldError.Invalid("spec.resources[storage]", storage.ToString(), "must be greater than zero"));
        if (spec.Obj("selector") is { } selector)
            errors.LabelSelector("spec.selector", selector);
        if (spec.Str("storageClassName") is { Length: > 0 } name)
            errors.Rules("spec.storageClassName", name, Names.Dns1123Subdomain(name));
        errors.OptionalOneOf("spec.volumeMode", spec.Str("volumeMode"), "Block", "Filesystem");
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (now, was) = ((JsonObject)Spec(obj).DeepClone(), (JsonObject)Spec(old).DeepClone());
        if (was.Str("volumeName").Length == 0)
            was["volumeName"] = now["volumeName"]?.DeepClone();
        if (now["volumeName"] is null)
            was.Remove("volumeName");
        var bound = old.Obj("status").Str("phase") == "Bound";
        if (bound)
        {
            now.Obj("resources")?.Remove("requests");
            was.Obj("resources")?.Remove("requests");
            now.Remove("volumeAttributesClassName");
            was.Remove("volumeAttributesClassName");
        }

        if (!JsonNode.DeepEquals(now, was))
            errors.Add(FieldError.Forbidden("spec", "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"));
        if (bound && Size(obj) < Size(old))
            errors.Add(FieldError.Forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
    }

    private static Quantity Size(JsonObject claim) => Quantity.TryParse(Spec(claim).Obj("resources", "requests").Str("storage"), out var size) ? size : default;
}
