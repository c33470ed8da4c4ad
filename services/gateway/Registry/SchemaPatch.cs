using System.Runtime.CompilerServices;
using Mesh.Api.Patches;
using Mesh.Api.Schema;

namespace Mesh.Gateway.Registry;

/// <summary>The schema as strategic merge wants to see it; one view a type, made on first use.</summary>
internal sealed class SchemaPatch : IPatchSchema
{
    private static readonly ConditionalWeakTable<TypeSchema, SchemaPatch> Views = [];
    private readonly TypeSchema type;

    private SchemaPatch(TypeSchema type) => this.type = type;

    /// <summary>The view of a type.</summary>
    public static SchemaPatch Of(TypeSchema type) => Views.GetValue(type, static t => new SchemaPatch(t));

    /// <inheritdoc/>
    public PatchField Field(string name)
    {
        if (type.Field(name) is not { } field) return default;
        var merge = field.Shape == FieldShape.List && field.PatchStrategy.HasFlag(PatchStrategy.Merge);
        return new PatchField(field.Type is { } inner ? Of(inner) : null, merge, field.PatchMergeKey, field.PatchStrategy.HasFlag(PatchStrategy.Replace));
    }
}
