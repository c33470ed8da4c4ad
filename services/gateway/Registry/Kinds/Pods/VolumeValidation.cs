using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of a pod's volumes.</summary>
internal static class VolumeValidation
{
    private static readonly string[] HostPathTypes = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    private static readonly string[] DownwardPaths = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

    /// <summary>Checks the volumes and answers them by name.</summary>
    public static IReadOnlyDictionary<string, JsonObject> All(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var byName = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var (i, volume) in spec.Items("volumes"))
        {
            var at = path.Index(i);
            var name = volume.Str("name");
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else
                errors.Rules(at.Child("name"), name, Names.Dns1123Label(name));
            if (name.Length > 0 && !byName.TryAdd(name, volume))
                errors.Add(FieldError.Duplicate(at.Child("name"), name));
            Source(errors, at, volume);
        }

        return byName;
    }

    /// <summary>A path that stays inside: not absolute, no "..".</summary>
    public static void RelativePath(List<FieldError> errors, FieldPath path, string value)
    {
        if (value.StartsWith('/'))
            errors.Add(FieldError.Invalid(path, value, "must be a relative path"));
        if (value.Split('/').Contains(".."))
            errors.Add(FieldError.Invalid(path, value, "must not contain '..'"));
    }

    private static void Source(List<FieldError> errors, FieldPath at, JsonObject volume)
    {
        var sources = volume.Where(p => p.Key != "name" && p.Value is not null).Select(p => p.Key).ToList();
        if (sources.Count == 0)
            errors.Add(FieldError.Required(at, "must specify a volume type"));
        foreach (var extra in sources.Skip(1))
            errors.Add(FieldError.Forbidden(at.Child(extra), "may not specify more than 1 volume type"));

        if (volume.Obj("emptyDir") is { } empty && empty["sizeLimit"] is { } size)
            ResourceValidation.Amount(errors, at.Child("emptyDir", "sizeLimit"), "sizeLimit", size.ToString());
        if (volume.Obj("hostPath") is { } host)
            HostPath(errors, at.Child("hostPath"), host);
        if (volume.Obj("secret") is { } secret)
        {
            if (secret.Str("secretName").Length == 0)
                errors.Add(FieldError.Required(at.Child("secret", "secretName")));
            KeysToPaths(errors, at.Child("secret"), secret);
        }

        if (volume.Obj("configMap") is { } config)
        {
            if (config.Str("name").Length == 0)
                errors.Add(FieldError.Required(at.Child("configMap", "name")));
            KeysToPaths(errors, at.Child("configMap"), config);
        }

        if (volume.Obj("persistentVolumeClaim") is { } claim && claim.Str("claimName").Length == 0)
            errors.Add(FieldError.Required(at.Child("persistentVolumeClaim", "claimName")));
        if (volume.Obj("downwardAPI") is { } downward)
            Downward(errors, at.Child("downwardAPI"), downward);
        if (volume.Obj("projected") is { } projected)
            Projected(errors, at.Child("projected"), projected);
        if (volume.Obj("nfs") is { } nfs)
        {
            if (nfs.Str("server").Length == 0)
                errors.Add(FieldError.Required(at.Child("nfs", "server")));
            if (nfs.Str("path").Length == 0)
                errors.Add(FieldError.Required(at.Child("nfs", "path")));
            else if (!nfs.Str("path").StartsWith('/'))
                errors.Add(FieldError.Invalid(at.Child("nfs", "path"), nfs.Str("path"), "must be an absolute path"));
        }

        if (volume.Obj("csi") is { } csi && csi.Str("driver").Length == 0)
            errors.Add(FieldError.Required(at.Child("csi", "driver")));
    }

    private static void HostPath(List<FieldError> errors, FieldPath at, JsonObject host)
    {
        var path = host.Str("path");
        if (path.Length == 0)
        {
            errors.Add(FieldError.Required(at.Child("path")));
            return;
        }

        if (path.Split('/').Contains(".."))
            errors.Add(FieldError.Invalid(at.Child("path"), path, "must not contain '..'"));
        if (!HostPathTypes.Contains(host.Str("type")))
            errors.Add(FieldError.NotSupported(at.Child("type"), host.Str("type"), HostPathTypes));
    }

    private static void KeysToPaths(List<FieldError> errors, FieldPath at, JsonObject source)
    {
        Mode(errors, at.Child("defaultMode"), source.Num("defaultMode"));
        foreach (var (i, item) in source.Items("items"))
        {
            var path = at.Child("items").Index(i);
            if (item.Str("key").Length == 0)
                errors.Add(FieldError.Required(path.Child("key")));
            LocalPath(errors, path.Child("path"), item.Str("path"));
            Mode(errors, path.Child("mode"), item.Num("mode"));
        }
    }

    private static void Downward(List<FieldError> errors, FieldPath at, JsonObject source)
    {
        Mode(errors, at.Child("defaultMode"), source.Num("defaultMode"));
        foreach (var (i, item) in source.Items("items"))
        {
            var path = at.Child("items").Index(i);
            LocalPath(errors, path.Child("path"), item.Str("path"));
            if (item.Obj("fieldRef") is { } field)
            {
                ContainerValidation.FieldReference(errors, path.Child("fieldRef"), field, DownwardPaths);
                if (item.Has("resourceFieldRef"))
                    errors.Add(FieldError.Invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
            }
            else if (!item.Has("resourceFieldRef"))
            {
                errors.Add(FieldError.Required(path.Child("fieldRef"), "one of fieldRef and resourceFieldRef is required"));
            }
        }
    }

    private static void Projected(List<FieldError> errors, FieldPath at, JsonObject projected)
    {
        Mode(errors, at.Child("defaultMode"), projected.Num("defaultMode"));
        foreach (var (i, source) in projected.Items("sources"))
        {
            var path = at.Child("sources").Index(i);
            foreach (var extra in source.Where(p => p.Value is not null).Skip(1))
                errors.Add(FieldError.Forbidden(path.Child(extra.Key), "may not specify more than 1 volume type per source"));
            foreach (var name in new[] { "secret", "configMap" })
            {
                if (source.Obj(name) is not { } reference)
                    continue;
                if (reference.Str("name").Length == 0)
                    errors.Add(FieldError.Required(path.Child(name, "name")));
                KeysToPaths(errors, path.Child(name), reference);
            }

            if (source.Obj("downwardAPI") is { } downward)
                Downward(errors, path.Child("downwardAPI"), downward);
            if (source.Obj("serviceAccountToken") is { } token)
            {
                if (token.Num("expirationSeconds") < 600)
                    errors.Add(FieldError.Invalid(path.Child("serviceAccountToken", "expirationSeconds"), token.Num("expirationSeconds"), "may not specify a duration less than 10 minutes"));
                if (token.Str("path").Length == 0)
                    errors.Add(FieldError.Required(path.Child("serviceAccountToken", "path")));
            }
        }
    }

    private static void LocalPath(List<FieldError> errors, FieldPath at, string path)
    {
        if (path.Length == 0)
            errors.Add(FieldError.Required(at));
        RelativePath(errors, at, path);
        if (path.StartsWith("..", StringComparison.Ordinal) && !path.StartsWith("../", StringComparison.Ordinal) && path != "..")
            errors.Add(FieldError.Invalid(at, path, "must not start with '..'"));
    }

    private static void Mode(List<FieldError> errors, FieldPath at, long? mode)
    {
        if (mode is < 0 or > 511)
            errors.Add(FieldError.Invalid(at, mode, "must be a number between 0 and 0777 (octal), both inclusive"));
    }
}
