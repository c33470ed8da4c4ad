using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Storage;

/// <summary>What a PersistentVolume can be made of: exactly one type, in the order in which Kubernetes looks for them.</summary>
internal static class PersistentVolumeSources
{
    private static readonly PodScope NoPod = new([], pod: false);

    private static readonly VolumeSource[] All =
    [
        new("hostPath", "hostPath", static (e, at, s, _) => VolumeSources.HostPath(e, at, s)),
        new("gcePersistentDisk", "persistentDisk", static (e, at, s, _) => VolumeSources.Disk(e, at, s, "pdName")),
        new("awsElasticBlockStore", "awsElasticBlockStore", static (e, at, s, _) => VolumeSources.Disk(e, at, s, "volumeID")),
        VolumeSources.Needs("glusterfs", "endpoints", "path"),
        new("flocker", "flocker", static (e, at, s, _) => VolumeSources.Flocker(e, at, s)),
        new("nfs", "nfs", static (e, at, s, _) => VolumeSources.Nfs(e, at, s)),
        VolumeSources.Needs("rbd", "monitors", "image"),
        new("quobyte", "quobyte", static (e, at, s, _) => VolumeSources.Quobyte(e, at, s)),
        VolumeSources.Needs("cephfs", "monitors"),
        new("iscsi", "iscsi", static (e, at, s, _) => VolumeSources.Iscsi(e, at, s)),
        VolumeSources.Needs("cinder", "volumeID"),
        new("fc", "fc", static (e, at, s, _) => VolumeSources.FibreChannel(e, at, s)),
        new("flexVolume", "flexVolume", static (e, at, s, _) => VolumeSources.Flex(e, at, s)),
        VolumeSources.Needs("azureFile", "secretName", "shareName"),
        VolumeSources.Needs("vsphereVolume", "volumePath"),
        VolumeSources.Needs("photonPersistentDisk", "pdID"),
        VolumeSources.Needs("portworxVolume", "volumeID"),
        new("azureDisk", "azureDisk", static (e, at, s, _) => VolumeSources.AzureDisk(e, at, s)),
        VolumeSources.Needs("scaleIO", "gateway", "system", "volumeName"),
        new("local", "local", static (e, at, s, _) => Local(e, at, s)),
        new("storageos", "storageos", static (e, at, s, _) => VolumeSources.StorageOs(e, at, s)),
        new("csi", "csi", static (e, at, s, _) => Csi(e, at, s)),
    ];

    public static void Check(List<FieldError> errors, FieldPath path, JsonObject spec, string name)
    {
        var given = 0;
        foreach (var source in All)
        {
            if (spec.Obj(source.Field) is not { } value)
                continue;
            if (given++ > 0)
                errors.Add(FieldError.Forbidden(path.Child(source.Field), "may not specify more than 1 volume type"));
            else
                source.Check(errors, path.Child(source.Path), value, NoPod);
        }

        if (spec.Has("local") && !spec.Has("nodeAffinity"))
            errors.Add(FieldError.Required(path.Child("nodeAffinity"), "Local volume requires node affinity"));
        if (spec.Obj("iscsi") is { } iscsi && iscsi.Has("initiatorName") && (name + ":" + iscsi.Str("targetPortal")).Length > 64)
        {
            errors.Add(FieldError.Invalid(
                path.Child("iscsi", "targetportal"), iscsi.Str("targetPortal"), "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."));
        }

        if (given == 0)
            errors.Add(FieldError.Required(path, "must specify a volume type"));
        if (spec.Str("persistentVolumeReclaimPolicy") == "Recycle" && spec.Obj("hostPath") is { } host && host.Str("path").Trim('/', '.').Length == 0 && host.Str("path").StartsWith('/'))
            errors.Add(FieldError.Forbidden(path.Child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'"));
    }

    /// <summary>The sources of a spec, without what may be added to them later (a secret for expansion).</summary>
    public static JsonObject Only(JsonObject spec, JsonObject was)
    {
        var only = new JsonObject();
        foreach (var source in All)
        {
            if (spec[source.Field] is { } value)
                only[source.Field] = value.DeepClone();
        }

        if (was.Obj("csi") is { } csi && !csi.Has("controllerExpandSecretRef"))
            only.Obj("csi")?.Remove("controllerExpandSecretRef");
        return only;
    }

    private static void Local(List<FieldError> errors, FieldPath at, JsonObject local)
    {
        if (local.Str("path").Length == 0)
            errors.Add(FieldError.Required(at.Child("path")));
        else
            VolumeValidation.NoBacksteps(errors, at.Child("path"), local.Str("path"));
    }

    private static void Csi(List<FieldError> errors, FieldPath at, JsonObject csi)
    {
        VolumeSources.CsiDriver(errors, at.Child("driver"), csi.Str("driver"));
        VolumeSources.Require(errors, at, csi, "volumeHandle");
        foreach (var field in new[] { "controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef" })
        {
            if (csi.Obj(field) is not { } secret)
                continue;
            if (secret.Str("name").Length == 0)
                errors.Add(FieldError.Required(at.Child(field, "name")));
            else
                errors.Rules(at.Child(field, "name"), secret.Str("name"), Names.Dns1123Subdomain(secret.Str("name")));
            if (secret.Str("namespace").Length == 0)
                errors.Add(FieldError.Required(at.Child(field, "namespace")));
            else
                errors.Rules(at.Child(field, "namespace"), secret.Str("namespace"), Names.Dns1123Label(secret.Str("namespace")));
        }
    }
}
