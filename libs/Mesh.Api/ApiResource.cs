namespace Mesh.Api;

/// <summary>One resource of the API: what discovery says about it and what a request path names.</summary>
/// <param name="Group">API group, "" for the core group.</param>
/// <param name="Version">API version ("v1").</param>
/// <param name="Plural">Resource name in paths ("pods").</param>
/// <param name="Kind">Kind of its objects ("Pod").</param>
/// <param name="Namespaced">Whether objects live in namespaces.</param>
/// <param name="ShortNames">What kubectl users type ("po").</param>
/// <param name="Categories">Groups of resources kubectl knows ("all").</param>
/// <param name="Verbs">What can be done.</param>
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
    /// <summary>"v1" for the core group, else "apps/v1".</summary>
    public string GroupVersion { get; } = Group.Length == 0 ? Version : Group + "/" + Version;
}
