using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Storage;

/// <summary>CSIDrivers: what a driver wants of the cluster.</summary>
internal sealed class CsiDriverStrategy() : KindStrategy(Of("storage.k8s.io", "v1", "csidrivers"))
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("attachRequired", true);
        spec.Default("podInfoOnMount", false);
        spec.Default("storageCapacity", false);
        spec.Default("fsGroupPolicy", "ReadWriteOnceWithFSType");
        if ((spec.Arr("volumeLifecycleModes")?.Count ?? 0) == 0)
            spec["volumeLifecycleModes"] = new JsonArray("Persistent");
        spec.Default("requiresRepublish", false);
        spec.Default("seLinuxMount", false);
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        if (spec.Has("fsGroupPolicy"))
            errors.Supported("spec.fsGroupPolicy", spec.Str("fsGroupPolicy"), "File", "None", "ReadWriteOnceWithFSType");
        var audiences = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, token) in spec.Items("tokenRequests"))
        {
            var at = new FieldPath("spec.tokenRequests").Index(i);
            if (!audiences.Add(token.Str("audience")))
                errors.Add(FieldError.Duplicate(at.Child("audience"), token.Str("audience")));
            else if (token.Num("expirationSeconds") is < 600 and var little)
                errors.Add(FieldError.Invalid(at.Child("expirationSeconds"), little, "may not specify a duration less than 10 minutes"));
            else if (token.Num("expirationSeconds") is > 1L << 32 and var much)
                errors.Add(FieldError.Invalid(at.Child("expirationSeconds"), much, "may not specify a duration larger than 2^32 seconds"));
        }

        foreach (var mode in spec.Strings("volumeLifecycleModes"))
            errors.Supported("spec.volumeLifecycleModes", mode, "Persistent", "Ephemeral");
        if (spec.Num("nodeAllocatableUpdatePeriodSeconds") is < 10 and var period)
            errors.Add(FieldError.Invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, "must be greater than or equal to 10 seconds"));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        errors.Unchanged("spec.attachedRequired", Spec(obj)["attachRequired"], Spec(old)["attachRequired"]);
        errors.Unchanged("spec.volumeLifecycleModes", Spec(obj)["volumeLifecycleModes"], Spec(old)["volumeLifecycleModes"]);
    }
}

/// <summary>CSINodes: the drivers of a node.</summary>
internal sealed class CsiNodeStrategy() : KindStrategy(Of("storage.k8s.io", "v1", "csinodes"))
{
    private const int MaxNodeId = 256;

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, driver) in Spec(obj).Items("drivers"))
        {
            var at = new FieldPath("spec.drivers").Index(i);
            VolumeSources.CsiDriver(errors, at.Child("name"), driver.Str("name"));
            var id = driver.Str("nodeID");
            if (id.Length == 0)
                errors.Add(FieldError.Required(at.Child("nodeID")));
            if (id.Length > MaxNodeId)
                errors.Add(FieldError.Invalid(at.Child("nodeID"), id, $"must be {MaxNodeId} characters or less"));
            errors.NonNegative(at.Child("allocatable", "count"), driver.Obj("allocatable").Num("count"));
            if (!names.Add(driver.Str("name")))
                errors.Add(FieldError.Duplicate(at.Child("name"), driver.Str("name")));
            var keys = new HashSet<string>(StringComparer.Ordinal);
            foreach (var key in driver.Strings("topologyKeys"))
            {
                if (key.Length == 0)
                    errors.Add(FieldError.Required(at));
                if (!keys.Add(key))
                    errors.Add(FieldError.Duplicate(at, key));
                errors.Rules(at, key, Names.QualifiedName(key));
            }
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        foreach (var (_, was) in Spec(old).Items("drivers"))
        {
            if (Spec(obj).Items("drivers").FirstOrDefault(d => d.Item.Str("name") == was.Str("name")).Item is not { } now)
                continue;
            var (a, b) = ((JsonObject)now.DeepClone(), (JsonObject)was.DeepClone());
            a.Remove("allocatable"); // KEP-4876: what fits on a node may change
            b.Remove("allocatable");
            if (!JsonNode.DeepEquals(a, b))
                errors.Add(FieldError.Invalid("spec.drivers", a, Check.Immutable));
        }
    }
}

/// <summary>CSIStorageCapacities: how much a driver can still make somewhere.</summary>
internal sealed class CsiStorageCapacityStrategy() : KindStrategy(Of("storage.k8s.io", "v1", "csistoragecapacities"))
{
    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        errors.LabelSelector("nodeTopology", obj.Obj("nodeTopology"));
        errors.Rules("storageClassName", obj.Str("storageClassName"), Names.Dns1123Subdomain(obj.Str("storageClassName")));
        if (Quantity.TryParse(obj.Str("capacity"), out var capacity) && capacity.Sign < 0)
            errors.Add(FieldError.Invalid("capacity", capacity.ToString(), Check.NonNegativeRule));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        errors.Unchanged("nodeTopology", obj["nodeTopology"], old["nodeTopology"]);
        errors.Unchanged("storageClassName", obj["storageClassName"], old["storageClassName"]);
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => StorageWarnings.Capacity(obj);
}

/// <summary>VolumeAttachments: a volume is to be attached to a node; the wish never changes.</summary>
internal sealed class VolumeAttachmentStrategy() : KindStrategy(Of("storage.k8s.io", "v1", "volumeattachments"), hasStatus: true)
{
    private const string Exactly = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        VolumeSources.CsiDriver(errors, "spec.attacher", spec.Str("attacher"));
        var source = spec.Obj("source");
        var (inline, name) = (source.Has("inlineVolumeSpec"), source.Has("persistentVolumeName"));
        if (!inline && !name)
            errors.Add(FieldError.Required("spec.source", Exactly));
        else if (inline && name)
            errors.Add(FieldError.Forbidden("spec.source", Exactly));
        else if (name && source.Str("persistentVolumeName").Length == 0)
            errors.Add(FieldError.Required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName"));
        else if (name)
            errors.Rules("spec.source.persistentVolumeName", source.Str("persistentVolumeName"), Names.Dns1123Subdomain(source.Str("persistentVolumeName")));
        errors.Rules("spec.nodeName", spec.Str("nodeName"), Names.Dns1123Subdomain(spec.Str("nodeName")));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("spec", obj["spec"], old["spec"]);
}
