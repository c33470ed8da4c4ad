using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Storage;

/// <summary>PersistentVolumeClaims.</summary>
internal sealed class PersistentVolumeClaimStrategy() : KindStrategy(Of("", "v1", "persistentvolumeclaims"), hasStatus: true)
{
    /// <summary>Defaults of a claim, alone and in a StatefulSet.</summary>
    public static void DefaultClaim(JsonObject claim)
    {
        var spec = claim.Ensure("spec");
        spec.DefaultAbsent("volumeMode", "Filesystem");
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
        Sources(Spec(obj), []);
    }

    /// <inheritdoc/>
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(obj, old, context);
        Sources(Spec(obj), Spec(old));
    }

    // dataSource takes claims and snapshots only, others are dropped; dataSourceRef takes anything; what one says and the other can say is in both.
    private static void Sources(JsonObject spec, JsonObject was)
    {
        if (!was.Has("dataSource") && spec.Obj("dataSource") is { } source &&
            (source.Str("kind"), source.Str("apiGroup")) is not (("PersistentVolumeClaim", "") or ("VolumeSnapshot", "snapshot.storage.k8s.io")))
        {
            spec.Remove("dataSource");
        }

        // A source in another namespace is an alpha feature of Kubernetes, which is off.
        if (spec.Obj("dataSourceRef").Str("namespace").Length > 0 && was.Obj("dataSourceRef").Str("namespace").Length == 0)
            spec.Remove("dataSourceRef");
        if (spec.Obj("dataSource") is { } older && !spec.Has("dataSourceRef"))
            spec["dataSourceRef"] = older.DeepClone();
        else if (spec.Obj("dataSourceRef") is { } reference && !spec.Has("dataSource") && reference.Str("namespace").Length == 0)
            spec["dataSource"] = reference.DeepClone();
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors) => ClaimSpecValidation.Spec(errors, "spec", Spec(obj), Ratchet.SelectorValue);

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (now, was) = ((JsonObject)Spec(obj).DeepClone(), (JsonObject)Spec(old).DeepClone());
        // What is left open is filled in once: the volume by its controller, the class by admission.
        if (was.Str("volumeName").Length == 0)
            now.Remove("volumeName");
        if (was["storageClassName"] is null)
            now.Remove("storageClassName");
        if (obj.Obj("status").Str("phase") == "Bound")
        {
            foreach (var one in new[] { now, was })
            {
                one.Obj("resources", "requests")?.Remove("storage");
                one.Remove("volumeAttributesClassName");
            }
        }

        if (!JsonNode.DeepEquals(now, was))
            errors.Add(FieldError.Forbidden("spec", "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"));
        if (Size(obj) < Size(old) && Quantity.TryParse(old.Obj("status", "capacity").Str("storage"), out var capacity) && Size(obj) <= capacity)
            errors.Add(FieldError.Forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
        errors.Unchanged("volumeMode", Spec(obj)["volumeMode"], Spec(old)["volumeMode"]);
        var (attributes, before) = (Spec(obj)["volumeAttributesClassName"], Spec(old)["volumeAttributesClassName"]);
        if (before is not null && attributes is null)
            errors.Add(FieldError.Forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"));
        else if (before is not null && Spec(obj).Str("volumeAttributesClassName").Length == 0)
            errors.Add(FieldError.Forbidden("spec.volumeAttributesClassName", "update from non-nil value to an empty string is forbidden"));
    }

    private static Quantity Size(JsonObject claim) => Quantity.TryParse(Spec(claim).Obj("resources", "requests").Str("storage"), out var size) ? size : default;

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => StorageWarnings.Claim(obj);
}
