using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Discovery;

/// <summary>
/// What a server offers: aggregated (apidiscovery.k8s.io/v2, one answer for all groups) and legacy (/api, /apis, /apis/GROUP,
/// /apis/GROUP/VERSION). Built from a set of resources when first asked; another set is another instance.
/// </summary>
internal sealed class DiscoveryDocuments(IEnumerable<ApiResource> resources)
{
    /// <summary>What follows the media type of aggregated discovery; clients check that it is echoed.</summary>
    public const string AggregatedParameters = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    private readonly ApiGroups groups = new(resources);
    private readonly ConcurrentDictionary<string, ServedDocument> documents = new(StringComparer.Ordinal);

    /// <summary>/api for clients that ask for aggregated discovery: the core group.</summary>
    public ServedDocument AggregatedCore => Document("aggregated core", () => Aggregated([groups.Core]));

    /// <summary>/apis for clients that ask for aggregated discovery: all named groups.</summary>
    public ServedDocument AggregatedGroups => Document("aggregated groups", () => Aggregated(groups.Named));

    /// <summary>/apis: the named groups with their versions.</summary>
    public ServedDocument Groups => Document("groups", () => new JsonObject
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. groups.Named.Select(GroupNode)]),
    });

    /// <summary>/api: the versions of the core group; <paramref name="serverAddress"/> is host:port of this server.</summary>
    public static ServedDocument CoreVersions(string serverAddress) => ServedDocument.Of(new JsonObject
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = serverAddress }),
    });

    /// <summary>/apis/GROUP, or null.</summary>
    public ServedDocument? Group(string group)
    {
        var found = groups.Named.FirstOrDefault(g => g.Name == group);
        if (found is null)
            return null;
        return Document("group " + group, () =>
        {
            var node = GroupNode(found);
            node.Insert(0, "kind", "APIGroup");
            node.Insert(1, "apiVersion", "v1");
            return node;
        });
    }

    /// <summary>/api/v1 or /apis/GROUP/VERSION, or null.</summary>
    public ServedDocument? Resources(string group, string version)
    {
        var found = groups.Find(group, version);
        if (found is null)
            return null;
        return Document($"resources {group}/{version}", () =>
        {
            var node = new JsonObject { ["kind"] = "APIResourceList" };
            // The list of the core group has no version of its own, as in the days before there were groups.
            if (group.Length > 0) node["apiVersion"] = "v1";
            node["groupVersion"] = group.Length == 0 ? version : group + "/" + version;
            node["resources"] = new JsonArray([.. found.Resources.SelectMany(ResourceNodes)]);
            return node;
        });
    }

    /// <summary>Eight bytes that change with the stored version of a kind: base64 of the head of SHA-256 of "group/version/kind".</summary>
    internal static string StorageVersionHash(ApiResource resource)
    {
        // Autoscalers of both versions are stored as the newer one.
        var version = resource is { Group: "autoscaling", Plural: "horizontalpodautoscalers" } ? "v2" : resource.Version;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{resource.Group}/{version}/{resource.Kind}"));
        return Convert.ToBase64String(hash.AsSpan(0, 8));
    }

    private static JsonObject GroupNode(ApiGroup group)
    {
        static JsonObject Version(ApiGroup group, ApiGroupVersion version) =>
            new() { ["groupVersion"] = $"{group.Name}/{version.Version}", ["version"] = version.Version };
        return new JsonObject
        {
            ["name"] = group.Name,
            ["versions"] = new JsonArray([.. group.Versions.Select(v => Version(group, v))]),
            ["preferredVersion"] = Version(group, group.Versions[0]),
        };
    }

    private static IEnumerable<JsonObject> ResourceNodes(ApiResource resource)
    {
        var node = new JsonObject
        {
            ["name"] = resource.Plural,
            ["singularName"] = resource.Singular,
            ["namespaced"] = resource.Namespaced,
            ["kind"] = resource.Kind,
            ["verbs"] = Texts(resource.Verbs),
        };
        if (resource.ShortNames.Count > 0)
            node["shortNames"] = Texts(resource.ShortNames);
        if (resource.Categories.Count > 0)
            node["categories"] = Texts(resource.Categories);
        if (resource.HasVerb("get") && resource.HasVerb("create"))
            node["storageVersionHash"] = StorageVersionHash(resource);
        yield return node;

        foreach (var sub in resource.Subresources.OrderBy(s => s.Name, StringComparer.Ordinal))
        {
            var child = new JsonObject { ["name"] = resource.Plural + "/" + sub.Name, ["singularName"] = string.Empty, ["namespaced"] = resource.Namespaced };
            if (sub.Group != resource.Group || sub.Version != resource.Version)
                (child["group"], child["version"]) = (sub.Group, sub.Version);
            child["kind"] = sub.Kind;
            child["verbs"] = Texts(ConnectVerbs.Of(sub));
            yield return child;
        }
    }

    private static JsonObject Aggregated(IEnumerable<ApiGroup> groups) => new()
    {
        ["kind"] = "APIGroupDiscoveryList",
        ["apiVersion"] = "apidiscovery.k8s.io/v2",
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. groups.Select(group => new JsonObject
        {
            ["metadata"] = group.Name.Length == 0 ? new JsonObject() : new JsonObject { ["name"] = group.Name },
            ["versions"] = new JsonArray([.. group.Versions.Select(version => new JsonObject
            {
                ["version"] = version.Version,
                ["resources"] = new JsonArray([.. version.Resources.Select(AggregatedNode)]),
                ["freshness"] = "Current",
            })]),
        })]),
    };

    private static JsonObject AggregatedNode(ApiResource resource)
    {
        var node = new JsonObject
        {
            ["resource"] = resource.Plural,
            ["responseKind"] = Kind(resource.Group, resource.Version, resource.Kind),
            ["scope"] = resource.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = resource.Singular,
            ["verbs"] = Texts(resource.Verbs),
        };
        if (resource.ShortNames.Count > 0)
            node["shortNames"] = Texts(resource.ShortNames);
        if (resource.Categories.Count > 0)
            node["categories"] = Texts(resource.Categories);
        if (resource.Subresources.Count > 0)
        {
            node["subresources"] = new JsonArray([.. resource.Subresources.OrderBy(s => s.Name, StringComparer.Ordinal).Select(sub => new JsonObject
            {
                ["subresource"] = sub.Name,
                ["responseKind"] = Kind(sub.Group, sub.Version, sub.Kind),
                ["verbs"] = Texts(ConnectVerbs.Of(sub)),
            })]);
        }

        return node;
    }

    private static JsonObject Kind(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(t => JsonValue.Create(t))];

    private ServedDocument Document(string key, Func<JsonNode> build) => documents.GetOrAdd(key, static (_, make) => ServedDocument.Of(make()), build);
}
