using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Patches;

/// <summary>The strategic-merge view of a type of the runtime schema.</summary>
public sealed class SchemaPatch : IPatchSchema
{
    private readonly TypeSchema type;

    private SchemaPatch(TypeSchema type) => this.type = type;

    /// <summary>The view of a type; null for null.</summary>
    public static IPatchSchema? Of(TypeSchema? type) => type is null ? null : new SchemaPatch(type);

    /// <summary>Applies a strategic merge patch to an object of a kind; <paramref name="document"/> is used up.</summary>
    /// <exception cref="ApiException">400 for a body that is no object or directives that make no sense.</exception>
    public static JsonObject Apply(JsonObject document, ReadOnlySpan<byte> patch, TypeSchema type) => StrategicMergePatch.Apply(document, patch, Of(type));

    /// <inheritdoc/>
    public PatchField Field(string name)
    {
        if (type.Field(name) is not { } field)
            return default;
        var child = Of(field.Type);
        return new PatchField(
            field.Shape == FieldShape.Map && child is not null ? new Values(child) : child,
            field.PatchStrategy.HasFlag(PatchStrategy.Merge),
            field.PatchMergeKey,
            field.PatchStrategy.HasFlag(PatchStrategy.Replace));
    }

    /// <summary>A map: every key holds a value of one type.</summary>
    private sealed class Values(IPatchSchema value) : IPatchSchema
    {
        public PatchField Field(string name) => new(value, false, null);
    }
}
