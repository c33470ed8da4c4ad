using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Config;

/// <summary>ConfigMaps.</summary>
internal sealed class ConfigMapStrategy() : KindStrategy(Of("", "v1", "configmaps"))
{
    private const int MaxBytes = 1024 * 1024;

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        long total = 0;
        foreach (var (key, value) in obj.Obj("data") ?? [])
        {
            errors.Rules(new FieldPath("data").Key(key), key, Names.ConfigMapKey(key));
            if (obj.Obj("binaryData")?.ContainsKey(key) == true)
                errors.Add(FieldError.Invalid(new FieldPath("data").Key(key), key, "duplicate of key present in binaryData"));
            total += Encoding.UTF8.GetByteCount(value?.ToString() ?? string.Empty);
        }

        foreach (var (key, value) in obj.Obj("binaryData") ?? [])
        {
            errors.Rules(new FieldPath("binaryData").Key(key), key, Names.ConfigMapKey(key));
            total += (value?.ToString().Length ?? 0) * 3L / 4;
        }

        if (total > MaxBytes)
            errors.Add(FieldError.TooLong("[]", MaxBytes));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => Frozen(errors, obj, old, "data", "binaryData");

    /// <summary>An object marked immutable keeps its mark and its contents.</summary>
    internal static void Frozen(List<FieldError> errors, JsonObject obj, JsonObject old, params string[] fields)
    {
        const string Rule = "field is immutable when `immutable` is set";
        if (!old.Bool("immutable"))
            return;
        if (!obj.Bool("immutable"))
            errors.Add(FieldError.Forbidden("immutable", Rule));
        foreach (var field in fields)
        {
            if (!JsonAccess.Same(obj[field], old[field]))
                errors.Add(FieldError.Forbidden(field, Rule));
        }
    }
}
