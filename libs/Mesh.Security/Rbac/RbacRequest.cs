namespace Mesh.Security.Rbac;

/// <summary>What is asked to be done, as far as authorization cares.</summary>
/// <param name="Verb">get, list, watch, create, update, patch, delete, deletecollection, or the HTTP verb of a path, lower case.</param>
/// <param name="Namespace">Namespace, empty for the cluster scope.</param>
/// <param name="ApiGroup">API group, empty for core.</param>
/// <param name="Resource">Plural resource name; empty for a path.</param>
/// <param name="Subresource">Subresource, or empty.</param>
/// <param name="Name">Object name, or empty.</param>
/// <param name="Path">URL path when the request is for no resource, else empty.</param>
public readonly record struct RbacRequest(
    string Verb, string Namespace, string ApiGroup, string Resource, string Subresource = "", string Name = "", string Path = "")
{
    /// <summary>A request for a path that is no resource.</summary>
    public static RbacRequest ForPath(string verb, string path) => new(verb, "", "", "", Path: path);

    /// <summary>Whether it is for a resource, not for a bare path.</summary>
    public bool IsResource => Resource.Length > 0;

    /// <summary>"pods" or "pods/log".</summary>
    public string ResourceWithSubresource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";
}
