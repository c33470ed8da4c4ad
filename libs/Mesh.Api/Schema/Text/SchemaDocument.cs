namespace Mesh.Api.Schema.Text;

/// <summary>One parsed `.schema` file: everything about one group version. The notation is described in Schema/README.md.</summary>
internal sealed class SchemaDocument
{
    /// <summary>Short package name, "apps.v1".</summary>
    public string Package { get; set; } = "";

    /// <summary>API group, "" for the core group.</summary>
    public string Group { get; set; } = "";

    /// <summary>API version, "v1".</summary>
    public string Version { get; set; } = "";

    /// <summary>False for a group version that is only transcoded, never served.</summary>
    public bool Served { get; set; } = true;

    /// <summary>The REST resources, in file order.</summary>
    public List<ResourceText> Resources { get; } = [];

    /// <summary>The types, in file order.</summary>
    public List<TypeText> Types { get; } = [];
}

/// <summary>One REST resource and its subresources.</summary>
internal sealed class ResourceText
{
    public string Plural { get; set; } = "";

    public string Kind { get; set; } = "";

    public bool Namespaced { get; set; }

    public string[] ShortNames { get; set; } = [];

    public string[] Categories { get; set; } = [];

    public string[] Verbs { get; set; } = [];

    public List<SubresourceText> Subresources { get; } = [];
}

/// <summary>One subresource: its name and the kind of its body ("Scale" of another package is "autoscaling.v1.Scale").</summary>
internal sealed class SubresourceText
{
    public string Name { get; set; } = "";

    public string Kind { get; set; } = "";

    public string[] Verbs { get; set; } = [];
}

/// <summary>One message type.</summary>
internal sealed class TypeText
{
    public string Name { get; set; } = "";

    /// <summary>Carries apiVersion and kind.</summary>
    public bool IsKind { get; set; }

    /// <summary>Server-side apply treats the whole value as one (x-kubernetes-map-type: atomic).</summary>
    public bool Atomic { get; set; }

    public string? Description { get; set; }

    public List<FieldText> Fields { get; } = [];
}

/// <summary>One field line.</summary>
internal sealed class FieldText
{
    /// <summary>Protobuf field number; 0 when the type has no protobuf form.</summary>
    public int Number { get; set; }

    public string Name { get; set; } = "";

    /// <summary>The fields of <see cref="TypeName"/> stand in JSON beside this type's own; in protobuf it is a message of its own.</summary>
    public bool Inline { get; set; }

    public FieldShape Shape { get; set; }

    /// <summary>Scalar name ("string", "quantity", ...) or type reference ("PodSpec", "core.v1.PodSpec").</summary>
    public string TypeName { get; set; } = "";

    public bool Required { get; set; }

    /// <summary>Zero differs from absent (a pointer in Kubernetes' own types).</summary>
    public bool Presence { get; set; }

    /// <summary>Default as JSON text, or null.</summary>
    public string? Default { get; set; }

    /// <summary>A zero is left out although it is the default.</summary>
    public bool OmitsZero { get; set; }

    /// <summary>JSON shows null when it is not set.</summary>
    public bool ShowsNull { get; set; }

    /// <summary>"", "atomic", "set" or "map".</summary>
    public string ListType { get; set; } = "";

    public string[] ListMapKeys { get; set; } = [];

    /// <summary>"", "atomic" or "granular".</summary>
    public string MapType { get; set; } = "";

    public bool PatchMerge { get; set; }

    public string? PatchMergeKey { get; set; }

    public bool PatchRetainKeys { get; set; }

    public bool PatchReplace { get; set; }

    public string? Description { get; set; }
}
