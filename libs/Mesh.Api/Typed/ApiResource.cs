namespace Mesh.Api;

/// <summary>One REST resource of one group version.</summary>
/// <param name="Group">API group, "" for core.</param>
/// <param name="Version">API version, "v1".</param>
/// <param name="Plural">Name in the URL, "pods"; "" for kinds that are only bodies (Scale, Eviction).</param>
/// <param name="Kind">Kind of its objects.</param>
/// <param name="Namespaced">True when objects live in a namespace.</param>
/// <param name="ShortNames">Short names kubectl accepts.</param>
/// <param name="Categories">Categories it is part of ("all").</param>
/// <param name="Verbs">Verbs it answers.</param>
public sealed record ApiResource(
    string Group,
    string Version,
    string Plural,
    string Kind,
    bool Namespaced,
    IReadOnlyList<string> ShortNames,
    IReadOnlyList<string> Categories,
    IReadOnlyList<string> Verbs)
{
    /// <summary>"apps/v1", or "v1" for the core group.</summary>
    public string GroupVersion { get; } = Group.Length == 0 ? Version : Group + "/" + Version;

    /// <summary>Singular name, the kind in lower case.</summary>
    public string Singular { get; } = Kind.ToLowerInvariant();

    /// <summary>Subresources by name, with their verbs and the kind of their bodies.</summary>
    public IReadOnlyList<ApiSubresource> Subresources { get; init; } = [];

    /// <summary>True when the resource answers the verb.</summary>
    public bool HasVerb(string verb) => Verbs.Contains(verb);

    /// <summary>"deployments.apps", or "pods" for the core group: the form of Status details and of error texts.</summary>
    public string QualifiedName => Group.Length == 0 ? Plural : Plural + "." + Group;

    /// <summary>Two resources are the same when group, version and plural are.</summary>
    public bool Equals(ApiResource? other) =>
        other is not null && Plural == other.Plural && Group == other.Group && Version == other.Version && Kind == other.Kind;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Group, Version, Plural, Kind);

    /// <inheritdoc/>
    public override string ToString() => GroupVersion + "/" + Plural;
}

/// <summary>A subresource of a resource.</summary>
/// <param name="Name">"status", "scale", "exec".</param>
/// <param name="Group">Group of the body's kind.</param>
/// <param name="Version">Version of the body's kind.</param>
/// <param name="Kind">Kind of the body.</param>
/// <param name="Verbs">Verbs it answers.</param>
public sealed record ApiSubresource(string Name, string Group, string Version, string Kind, IReadOnlyList<string> Verbs);
