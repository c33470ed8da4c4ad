using Mesh.Api;

namespace Mesh.Gateway.Storage;

/// <summary>Keys as Kubernetes lays them out: /registry/[group/]resource/[namespace/]name.</summary>
internal static class StorageKeys
{
    /// <summary>Where all versions of the resource are stored, with a slash at the end. Events of both groups are the same objects.</summary>
    public static string Prefix(ApiResource resource) =>
        resource.Group.Length == 0 || resource is { Group: "events.k8s.io", Plural: "events" }
            ? "/registry/" + resource.Plural + "/"
            : "/registry/" + resource.Group + "/" + resource.Plural + "/";

    /// <summary>The prefix of one namespace, or of all (null or "").</summary>
    public static string Prefix(ApiResource resource, string? ns) =>
        string.IsNullOrEmpty(ns) ? Prefix(resource) : Prefix(resource) + ns + "/";

    /// <summary>The key of an object.</summary>
    public static string Key(ApiResource resource, string? ns, string name) => Prefix(resource, ns) + name;

    /// <summary>Namespace ("" when cluster-scoped) and name from a key with the given prefix.</summary>
    public static (string Namespace, string Name) Split(string key, int prefixLength, bool namespaced)
    {
        if (!namespaced) return ("", key[prefixLength..]);
        var slash = key.IndexOf('/', prefixLength);
        return slash < 0 ? ("", key[prefixLength..]) : (key[prefixLength..slash], key[(slash + 1)..]);
    }
}
