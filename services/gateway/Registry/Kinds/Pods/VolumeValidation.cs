using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of a pod's volumes: their names, that each has one source, and what paths look like. The sources are in <see cref="VolumeSources"/>.</summary>
internal static class VolumeValidation
{
    /// <summary>Checks the volumes; the well-formed ones are then in the scope by name.</summary>
    public static void All(List<FieldError> errors, FieldPath path, PodScope scope)
    {
        var spec = scope.Spec;
        HashSet<string>? madeClaims = null;
        if (scope.PodName.Length > 0)
        {
            foreach (var (_, volume) in spec.Items("volumes"))
            {
                if (volume.Has("ephemeral"))
                    (madeClaims ??= new(StringComparer.Ordinal)).Add(scope.PodName + "-" + volume.Str("name"));
            }
        }

        foreach (var (i, volume) in spec.Items("volumes"))
        {
            var at = path.Index(i);
            var before = errors.Count;
            Source(errors, at, volume, scope);
            var name = volume.Str("name");
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else
                errors.Rules(at.Child("name"), name, Names.Dns1123Label(name));
            if (scope.Volumes.ContainsKey(name))
                errors.Add(FieldError.Duplicate(at.Child("name"), name));
            if (errors.Count == before)
                scope.Volumes[name] = volume;
            if (madeClaims is not null && volume.Obj("persistentVolumeClaim").Str("claimName") is { Length: > 0 } claim && madeClaims.Contains(claim))
            {
                errors.Add(FieldError.Invalid(
                    at.Child("persistentVolumeClaim", "claimName"), claim, "must not reference a PVC that gets created for an ephemeral volume"));
            }
        }
    }

    /// <summary>A path that stays inside: not absolute, no "..".</summary>
    public static void RelativePath(List<FieldError> errors, FieldPath path, string value)
    {
        if (value.StartsWith('/'))
            errors.Add(FieldError.Invalid(path, value, "must be a relative path"));
        NoBacksteps(errors, path, value);
    }

    /// <summary>A path without ".." between its slashes.</summary>
    public static void NoBacksteps(List<FieldError> errors, FieldPath path, string value)
    {
        if (value.Contains("..", StringComparison.Ordinal) && value.Split('/').Contains(".."))
            errors.Add(FieldError.Invalid(path, value, "must not contain '..'"));
    }

    /// <summary>A relative path that does not begin with "..", which is how a node's own files begin.</summary>
    public static void LocalPath(List<FieldError> errors, FieldPath path, string value)
    {
        RelativePath(errors, path, value);
        if (value.StartsWith("..", StringComparison.Ordinal) && !value.StartsWith("../", StringComparison.Ordinal))
            errors.Add(FieldError.Invalid(path, value, "must not start with '..'"));
    }

    private static void Source(List<FieldError> errors, FieldPath at, JsonObject volume, PodScope scope)
    {
        var given = 0;
        foreach (var source in VolumeSources.OfPods)
        {
            if (volume.Obj(source.Field) is not { } value)
                continue;
            if (given++ > 0)
                errors.Add(FieldError.Forbidden(at.Child(source.Field), "may not specify more than 1 volume type"));
            else
                source.Check(errors, at.Child(source.Path), value, scope);
        }

        if (volume.Obj("iscsi") is { } iscsi && iscsi.Has("initiatorName") && (volume.Str("name") + ":" + iscsi.Str("targetPortal")).Length > 64)
        {
            errors.Add(FieldError.Invalid(
                at.Child("name"), volume.Str("name"), "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."));
        }

        if (volume.Has("ephemeral") && scope.PodName.Length > 0 && volume.Str("name").Length > 0)
        {
            var claim = scope.PodName + "-" + volume.Str("name");
            foreach (var rule in Names.Dns1123Subdomain(claim))
                errors.Add(FieldError.Invalid(at.Child("name"), volume.Str("name"), $"PVC name {GoText.Quote(claim)}: {rule}"));
        }

        if (given == 0)
            errors.Add(FieldError.Required(at, "must specify a volume type"));
    }
}
