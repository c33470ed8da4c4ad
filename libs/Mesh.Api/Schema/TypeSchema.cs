using System.Collections.Frozen;

namespace Mesh.Api.Schema;

/// <summary>Everything known of one JSON object type: its fields in the order Kubernetes writes them, inlined ones in place.</summary>
public sealed class TypeSchema
{
    private readonly FieldSchema[] fields;
    private FrozenDictionary<string, FieldSchema>? byName;

    /// <summary>A type of the given fields.</summary>
    public TypeSchema(string package, string name, IEnumerable<FieldSchema> fields)
    {
        Package = package;
        Name = name;
        this.fields = [.. fields];
    }

    /// <summary>Short package name, "apps.v1"; "" for a custom resource.</summary>
    public string Package { get; }

    /// <summary>Type name, "DeploymentSpec".</summary>
    public string Name { get; }

    /// <summary>Name in Kubernetes' OpenAPI documents, "io.k8s.api.apps.v1.DeploymentSpec".</summary>
    public string OpenApiName => OpenApiNames.Of(Package, Name);

    /// <summary>Carries apiVersion and kind (which are among the fields).</summary>
    public bool IsKind { get; init; }

    /// <summary>Server-side apply owns objects of the type as a whole.</summary>
    public bool Atomic { get; init; }

    /// <summary>Unknown fields are kept (custom resources with x-kubernetes-preserve-unknown-fields).</summary>
    public bool PreserveUnknownFields { get; init; }

    /// <summary>Every key that is no field holds a value of this schema (custom resources with additionalProperties), or null.</summary>
    public FieldSchema? AdditionalProperties { get; init; }

    /// <summary>Short description, or null.</summary>
    public string? Description { get; init; }

    /// <summary>The JSON fields.</summary>
    public IReadOnlyList<FieldSchema> Fields => fields;

    /// <summary>The field of a name, or null.</summary>
    public FieldSchema? Field(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The type compiled for server-side apply, made by ApplyPlan when it is first needed.</summary>
    internal Apply.ApplyPlan? Plan { get; set; }

    /// <summary>The messages of the protobuf form, ascending by number; empty when the type has none.</summary>
    internal ProtoField[] ProtoFields { get; init; } = [];

    internal FrozenDictionary<string, FieldSchema>.AlternateLookup<ReadOnlySpan<char>> Lookup => ByName.GetAlternateLookup<ReadOnlySpan<char>>();

    private FrozenDictionary<string, FieldSchema> ByName => byName ??= fields.ToFrozenDictionary(f => f.Name, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Package.Length == 0 ? Name : Package + "." + Name;
}

/// <summary>One field of a protobuf message: a JSON field, or an inlined message whose fields stand beside it in JSON.</summary>
internal sealed class ProtoField
{
    public required int Number { get; init; }

    public FieldSchema? Field { get; init; }

    public Func<TypeSchema>? Inline { get; init; }
}
