using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of volumes whose files come from objects: secrets, config maps, fields of the pod.</summary>
internal static class FileVolumes
{
    private static readonly string[] DownwardPaths = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

    /// <summary>A secret or config map as a volume.</summary>
    public static void Keys(List<FieldError> errors, FieldPath at, JsonObject source, string nameField)
    {
        VolumeSources.Require(errors, at, source, nameField);
        Mode(errors, at.Child("defaultMode"), source.Num("defaultMode"));
        foreach (var (i, item) in source.Items("items"))
            KeyToPath(errors, at.Child("items").Index(i), item);
    }

    /// <summary>Fields of the pod as a volume; errors of items are reported on the volume, as in Kubernetes.</summary>
    public static void Downward(List<FieldError> errors, FieldPath at, JsonObject source)
    {
        Mode(errors, at.Child("defaultMode"), source.Num("defaultMode"));
        foreach (var (_, item) in source.Items("items"))
            DownwardFile(errors, at, item);
    }

    public static void DownwardFile(List<FieldError> errors, FieldPath at, JsonObject item)
    {
        if (item.Str("path").Length == 0)
            errors.Add(FieldError.Required(at.Child("path")));
        VolumeValidation.LocalPath(errors, at.Child("path"), item.Str("path"));
        if (item.Obj("fieldRef") is { } field)
        {
            EnvValidation.FieldReference(errors, at.Child("fieldRef"), field, DownwardPaths);
            if (item.Has("resourceFieldRef"))
                errors.Add(FieldError.Invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
        }
        else if (item.Obj("resourceFieldRef") is { } resource)
        {
            EnvValidation.ResourceReference(errors, at.Child("resourceFieldRef"), resource, volume: true);
        }
        else
        {
            errors.Add(FieldError.Required(at, "one of fieldRef and resourceFieldRef is required"));
        }

        Mode(errors, at.Child("mode"), item.Num("mode"));
    }

    public static void KeyToPath(List<FieldError> errors, FieldPath at, JsonObject item)
    {
        if (item.Str("key").Length == 0)
            errors.Add(FieldError.Required(at.Child("key")));
        if (item.Str("path").Length == 0)
            errors.Add(FieldError.Required(at.Child("path")));
        VolumeValidation.LocalPath(errors, at.Child("path"), item.Str("path"));
        Mode(errors, at.Child("mode"), item.Num("mode"));
    }

    public static void Mode(List<FieldError> errors, FieldPath at, long? mode)
    {
        if (mode is < 0 or > 511)
            errors.Add(FieldError.Invalid(at, mode, "must be a number between 0 and 0777 (octal), both inclusive"));
    }
}
