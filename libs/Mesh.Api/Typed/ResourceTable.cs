using System.Collections.Frozen;

namespace Mesh.Api;

/// <summary>Every resource that Mesh serves out of the box, from the schema files.</summary>
public static partial class ResourceTable
{
    /// <summary>All resources, group versions in the order of the schema files.</summary>
    public static IReadOnlyList<ApiResource> All { get; } = Build();

    private static readonly Lazy<FrozenDictionary<(string Group, string Version, string Plural), ApiResource>> ByPlural =
        new(() => All.ToFrozenDictionary(r => (r.Group, r.Version, r.Plural)));

    private static readonly Lazy<FrozenDictionary<(string Group, string Version, string Kind), ApiResource>> ByKind =
        new(() => All.ToFrozenDictionary(r => (r.Group, r.Version, r.Kind)));

    /// <summary>The resource of a group, version and plural, or null.</summary>
    public static ApiResource? Find(string group, string version, string plural) => ByPlural.Value.GetValueOrDefault((group, version, plural));

    /// <summary>The resource that holds a kind, or null.</summary>
    public static ApiResource? FindKind(string group, string version, string kind) => ByKind.Value.GetValueOrDefault((group, version, kind));
}
