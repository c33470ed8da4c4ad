namespace Mesh.Api.Schema;

/// <summary>One kind of one group version.</summary>
/// <param name="Group">API group, "" for core.</param>
/// <param name="Version">API version.</param>
/// <param name="Kind">Kind name.</param>
/// <param name="Type">Its type.</param>
public sealed record KindSchema(string Group, string Version, string Kind, TypeSchema Type)
{
    /// <summary>"apps/v1", or "v1" for the core group.</summary>
    public string ApiVersion { get; } = Group.Length == 0 ? Version : Group + "/" + Version;

    /// <summary>True for PodList and the like: `items` of another kind beside list metadata.</summary>
    public bool IsList => Type.Name.EndsWith("List", StringComparison.Ordinal) && Type.Field("items") is { Shape: FieldShape.List };

    /// <inheritdoc/>
    public override string ToString() => ApiVersion + " " + Kind;
}

/// <summary>One group version of the schema.</summary>
/// <param name="Package">Short package name, "apps.v1".</param>
/// <param name="Group">API group, "" for core.</param>
/// <param name="Version">API version.</param>
/// <param name="Served">False when it is only transcoded.</param>
public sealed record GroupVersionSchema(string Package, string Group, string Version, bool Served);
