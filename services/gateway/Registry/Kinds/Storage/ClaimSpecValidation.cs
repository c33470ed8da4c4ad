using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Storage;

/// <summary>Rules of a volume claim's spec: of claims, of StatefulSets' and of ephemeral volumes' templates.</summary>
internal static class ClaimSpecValidation
{
    internal static readonly string[] AccessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

    /// <summary>Rules of a spec; selectorRule: as in <see cref="Check.LabelSelector"/>.</summary>
    public static void Spec(List<FieldError> errors, FieldPath path, JsonObject spec, string? selectorRule = null)
    {
        if (spec.Strings("accessModes").Count == 0)
            errors.Add(FieldError.Required(path.Child("accessModes"), "at least 1 access mode is required"));
        errors.LabelSelector(path.Child("selector"), spec.Obj("selector"), selectorRule);
        Modes(errors, path.Child("accessModes"), spec);
        var at = path.Child("resources").Key("storage");
        if (spec.Obj("resources", "requests")?["storage"] is not { } storage)
            errors.Add(FieldError.Required(at));
        else if (!Quantity.TryParse(storage.ToString(), out var size) || size.Sign <= 0)
            errors.Add(FieldError.Invalid(at, storage.ToString(), "must be greater than zero"));
        if (spec.Str("storageClassName") is { Length: > 0 } name)
            errors.Rules(path.Child("storageClassName"), name, Names.Dns1123Subdomain(name));
        if (spec.Has("volumeMode"))
            errors.Supported(path.Child("volumeMode"), spec.Str("volumeMode"), "Block", "Filesystem");
        Sources(errors, path, spec);
        if (spec.Str("volumeAttributesClassName") is { Length: > 0 } attributes)
            errors.Rules(path.Child("volumeAttributesClassName"), attributes, Names.Dns1123Subdomain(attributes));
    }

    /// <summary>Access modes of claims and volumes: known ones, and the one for a single pod alone.</summary>
    public static void Modes(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var modes = spec.Strings("accessModes");
        foreach (var mode in modes.Where(static m => !AccessModes.Contains(m)))
            errors.Add(FieldError.NotSupported(path, mode, AccessModes));
        if (modes.Contains("ReadWriteOncePod") && modes.Any(static m => m != "ReadWriteOncePod" && AccessModes.Contains(m)))
            errors.Add(FieldError.Forbidden(path, "may not use ReadWriteOncePod with other access modes"));
    }

    private static void Sources(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        foreach (var field in new[] { "dataSource", "dataSourceRef" })
        {
            if (spec.Obj(field) is not { } source)
                continue;
            var at = path.Child(field);
            VolumeSources.Require(errors, at, source, "name");
            VolumeSources.Require(errors, at, source, "kind");
            var group = source.Str("apiGroup");
            if (group.Length == 0 && source.Str("kind") != "PersistentVolumeClaim")
                errors.Add(FieldError.Invalid(at, source.Str("kind"), "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
            var before = errors.Count;
            if (group.Length > 0)
                errors.Rules(at.Child("apiGroup"), group, Names.Dns1123Subdomain(group));
            errors.Name(before, Ratchet.SourceGroup);
            if (field == "dataSourceRef" && source.Str("namespace") is { Length: > 0 } ns)
                errors.Rules(at.Child("namespace"), ns, Names.Dns1123Label(ns));
        }

        if (spec.Obj("dataSource") is not { } old || spec.Obj("dataSourceRef") is not { } reference)
            return;
        if (reference.Str("namespace").Length > 0)
            errors.Add(FieldError.Invalid(path, path.Child("dataSource").ToString(), "may not be specified when dataSourceRef.namespace is specified"));
        else if (old.Str("kind") != reference.Str("kind") || old.Str("name") != reference.Str("name") || old.Str("apiGroup") != reference.Str("apiGroup"))
            errors.Add(FieldError.Invalid(path, path.Child("dataSource").ToString(), "must match dataSourceRef"));
    }
}
