using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>One type of volume: its field, the name its errors are reported under, its rules.</summary>
internal sealed record VolumeSource(string Field, string Path, Action<List<FieldError>, FieldPath, JsonObject, PodScope> Check);

/// <summary>Rules of every type of volume, in the order in which Kubernetes looks for them.</summary>
internal static partial class VolumeSources
{
    private static readonly string[] HostPathTypes = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

    /// <summary>What a pod's volume can be.</summary>
    public static VolumeSource[] OfPods { get; } =
    [
        new("emptyDir", "emptyDir", EmptyDir),
        new("hostPath", "hostPath", static (e, at, s, _) => HostPath(e, at, s)),
        new("gitRepo", "gitRepo", GitRepo),
        new("gcePersistentDisk", "persistentDisk", static (e, at, s, _) => Disk(e, at, s, "pdName")),
        new("awsElasticBlockStore", "awsElasticBlockStore", static (e, at, s, _) => Disk(e, at, s, "volumeID")),
        new("secret", "secret", static (e, at, s, _) => FileVolumes.Keys(e, at, s, "secretName")),
        new("nfs", "nfs", static (e, at, s, _) => Nfs(e, at, s)),
        new("iscsi", "iscsi", static (e, at, s, _) => Iscsi(e, at, s)),
        Needs("glusterfs", "endpoints", "path"),
        new("flocker", "flocker", static (e, at, s, _) => Flocker(e, at, s)),
        Needs("persistentVolumeClaim", "claimName"),
        Needs("rbd", "monitors", "image"),
        Needs("cinder", "volumeID"),
        Needs("cephfs", "monitors"),
        new("quobyte", "quobyte", static (e, at, s, _) => Quobyte(e, at, s)),
        new("downwardAPI", "downwardAPI", static (e, at, s, _) => FileVolumes.Downward(e, at, s)),
        new("fc", "fc", static (e, at, s, _) => FibreChannel(e, at, s)),
        new("flexVolume", "flexVolume", static (e, at, s, _) => Flex(e, at, s)),
        new("configMap", "configMap", static (e, at, s, _) => FileVolumes.Keys(e, at, s, "name")),
        Needs("azureFile", "secretName", "shareName"),
        Needs("vsphereVolume", "volumePath"),
        Needs("photonPersistentDisk", "pdID"),
        Needs("portworxVolume", "volumeID"),
        new("azureDisk", "azureDisk", static (e, at, s, _) => AzureDisk(e, at, s)),
        new("storageos", "storageos", static (e, at, s, _) => StorageOs(e, at, s)),
        new("projected", "projected", static (e, at, s, _) => ProjectedVolumes.Check(e, at, s)),
        Needs("scaleIO", "gateway", "system", "volumeName"),
        new("csi", "csi", Csi),
        new("ephemeral", "ephemeral", Ephemeral),
        new("image", "image", Image),
    ];

    /// <summary>Type whose only rule is that some fields are there.</summary>
    public static VolumeSource Needs(string field, params string[] required) => new(field, field, (errors, at, source, _) =>
    {
        foreach (var name in required)
            Require(errors, at, source, name);
    });

    public static void HostPath(List<FieldError> errors, FieldPath at, JsonObject host)
    {
        var path = host.Str("path");
        if (path.Length == 0)
        {
            errors.Add(FieldError.Required(at.Child("path")));
            return;
        }

        VolumeValidation.NoBacksteps(errors, at.Child("path"), path);
        if (!HostPathTypes.Contains(host.Str("type")))
            errors.Add(FieldError.NotSupported(at.Child("type"), host.Str("type"), HostPathTypes));
    }

    public static void Nfs(List<FieldError> errors, FieldPath at, JsonObject nfs)
    {
        Require(errors, at, nfs, "server");
        Require(errors, at, nfs, "path");
        if (!nfs.Str("path").StartsWith('/'))
            errors.Add(FieldError.Invalid(at.Child("path"), nfs.Str("path"), "must be an absolute path"));
    }

    public static void Disk(List<FieldError> errors, FieldPath at, JsonObject disk, string id)
    {
        Require(errors, at, disk, id);
        if (disk.Num("partition") is { } partition and (< 0 or > 255))
            errors.Add(FieldError.Invalid(at.Child("partition"), partition, "must be between 1 and 255, inclusive"));
    }

    public static void Iscsi(List<FieldError> errors, FieldPath at, JsonObject iscsi)
    {
        Require(errors, at, iscsi, "targetPortal");
        if (iscsi.Str("iqn").Length == 0)
            errors.Add(FieldError.Required(at.Child("iqn")));
        else
            QualifiedTarget(errors, at.Child("iqn"), iscsi.Str("iqn"));
        if (iscsi.Num("lun") is { } lun and (< 0 or > 255))
            errors.Rules(at.Child("lun"), lun, Names.InRange(lun, 0, 255));
        if ((iscsi.Bool("chapAuthDiscovery") || iscsi.Bool("chapAuthSession")) && !iscsi.Has("secretRef"))
            errors.Add(FieldError.Required(at.Child("secretRef")));
        if (iscsi.Has("initiatorName"))
            QualifiedTarget(errors, at.Child("initiatorname"), iscsi.Str("initiatorName"));
    }

    public static void Flocker(List<FieldError> errors, FieldPath at, JsonObject flocker)
    {
        var (name, id) = (flocker.Str("datasetName"), flocker.Str("datasetUUID"));
        if (name.Length == 0 && id.Length == 0)
            errors.Add(FieldError.Required(at, "one of datasetName and datasetUUID is required"));
        if (name.Length > 0 && id.Length > 0)
            errors.Add(FieldError.Invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
        if (name.Contains('/'))
            errors.Add(FieldError.Invalid(at.Child("datasetName"), name, "must not contain '/'"));
    }

    public static void Quobyte(List<FieldError> errors, FieldPath at, JsonObject quobyte)
    {
        const string Rule = "must be a host:port pair or multiple pairs separated by commas";
        var registry = quobyte.Str("registry");
        if (registry.Length == 0)
            errors.Add(FieldError.Required(at.Child("registry"), Rule));
        else if (quobyte.Str("tenant").Length >= 65)
            errors.Add(FieldError.Required(at.Child("tenant"), "must be a UUID and may not exceed a length of 64 characters"));
        else if (registry.Split(',').Any(static p => !p.Contains(':')))
            errors.Add(FieldError.Invalid(at.Child("registry"), registry, Rule));
        Require(errors, at, quobyte, "volume");
    }

    public static void FibreChannel(List<FieldError> errors, FieldPath at, JsonObject fc)
    {
        var (names, ids) = (fc.Strings("targetWWNs"), fc.Strings("wwids"));
        if (names.Count == 0 && ids.Count == 0)
            errors.Add(FieldError.Required(at.Child("targetWWNs"), "must specify either targetWWNs or wwids, but not both"));
        if (names.Count > 0 && ids.Count > 0)
            errors.Add(FieldError.Invalid(at.Child("targetWWNs"), names, "targetWWNs and wwids can not be specified simultaneously"));
        if (names.Count == 0)
            return;
        if (fc.Num("lun") is not { } lun)
            errors.Add(FieldError.Required(at.Child("lun"), "lun is required if targetWWNs is specified"));
        else
            errors.Rules(at.Child("lun"), lun, Names.InRange(lun, 0, 255));
    }

    public static void Flex(List<FieldError> errors, FieldPath at, JsonObject flex)
    {
        Require(errors, at, flex, "driver");
        foreach (var (key, _) in flex.Obj("options") ?? [])
        {
            var domain = "." + (key.IndexOf('/') is >= 0 and var slash ? key[..slash] : key).ToLowerInvariant();
            if (domain.EndsWith(".kubernetes.io", StringComparison.Ordinal) || domain.EndsWith(".k8s.io", StringComparison.Ordinal))
                errors.Add(FieldError.Invalid(at.Child("options").Key(key), key, "kubernetes.io and k8s.io namespaces are reserved"));
        }
    }

    public static void AzureDisk(List<FieldError> errors, FieldPath at, JsonObject disk)
    {
        Require(errors, at, disk, "diskName");
        Require(errors, at, disk, "diskURI");
        errors.OptionalOneOf(at.Child("cachingMode"), disk.Str("cachingMode"), "None", "ReadOnly", "ReadWrite");
        errors.OptionalOneOf(at.Child("kind"), disk.Str("kind"), "Dedicated", "Managed", "Shared");
        var (kind, uri) = (disk.Str("kind"), disk.Str("diskURI"));
        if (kind == "Managed" && !uri.StartsWith("/subscriptions/", StringComparison.Ordinal))
        {
            errors.Add(FieldError.NotSupported(
                at.Child("diskURI"), uri, "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"));
        }
        else if (kind is not ("Managed" or "") && !uri.StartsWith("https://", StringComparison.Ordinal))
        {
            errors.Add(FieldError.NotSupported(at.Child("diskURI"), uri, "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"));
        }
    }

    public static void StorageOs(List<FieldError> errors, FieldPath at, JsonObject source)
    {
        if (source.Str("volumeName").Length == 0)
            errors.Add(FieldError.Required(at.Child("volumeName")));
        else
            errors.Rules(at.Child("volumeName"), source.Str("volumeName"), Names.Dns1123Label(source.Str("volumeName")));
        if (source.Str("volumeNamespace") is { Length: > 0 } ns)
            errors.Rules(at.Child("volumeNamespace"), ns, Names.Dns1123Label(ns));
    }

    /// <summary>The name of a CSI driver.</summary>
    public static void CsiDriver(List<FieldError> errors, FieldPath at, string driver)
    {
        if (driver.Length == 0)
            errors.Add(FieldError.Required(at));
        if (driver.Length > Names.LabelMaxLength)
            errors.Add(FieldError.TooLong(at, Names.LabelMaxLength));
        errors.Rules(at, driver, Names.Dns1123Subdomain(driver.ToLowerInvariant()));
    }

    /// <summary>A field that must not be empty.</summary>
    public static void Require(List<FieldError> errors, FieldPath at, JsonObject source, string field)
    {
        if (source[field] is null or JsonArray { Count: 0 } || (source[field] is JsonValue && source.Str(field).Length == 0))
            errors.Add(FieldError.Required(at.Child(field)));
    }

    private static void EmptyDir(List<FieldError> errors, FieldPath at, JsonObject source, PodScope scope)
    {
        if (source["sizeLimit"] is { } limit && (!Quantity.TryParse(limit.ToString(), out var size) || size.Sign < 0))
            errors.Add(FieldError.Forbidden(at.Child("sizeLimit"), "SizeLimit field must be a valid resource quantity"));
    }

    private static void GitRepo(List<FieldError> errors, FieldPath at, JsonObject source, PodScope scope)
    {
        Require(errors, at, source, "repository");
        VolumeValidation.RelativePath(errors, at.Child("directory"), source.Str("directory"));
    }

    private static void Csi(List<FieldError> errors, FieldPath at, JsonObject source, PodScope scope)
    {
        CsiDriver(errors, at.Child("driver"), source.Str("driver"));
        if (source.Obj("nodePublishSecretRef") is not { } secret)
            return;
        if (secret.Str("name").Length == 0)
            errors.Add(FieldError.Required(at.Child("nodePublishSecretRef", "name")));
        else
            errors.Rules(at.Child("name"), secret.Str("name"), Names.Dns1123Subdomain(secret.Str("name")));
    }

    private static void Ephemeral(List<FieldError> errors, FieldPath at, JsonObject source, PodScope scope)
    {
        var path = at.Child("volumeClaimTemplate");
        if (source.Obj("volumeClaimTemplate") is not { } template)
        {
            errors.Add(FieldError.Required(path));
            return;
        }

        var meta = template.Obj("metadata");
        errors.Annotations(path.Child("metadata", "annotations"), meta.Obj("annotations"));
        errors.Labels(path.Child("metadata", "labels"), meta.Obj("labels"));
        foreach (var (field, value) in meta ?? [])
        {
            if (field is not ("annotations" or "labels" or "creationTimestamp") && value is not null)
                errors.Add(FieldError.Forbidden(path.Child("metadata", field), "cannot be set"));
        }

        Storage.ClaimSpecValidation.Spec(errors, path.Child("spec"), template.Obj("spec") ?? []);
    }

    private static void Image(List<FieldError> errors, FieldPath at, JsonObject source, PodScope scope)
    {
        if (scope.IsPod)
            Require(errors, at, source, "reference");
        errors.OneOf(at.Child("pullPolicy"), source.Str("pullPolicy"), "Always", "IfNotPresent", "Never");
    }

    private static void QualifiedTarget(List<FieldError> errors, FieldPath at, string name)
    {
        var form = name.StartsWith("iqn", StringComparison.Ordinal) ? Iqn() : name.StartsWith("eui", StringComparison.Ordinal) ? Eui()
            : name.StartsWith("naa", StringComparison.Ordinal) ? Naa() : null;
        if (form is null)
            errors.Add(FieldError.Invalid(at, name, "must be valid format starting with iqn, eui, or naa"));
        else if (!form.IsMatch(name))
            errors.Add(FieldError.Invalid(at, name, "must be valid format"));
    }

    // The three spellings of iSCSI names (RFC 3720, 3.2.6).
    [GeneratedRegex(@"iqn\.[0-9]{4}-[0-9]{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Iqn();

    [GeneratedRegex("^eui.[A-Za-z0-9]{16}$", RegexOptions.CultureInvariant)]
    private static partial Regex Eui();

    [GeneratedRegex("^naa.[A-Za-z0-9]{32}$", RegexOptions.CultureInvariant)]
    private static partial Regex Naa();
}
