using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Storage;

/// <summary>StorageClasses.</summary>
internal sealed class StorageClassStrategy() : KindStrategy(Of("storage.k8s.io", "v1", "storageclasses"))
{
    private const int MaxParameters = 512;
    private const int MaxParameterBytes = 256 * 1024;

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        obj.DefaultAbsent("reclaimPolicy", "Delete");
        obj.DefaultAbsent("volumeBindingMode", "Immediate");
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        Provisioner(errors, "provisioner", obj.Str("provisioner"));
        Parameters(errors, obj.Obj("parameters"), required: false);
        errors.OptionalOneOf("reclaimPolicy", obj.Str("reclaimPolicy"), "Delete", "Retain");
        errors.Supported("volumeBindingMode", obj.Str("volumeBindingMode"), "Immediate", "WaitForFirstConsumer");
        foreach (var (i, term) in obj.Items("allowedTopologies"))
            Topology(errors, new FieldPath("allowedTopologies").Index(i).Child("matchLabelExpressions"), term);
        SameTopologies(errors, "allowedTopologies", [.. obj.Items("allowedTopologies").Select(static t => t.Item)]);
    }

    // Terms are compared as maps of sets: the order of their expressions and values does not count. Kubernetes starts with as many empty terms as
    // there are, so that a term without expressions is one too many.
    private static void SameTopologies(List<FieldError> errors, FieldPath path, List<JsonObject> terms)
    {
        var seen = Enumerable.Repeat(string.Empty, terms.Count).ToList();
        for (var i = 0; i < terms.Count; i++)
        {
            var parts = terms[i].Items("matchLabelExpressions").Select(static e => e.Item.Str("key") + "=" + string.Join(',', e.Item.Strings("values").Order(StringComparer.Ordinal)));
            var text = string.Join(';', parts.Order(StringComparer.Ordinal));
            foreach (var _ in seen.Where(s => s == text))
                errors.Add(FieldError.Duplicate(path.Index(i).Child("matchLabelExpressions"), string.Empty));
            seen.Add(text);
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        foreach (var field in new[] { "parameters", "provisioner", "reclaimPolicy" })
        {
            if (!JsonAccess.Same(obj[field], old[field]))
                errors.Add(FieldError.Forbidden(field, $"updates to {field} are forbidden."));
        }

        errors.Unchanged("volumeBindingMode", obj["volumeBindingMode"], old["volumeBindingMode"]);
    }

    /// <summary>Who makes the volumes.</summary>
    internal static void Provisioner(List<FieldError> errors, FieldPath at, string name)
    {
        if (name.Length == 0)
            errors.Add(FieldError.Required(at));
        else
            errors.Rules(at, name.ToLowerInvariant(), Names.QualifiedName(name.ToLowerInvariant()));
    }

    /// <summary>What its driver is told.</summary>
    internal static void Parameters(List<FieldError> errors, JsonObject? parameters, bool required)
    {
        if (parameters?.Count > MaxParameters)
        {
            errors.Add(FieldError.TooLong("parameters", MaxParameters));
            return;
        }

        long size = 0;
        foreach (var (key, value) in parameters ?? [])
        {
            if (key.Length == 0)
                errors.Add(FieldError.Invalid("parameters", key, "field can not be empty."));
            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value?.ToString() ?? string.Empty);
        }

        if (size > MaxParameterBytes)
            errors.Add(FieldError.TooLong("parameters", MaxParameterBytes));
        if (required && (parameters?.Count ?? 0) == 0)
            errors.Add(FieldError.Required("parameters", "must contain at least one key/value pair"));
    }

    private static void Topology(List<FieldError> errors, FieldPath path, JsonObject term)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, item) in term.Items("matchLabelExpressions"))
        {
            var at = path.Index(i);
            var values = item.Strings("values");
            if (values.Count == 0)
                errors.Add(FieldError.Required(at.Child("values")));
            for (var v = 0; v < values.Count; v++)
            {
                if (values.IndexOf(values[v]) < v)
                    errors.Add(FieldError.Duplicate(at.Child("values").Index(v), values[v]));
            }

            errors.Rules(at.Child("key"), item.Str("key"), Names.QualifiedName(item.Str("key")));
            if (!keys.Add(item.Str("key")))
                errors.Add(FieldError.Duplicate(at.Child("key"), item.Str("key")));
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => StorageWarnings.Class(obj);
}

/// <summary>VolumeAttributesClasses.</summary>
internal sealed class VolumeAttributesClassStrategy(string version) : KindStrategy(Of("storage.k8s.io", version, "volumeattributesclasses"))
{
    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        StorageClassStrategy.Provisioner(errors, "driverName", obj.Str("driverName"));
        StorageClassStrategy.Parameters(errors, obj.Obj("parameters"), required: true);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        foreach (var field in new[] { "driverName", "parameters" })
        {
            if (!JsonAccess.Same(obj[field], old[field]))
                errors.Add(FieldError.Forbidden(field, $"updates to {field} are forbidden."));
        }
    }
}
