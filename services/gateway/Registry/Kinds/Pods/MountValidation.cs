using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of the places where volumes appear in containers. The paths of some errors lack the place in the list, as in Kubernetes.</summary>
internal static class MountValidation
{
    public static void Mounts(List<FieldError> errors, FieldPath path, JsonObject container, IReadOnlyDictionary<string, JsonObject> volumes)
    {
        HashSet<string>? paths = null;
        foreach (var (i, mount) in container.Items("volumeMounts"))
        {
            var at = path.Index(i);
            var (name, target) = (mount.Str("name"), mount.Str("mountPath"));
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            if (!volumes.TryGetValue(name, out var volume))
                errors.Add(FieldError.NotFound(at.Child("name"), name));
            if (target.Length == 0)
                errors.Add(FieldError.Required(at.Child("mountPath")));
            if (!(paths ??= new(StringComparer.Ordinal)).Add(target))
                errors.Add(FieldError.Invalid(at.Child("mountPath"), target, "must be unique"));
            foreach (var (_, device) in container.Items("volumeDevices"))
            {
                if (device.Str("name") == name)
                    errors.Add(FieldError.Invalid(at.Child("name"), name, "must not already exist in volumeDevices"));
                if (device.Str("devicePath") == target)
                    errors.Add(FieldError.Invalid(at.Child("mountPath"), target, "must not already exist as a path in volumeDevices"));
            }

            SubPaths(errors, path, at, mount);
            Propagation(errors, path.Child("mountPropagation"), mount, container);
            RecursiveReadOnly(errors, path.Child("recursiveReadOnly"), mount);
        }
    }

    public static void Devices(List<FieldError> errors, FieldPath path, JsonObject container, IReadOnlyDictionary<string, JsonObject> volumes)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, device) in container.Items("volumeDevices"))
        {
            var at = path.Index(i);
            var (name, target) = (device.Str("name"), device.Str("devicePath"));
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else if (!names.Add(name))
                errors.Add(FieldError.Invalid(at.Child("name"), name, "must be unique"));
            if (!volumes.TryGetValue(name, out var volume))
                errors.Add(FieldError.NotFound(at.Child("name"), name));
            else if (!volume.Has("persistentVolumeClaim") && !volume.Has("ephemeral"))
                errors.Add(FieldError.Invalid(at.Child("name"), name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"));
            if (target.Length == 0)
                errors.Add(FieldError.Required(at.Child("devicePath")));
            if (target.Split('/').Contains(".."))
                errors.Add(FieldError.Invalid(at.Child("devicePath"), target, "can not contain backsteps ('..')"));
            else if (!paths.Add(target))
                errors.Add(FieldError.Invalid(at.Child("devicePath"), target, "must be unique"));
            foreach (var (_, mount) in container.Items("volumeMounts"))
            {
                if (mount.Str("name") == name)
                    errors.Add(FieldError.Invalid(at.Child("name"), name, "must not already exist in volumeMounts"));
                if (mount.Str("mountPath") == target)
                    errors.Add(FieldError.Invalid(at.Child("devicePath"), target, "must not already exist as a path in volumeMounts"));
            }
        }
    }

    private static void SubPaths(List<FieldError> errors, FieldPath path, FieldPath at, JsonObject mount)
    {
        var (plain, expression) = (mount.Str("subPath"), mount.Str("subPathExpr"));
        if (plain.Length > 0)
            VolumeValidation.RelativePath(errors, path.Child("subPath"), plain);
        if (expression.Length == 0)
            return;
        if (plain.Length > 0)
            errors.Add(FieldError.Invalid(at.Child("subPathExpr"), expression, "subPathExpr and subPath are mutually exclusive"));
        VolumeValidation.RelativePath(errors, path.Child("subPathExpr"), expression);
    }

    private static void Propagation(List<FieldError> errors, FieldPath path, JsonObject mount, JsonObject container)
    {
        if (!mount.Has("mountPropagation"))
            return;
        var mode = mount.Str("mountPropagation");
        if (mode is not ("Bidirectional" or "HostToContainer" or "None"))
            errors.Add(FieldError.NotSupported(path, mode, "Bidirectional", "HostToContainer", "None"));
        if (mode == "Bidirectional" && !container.Obj("securityContext").Bool("privileged"))
            errors.Add(FieldError.Forbidden(path, "Bidirectional mount propagation is available only to privileged containers"));
    }

    private static void RecursiveReadOnly(List<FieldError> errors, FieldPath path, JsonObject mount)
    {
        switch (mount.Str("recursiveReadOnly"))
        {
            case "" when !mount.Has("recursiveReadOnly"):
            case "Disabled":
                break;
            case "Enabled" or "IfPossible":
                if (!mount.Bool("readOnly"))
                    errors.Add(FieldError.Forbidden(path, "may only be specified when readOnly is true"));
                if (mount.Str("mountPropagation") is not ("" or "None"))
                    errors.Add(FieldError.Forbidden(path, "may only be specified when mountPropagation is None or not specified"));
                break;
            default:
                errors.Add(FieldError.NotSupported(path, mount.Str("recursiveReadOnly"), "Disabled", "Enabled", "IfPossible"));
                break;
        }
    }
}
