using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace Mesh.Api.Schema;

/// <summary>
/// The schema of every built-in kind, read from the embedded schema files. A file is parsed when a kind of it is first asked for,
/// and a type is built when it is first reached. Safe for any number of threads.
/// </summary>
public sealed class ApiSchema
{
    private static readonly FrozenSet<string> EverywhereKinds = FrozenSet.ToFrozenSet(
        ["Status", "ListOptions", "GetOptions", "CreateOptions", "UpdateOptions", "PatchOptions", "DeleteOptions", "ApplyOptions",
         "APIVersions", "APIGroup", "APIGroupList", "APIResourceList", "List"]);

    private readonly Dictionary<(string Group, string Version), string> packages = [];
    private readonly ConcurrentDictionary<string, SchemaPackage> loaded = new();
    private readonly ConcurrentDictionary<(string Group, string Version, string Kind), KindSchema?> kinds = new();

    private ApiSchema()
    {
        foreach (var gv in SchemaIndex.GroupVersions)
        {
            // meta.v1 stands for group "" in the files of ours; "" itself is core.
            if (gv.Package != "meta.v1")
                packages.Add((gv.Group, gv.Version), gv.Package);
        }

        packages.Add(("meta.k8s.io", "v1"), "meta.v1");
    }

    /// <summary>The built-in kinds.</summary>
    public static ApiSchema Builtin { get; } = new();

    /// <summary>All group versions, the served and the only transcoded ones.</summary>
    public IReadOnlyList<GroupVersionSchema> GroupVersions { get; } = SchemaIndex.GroupVersions;

    /// <summary>
    /// The kind, or null. Options and Status exist in every group version. Not for custom resources: those have their own schema.
    /// </summary>
    public KindSchema? FindKind(string group, string version, string kind) =>
        kinds.TryGetValue((group, version, kind), out var known) ? known : LoadKind(group, version, kind);

    /// <summary>The kind of an apiVersion ("apps/v1", "v1"), or null.</summary>
    public KindSchema? FindKind(string apiVersion, string kind)
    {
        var slash = apiVersion.IndexOf('/');
        return slash < 0 ? FindKind("", apiVersion, kind) : FindKind(apiVersion[..slash], apiVersion[(slash + 1)..], kind);
    }

    /// <summary>The kind of the bodies of a resource, or of one of its subresources; null when there is none.</summary>
    public KindSchema? FindResource(string group, string version, string plural, string? subresource = null)
    {
        if (ResourceTable.Find(group, version, plural) is not { } resource)
            return null;
        if (string.IsNullOrEmpty(subresource))
            return FindKind(group, version, resource.Kind);
        foreach (var sub in resource.Subresources)
        {
            if (sub.Name == subresource)
                return FindKind(sub.Group, sub.Version, sub.Kind);
        }

        return null;
    }

    /// <summary>A type by package and name ("apps.v1", "DeploymentSpec"), or null.</summary>
    public TypeSchema? FindType(string package, string name) => Package(package)?.Find(name);

    /// <summary>The types of one group version by name, in file order.</summary>
    public IEnumerable<TypeSchema> TypesOf(string package)
    {
        var source = Package(package);
        return source is null ? [] : source.TypeNames.Select(name => source.Find(name)!);
    }

    internal TypeSchema Require(string package, string name) =>
        FindType(package, name) ?? throw new InvalidOperationException($"schema: unknown type {package}.{name}");

    private KindSchema? LoadKind(string group, string version, string kind)
    {
        var found = packages.TryGetValue((group, version), out var package) ? FindType(package, kind) : null;
        if (found is not { IsKind: true })
            found = package is not null && EverywhereKinds.Contains(kind) ? FindType("meta.v1", kind) : null;

        // Unknown names come from the outside: they are not remembered.
        return found is null ? null : kinds.GetOrAdd((group, version, kind), new KindSchema(group, version, kind, found));
    }

    private SchemaPackage? Package(string package)
    {
        if (loaded.TryGetValue(package, out var known))
            return known;
        using var stream = typeof(ApiSchema).Assembly.GetManifestResourceStream(package + ".schema");
        if (stream is null)
            return null;
        using var reader = new StreamReader(stream);
        return loaded.GetOrAdd(package, new SchemaPackage(this, Text.SchemaTextParser.Parse(reader.ReadToEnd())));
    }
}
