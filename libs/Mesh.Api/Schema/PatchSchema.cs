using Mesh.Api.Patches;

namespace Mesh.Api.Schema;

/// <summary>A type as the strategic merge patch sees it.</summary>
public sealed class PatchSchema : IPatchSchema
{
    private readonly TypeSchema type;

    private PatchSchema(TypeSchema type) => this.type = type;

    /// <summary>The patch facts of a type.</summary>
    public static IPatchSchema Of(TypeSchema type) => new PatchSchema(type);

    /// <inheritdoc/>
    public PatchField Field(string name) => type.Field(name) is { } field ? Describe(field) : default;

    /// <inheritdoc/>
    public string? Lacks(string name) => type.Field(name) is null && !type.PreserveUnknownFields && type.AdditionalProperties is null ? type.Name : null;

    private static PatchField Describe(FieldSchema field)
    {
        IPatchSchema? inner = field.Kind == FieldKind.Object ? Of(field.Type!) : null;
        if (field.Shape == FieldShape.Map)
            inner = inner is null ? null : new MapSchema(inner);
        return new PatchField(
            inner,
            field.PatchStrategy.HasFlag(PatchStrategy.Merge),
            field.PatchMergeKey,
            field.PatchStrategy.HasFlag(PatchStrategy.Replace));
    }

    /// <summary>A map: every key holds a value of one type.</summary>
    private sealed class MapSchema(IPatchSchema value) : IPatchSchema
    {
        public PatchField Field(string name) => new(value, Merge: false, MergeKey: null);
    }
}
