namespace Mesh.Api.Schema;

/// <summary>Everything known of one JSON field.</summary>
public sealed class FieldSchema
{
    private Func<TypeSchema>? resolve;
    private TypeSchema? type;

    /// <summary>JSON name.</summary>
    public required string Name { get; init; }

    /// <summary>What a value, or one element of the list or map, is.</summary>
    public required FieldKind Kind { get; init; }

    /// <summary>One value, a list or a map.</summary>
    public FieldShape Shape { get; init; }

    /// <summary>The type of an <see cref="FieldKind.Object"/>; null for every other kind.</summary>
    public TypeSchema? Type
    {
        get
        {
            // Resolved on first use: a kind costs only what it touches. Two threads may resolve the same type twice; both get one instance.
            if (type is null && resolve is not null)
                type = resolve();
            return type;
        }
        init => type = value;
    }

    /// <summary>The list or map inside this list or map; null unless the kind is <see cref="FieldKind.Nested"/>.</summary>
    public FieldSchema? Element { get; init; }

    /// <summary>Protobuf field number; 0 when the type has no protobuf form or the field belongs to an inlined message.</summary>
    public int Number { get; init; }

    /// <summary>The object is invalid without it.</summary>
    public bool Required { get; init; }

    /// <summary>Zero differs from absent (a pointer in Kubernetes' own types).</summary>
    public bool HasPresence { get; init; }

    /// <summary>JSON null is a value of its own (custom resources).</summary>
    public bool Nullable { get; init; }

    /// <summary>Default as JSON text, or null. "{}" marks a struct that is always there; "\"\"", "0" and "false" a scalar that always is.</summary>
    public string? Default { get; init; }

    /// <summary>How server-side apply sees a list.</summary>
    public ListType ListType { get; init; }

    /// <summary>Keys of a list of type map.</summary>
    public IReadOnlyList<string> ListMapKeys { get; init; } = [];

    /// <summary>Server-side apply owns the whole map or object (x-kubernetes-map-type: atomic on the field).</summary>
    public bool MapAtomic { get; init; }

    /// <summary>The field says granular although its type says atomic.</summary>
    public bool MapGranular { get; init; }

    /// <summary>Strategic merge patch strategy.</summary>
    public PatchStrategy PatchStrategy { get; init; }

    /// <summary>Merge key of a list of objects, or null.</summary>
    public string? PatchMergeKey { get; init; }

    /// <summary>Short description, or null.</summary>
    public string? Description { get; init; }

    /// <summary>True for a struct that is always there in Kubernetes' own types: absent means empty.</summary>
    public bool IsValueStruct => Kind == FieldKind.Object && Shape == FieldShape.Single && Default == "{}";

    /// <summary>The default is a zero that JSON leaves out: it only counts as a key of server-side apply.</summary>
    public bool OmitsZero { get; init; }

    /// <summary>JSON shows null when it is not set (times, lists and maps of Kubernetes' own types that are no pointers and not left out).</summary>
    public bool ShowsNull { get; init; }

    /// <summary>A zero is kept and shown: required fields, pointers, and most that have a default.</summary>
    public bool KeepsZero => Required || HasPresence || Nullable || (Default is not null && !OmitsZero);

    internal Func<TypeSchema> Resolve
    {
        init => resolve = value;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
