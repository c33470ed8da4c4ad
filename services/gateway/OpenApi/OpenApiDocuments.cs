using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Schema;
using Mesh.Gateway.Discovery;

namespace Mesh.Gateway.OpenApi;

/// <summary>
/// The OpenAPI documents of a set of resources: version 3 (an index with hashed URLs and one document for each group version) and
/// version 2 (one document, as JSON and as protobuf). Made when first asked and kept as bytes; another set is another instance.
/// </summary>
/// <param name="resources">What is served.</param>
/// <param name="version">Version of the server, "v1.36.0".</param>
internal sealed class OpenApiDocuments(IReadOnlyList<ApiResource> resources, string version)
{
    /// <summary>Content type of the protobuf form of version 2.</summary>
    public const string V2ProtobufContentType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    private readonly ConcurrentDictionary<string, ServedDocument> v3 = new(StringComparer.Ordinal);
    private readonly Lazy<ServedDocument> v2Json = new(() => ServedDocument.Of(OpenApiV2.Document(resources, ApiSchema.Builtin, version)));
    private ServedDocument? index;
    private ServedDocument? v2Protobuf;

    /// <summary>/openapi/v3: the group versions and where their documents are; a URL holds the document's hash.</summary>
    public ServedDocument Index => index ??= ServedDocument.Of(new JsonObject
    {
        ["paths"] = new JsonObject(resources.Where(r => r.Plural.Length > 0).Select(PathOf).Distinct().Order(StringComparer.Ordinal).Select(path =>
            KeyValuePair.Create(path, (JsonNode?)new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={V3(path)!.Hash}" }))),
    });

    /// <summary>/openapi/v2 as JSON.</summary>
    public ServedDocument V2Json => v2Json.Value;

    /// <summary>/openapi/v2 as protobuf.</summary>
    public ServedDocument V2Protobuf => v2Protobuf ??= ServedDocument.Of(OpenApiV2Protobuf.Encode(JsonNode.Parse(V2Json.Body)!.AsObject()));

    /// <summary>Whether there is a document /openapi/v3/PATH.</summary>
    public bool Has(string path) => resources.Any(r => r.Plural.Length > 0 && PathOf(r) == path);

    /// <summary>/openapi/v3/PATH, where PATH is api/v1 or apis/GROUP/VERSION; null when there is no such group version.</summary>
    public ServedDocument? V3(string path)
    {
        if (v3.TryGetValue(path, out var known))
            return known;
        var ours = resources.Where(r => r.Plural.Length > 0 && PathOf(r) == path).ToList();
        return ours.Count == 0 ? null : v3.GetOrAdd(path, ServedDocument.Of(OpenApiV3.Document(ours, ApiSchema.Builtin, version)));
    }

    private static string PathOf(ApiResource resource) => (resource.Group.Length == 0 ? "api/" : "apis/") + resource.GroupVersion;
}
