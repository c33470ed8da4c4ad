using Mesh.Api;
using Mesh.Api.Schema;

namespace Mesh.Gateway.OpenApi;

/// <summary>One operation of the REST API, before it is written in a version of OpenAPI.</summary>
/// <param name="Path">URL template.</param>
/// <param name="Method">get, post, put, patch or delete.</param>
/// <param name="Action">x-kubernetes-action: list, post, deletecollection, get, put, patch, delete, connect.</param>
/// <param name="Id">operationId.</param>
/// <param name="Resource">The resource it belongs to.</param>
/// <param name="Kind">Kind of the bodies; null for streams.</param>
/// <param name="Answer">Kind of the answer; null for text.</param>
internal sealed record Operation(string Path, string Method, string Action, string Id, ApiResource Resource, KindSchema? Kind, KindSchema? Answer)
{
    private static readonly (string Verb, string Method, string Action, string Word)[] Verbs =
    [
        ("list", "get", "list", "list"), ("create", "post", "post", "create"), ("deletecollection", "delete", "deletecollection", "deleteCollection"),
        ("get", "get", "get", "read"), ("update", "put", "put", "replace"), ("patch", "patch", "patch", "patch"), ("delete", "delete", "delete", "delete"),
    ];

    /// <summary>All operations of a resource and its subresources.</summary>
    public static IEnumerable<Operation> Of(ApiResource resource, ApiSchema schema)
    {
        var root = (resource.Group.Length == 0 ? "/api/" : "/apis/") + resource.GroupVersion;
        var scoped = resource.Namespaced ? root + "/namespaces/{namespace}" : root;
        var id = IdOf(resource.Group, resource.Version);
        var kind = schema.FindKind(resource.Group, resource.Version, resource.Kind);
        var list = schema.FindKind(resource.Group, resource.Version, resource.Kind + "List");
        var status = schema.FindKind(string.Empty, "v1", "Status");
        var scope = resource.Namespaced ? "Namespaced" : string.Empty;

        foreach (var (verb, method, action, word) in Verbs)
        {
            if (!resource.HasVerb(verb))
                continue;
            var collection = verb is "list" or "create" or "deletecollection";
            var path = collection ? $"{scoped}/{resource.Plural}" : $"{scoped}/{resource.Plural}/{{name}}";
            var word2 = verb == "deletecollection" ? "deleteCollection" : word;
            yield return new(path, method, action, word2 + id + scope + resource.Kind, resource, kind, verb switch { "list" => list, "delete" or "deletecollection" => status, _ => kind });
        }

        if (resource.Namespaced && resource.HasVerb("list"))
            yield return new($"{root}/{resource.Plural}", "get", "list", $"list{id}{resource.Kind}ForAllNamespaces", resource, kind, list);

        foreach (var sub in resource.Subresources)
        {
            var body = schema.FindKind(sub.Group, sub.Version, sub.Kind);
            var path = $"{scoped}/{resource.Plural}/{{name}}/{sub.Name}";
            var name = resource.Kind + char.ToUpperInvariant(sub.Name[0]) + sub.Name[1..];
            if (sub.Verbs.Contains("connect"))
            {
                foreach (var method in new[] { "get", "post" })
                    yield return new(path, method, "connect", $"connect{id}{char.ToUpperInvariant(method[0])}{method[1..]}{scope}{name}", resource, body, null);
                continue;
            }

            foreach (var (verb, method, action, word) in Verbs)
            {
                if (verb is not ("list" or "deletecollection") && sub.Verbs.Contains(verb))
                    yield return new(path, method, action, word + id + scope + name, resource, body, sub.Name == "log" ? null : body);
            }
        }
    }

    /// <summary>Group and version in an operationId: AppsV1, CoreV1, RbacAuthorizationV1.</summary>
    public static string IdOf(string group, string version)
    {
        var name = group.Length == 0 ? "core" : group.EndsWith(".k8s.io", StringComparison.Ordinal) ? group[..^7] : group;
        return string.Concat((name + "." + version).Split('.').Select(p => char.ToUpperInvariant(p[0]) + p[1..]));
    }
}
