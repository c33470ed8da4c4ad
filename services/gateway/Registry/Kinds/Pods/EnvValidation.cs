using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of environment variables and of what they refer to.</summary>
internal static class EnvValidation
{
    private static readonly string[] Sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

    private static readonly string[] FieldPaths =
        ["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"];

    // What fieldRef can name at all, here or in a volume.
    private static readonly string[] KnownPaths = [.. FieldPaths, "metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"];

    private static readonly string[] Resources =
        ["limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"];

    private static readonly string[] ByteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

    public static void Env(List<FieldError> errors, FieldPath path, JsonObject container, PodScope scope)
    {
        foreach (var (i, env) in container.Items("env"))
        {
            var at = path.Index(i);
            var name = env.Str("name");
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else
                errors.Rules(at.Child("name"), name, Names.EnvVarName(name));
            if (env.Obj("valueFrom") is { } from)
                Source(errors, at.Child("valueFrom"), from, env.Str("value"), scope);
        }
    }

    public static void EnvFrom(List<FieldError> errors, FieldPath path, JsonObject container)
    {
        foreach (var (i, from) in container.Items("envFrom"))
        {
            var at = path.Index(i);
            if (from.Str("prefix") is { Length: > 0 } prefix)
                errors.Rules(at.Child("prefix"), prefix, Names.EnvVarName(prefix));
            var given = 0;
            foreach (var source in new[] { "configMapRef", "secretRef" })
            {
                if (from.Obj(source) is not { } reference)
                    continue;
                given++;
                if (reference.Str("name").Length == 0)
                    errors.Add(FieldError.Required(at.Child(source, "name")));
                else
                    errors.Rules(at.Child(source, "name"), reference.Str("name"), Names.Dns1123Subdomain(reference.Str("name")));
            }

            if (given == 0)
                errors.Add(FieldError.Invalid(path, string.Empty, "must specify one of: `configMapRef` or `secretRef`"));
            else if (given > 1)
                errors.Add(FieldError.Invalid(path, string.Empty, "may not have more than one field specified at a time"));
        }
    }

    /// <summary>fieldRef: a path of the pod, or one label or annotation by its key.</summary>
    internal static void FieldReference(List<FieldError> errors, FieldPath at, JsonObject field, string[] allowed)
    {
        var path = field.Str("fieldPath");
        if (field.Str("apiVersion").Length == 0)
        {
            errors.Add(FieldError.Required(at.Child("apiVersion")));
            return;
        }

        if (path.Length == 0)
        {
            errors.Add(FieldError.Required(at.Child("fieldPath")));
            return;
        }

        if (field.Str("apiVersion") != "v1")
        {
            errors.Add(FieldError.Invalid(at.Child("fieldPath"), path, $"error converting fieldPath: unsupported pod version: {field.Str("apiVersion")}"));
            return;
        }

        // metadata.labels['key'] asks for one entry of a map.
        if (path.EndsWith("']", StringComparison.Ordinal) && path.IndexOf("['", StringComparison.Ordinal) is > 0 and var open)
        {
            var (map, key) = (path[..open], path[(open + 2)..^2]);
            if (map == "metadata.annotations")
                errors.Rules(at, key.ToLowerInvariant(), Names.QualifiedName(key.ToLowerInvariant()));
            else if (map == "metadata.labels")
                errors.Rules(at, key, Names.QualifiedName(key));
            else
                errors.Add(FieldError.Invalid(at.Child("fieldPath"), path, $"error converting fieldPath: field label does not support subscript: {path}"));
            return;
        }

        if (!KnownPaths.Contains(path))
            errors.Add(FieldError.Invalid(at.Child("fieldPath"), path, $"error converting fieldPath: field label not supported: {path}"));
        else if (!allowed.Contains(path))
            errors.Add(FieldError.NotSupported(at.Child("fieldPath"), path, allowed));
    }

    /// <summary>resourceFieldRef: a limit or request of a container; in a volume the container must be named.</summary>
    internal static void ResourceReference(List<FieldError> errors, FieldPath at, JsonObject reference, bool volume)
    {
        var resource = reference.Str("resource");
        var hugePages = resource.StartsWith("limits.hugepages-", StringComparison.Ordinal) || resource.StartsWith("requests.hugepages-", StringComparison.Ordinal);
        if (volume && reference.Str("containerName").Length == 0)
            errors.Add(FieldError.Required(at.Child("containerName")));
        else if (resource.Length == 0)
            errors.Add(FieldError.Required(at.Child("resource")));
        else if (!hugePages && !Resources.Contains(resource))
            errors.Add(FieldError.NotSupported(at.Child("resource"), resource, Resources));

        if (!Quantity.TryParse(reference.Str("divisor"), out var divisor) || divisor.IsZero)
            return;
        var text = divisor.ToString();
        if (resource.EndsWith(".cpu", StringComparison.Ordinal))
        {
            if (text is not ("1m" or "1"))
                errors.Add(FieldError.Invalid(at.Child("divisor"), resource, "only divisor's values 1m and 1 are supported with the cpu resource"));
        }
        else if ((hugePages || Resources.Contains(resource)) && !ByteDivisors.Contains(text))
        {
            var kind = hugePages ? "hugepages" : resource.EndsWith(".memory", StringComparison.Ordinal) ? "memory" : "local ephemeral storage";
            errors.Add(FieldError.Invalid(at.Child("divisor"), resource, $"only divisor's values {string.Join(", ", ByteDivisors)} are supported with the {kind} resource"));
        }
    }

    private static void Source(List<FieldError> errors, FieldPath at, JsonObject from, string value, PodScope scope)
    {
        if (from.Obj("fieldRef") is { } field)
            FieldReference(errors, at.Child("fieldRef"), field, FieldPaths);
        if (from.Obj("resourceFieldRef") is { } resource)
            ResourceReference(errors, at.Child("resourceFieldRef"), resource, volume: false);
        foreach (var name in new[] { "configMapKeyRef", "secretKeyRef" })
        {
            if (from.Obj(name) is { } reference)
                KeyReference(errors, at.Child(name), reference);
        }

        if (from.Obj("fileKeyRef") is { } file)
            FileReference(errors, at.Child("fileKeyRef"), file, scope);

        var given = Sources.Count(from.Has);
        if (given == 0)
            errors.Add(FieldError.Invalid(at, string.Empty, "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"));
        else if (value.Length > 0)
            errors.Add(FieldError.Invalid(at, string.Empty, "may not be specified when `value` is not empty"));
        else if (given > 1)
            errors.Add(FieldError.Invalid(at, string.Empty, "may not have more than one field specified at a time"));
    }

    private static void KeyReference(List<FieldError> errors, FieldPath at, JsonObject reference)
    {
        errors.Rules(at.Child("name"), reference.Str("name"), Names.Dns1123Subdomain(reference.Str("name")));
        if (reference.Str("key").Length == 0)
            errors.Add(FieldError.Required(at.Child("key")));
        else
            errors.Rules(at.Child("key"), reference.Str("key"), Names.ConfigMapKey(reference.Str("key")));
    }

    // KEP-3721: a variable out of a file in an emptyDir.
    private static void FileReference(List<FieldError> errors, FieldPath at, JsonObject reference, PodScope scope)
    {
        if (reference.Str("key").Length == 0)
            errors.Add(FieldError.Required(at.Child("key")));
        else
            errors.Rules(at.Child("key"), reference.Str("key"), Names.EnvVarName(reference.Str("key")));
        var volume = reference.Str("volumeName");
        if (volume.Length == 0)
            errors.Add(FieldError.Required(at.Child("volumeName")));
        else if (!scope.Volumes.ContainsKey(volume))
            errors.Add(FieldError.NotFound(at.Child("volumeName"), volume));
        if (reference.Str("path").Length == 0)
            errors.Add(FieldError.Required(at.Child("path")));
        else
            VolumeValidation.LocalPath(errors, at.Child("path"), reference.Str("path"));
    }
}
