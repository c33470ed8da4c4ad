using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Mesh.Api.Codecs;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>[sig-api-machinery] Discovery, AggregatedDiscovery, server version.</summary>
[Collection("gateway")]
public sealed class DiscoveryRows(GatewayHost api)
{
    private const string Aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    private static readonly string[] Expected =
    [
        "admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "apiextensions.k8s.io/v1/customresourcedefinitions", "apiregistration.k8s.io/v1/apiservices",
        "apps/v1/deployments", "authentication.k8s.io/v1/tokenreviews", "authorization.k8s.io/v1/selfsubjectaccessreviews", "autoscaling/v1/horizontalpodautoscalers",
        "autoscaling/v2/horizontalpodautoscalers", "batch/v1/jobs", "certificates.k8s.io/v1/certificatesigningrequests", "coordination.k8s.io/v1/leases",
        "discovery.k8s.io/v1/endpointslices", "events.k8s.io/v1/events", "networking.k8s.io/v1/ingresses", "node.k8s.io/v1/runtimeclasses", "policy/v1/poddisruptionbudgets",
        "scheduling.k8s.io/v1/priorityclasses", "storage.k8s.io/v1/csinodes",
    ];

    [Fact, Conformance("Aggregated Discovery Endpoint Accept Headers"), Compatibility(2)]
    public async Task Aggregated_discovery_names_every_builtin_resource()
    {
        Assert.Empty(Expected.Except(Resources(await api.ReadAsync("/apis", Aggregated))));
        Assert.Contains("/v1/namespaces", Resources(await api.ReadAsync("/api", Aggregated)));
    }

    [Fact, Conformance("Aggregated Discovery Interface"), Compatibility(2)]
    public async Task Two_requests_tell_groups_versions_and_resources()
    {
        // The client takes the answer for aggregated only if it says so, and else asks for every group version.
        foreach (var path in (string[])["/api", "/apis"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept", Aggregated + ",application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json");
            using var answer = await api.Client.SendAsync(request);
            Assert.Equal(Aggregated, answer.Content.Headers.NonValidated["Content-Type"].ToString());
            var groups = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
            Assert.Equal("APIGroupDiscoveryList", (string?)groups["kind"]);
            Assert.Equal("apidiscovery.k8s.io/v2", (string?)groups["apiVersion"]);
            foreach (var version in groups.Items().SelectMany(static g => g["versions"]!.AsArray()))
            {
                Assert.Equal("Current", (string?)version!["freshness"]);
                Assert.All(version["resources"]!.AsArray(), static r => Assert.NotEmpty(r!["verbs"]!.AsArray()));
            }
        }
    }

    [Fact, Conformance("Discovery, confirm the PreferredVersion for each api group"), Compatibility(2)]
    public async Task Every_groups_preferred_version_is_one_of_its_versions()
    {
        var groups = (await api.ReadAsync("/apis"))["groups"]!.AsArray();
        Assert.NotEmpty(groups);
        foreach (var listed in groups)
        {
            var group = await api.ReadAsync("/apis/" + (string)listed!["name"]!);
            Assert.Equal(("APIGroup", "v1"), ((string?)group["kind"], (string?)group["apiVersion"]));
            var preferred = (string)group["preferredVersion"]!["groupVersion"]!;
            Assert.Contains(preferred, group["versions"]!.AsArray().Select(static v => (string)v!["groupVersion"]!));
            Assert.Equal(preferred, (string?)listed["preferredVersion"]!["groupVersion"]);
        }
    }

    [Fact, Conformance("Discovery, confirm the groupVerion and a resourcefrom each apiGroup")]
    public async Task Every_group_has_its_version_and_resource()
    {
        var groups = (await api.ReadAsync("/apis"))["groups"]!.AsArray();
        foreach (var expected in Expected)
        {
            var parts = expected.Split('/');
            var group = groups.Single(g => (string?)g!["name"] == parts[0])!;
            Assert.Contains(group["versions"]!.AsArray(), v => (string?)v!["groupVersion"] == $"{parts[0]}/{parts[1]}");
            var list = await api.ReadAsync($"/apis/{parts[0]}/{parts[1]}");
            Assert.Equal(("APIResourceList", $"{parts[0]}/{parts[1]}"), ((string?)list["kind"], (string?)list["groupVersion"]));
            Assert.Contains(list["resources"]!.AsArray(), r => (string?)r!["name"] == parts[2]);
        }
    }

    [Fact, Conformance("Confirm a server version"), Compatibility(11)]
    public async Task The_server_has_a_version()
    {
        var version = await api.ReadAsync("/version");
        Assert.Equal("1", (string?)version["major"]);
        Assert.Matches("^36\\+?$", (string?)version["minor"]);
        Assert.Matches(new Regex(@"^v1\.36\.\d+"), (string?)version["gitVersion"]);
        Assert.Equal(["buildDate", "compiler", "gitCommit", "gitTreeState", "gitVersion", "goVersion", "major", "minor", "platform"],
            version.Select(static p => p.Key).Intersect(["buildDate", "compiler", "gitCommit", "gitTreeState", "gitVersion", "goVersion", "major", "minor", "platform"]).Order(StringComparer.Ordinal));
    }

    [Theory, Compatibility(2)]
    [InlineData("/api")]
    [InlineData("/apis")]
    public async Task Aggregated_discovery_says_the_same_in_every_encoding_and_echoes_what_was_asked_for(string path)
    {
        const string Shape = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        var json = await api.ReadAsync(path, Aggregated);
        var (type, yaml) = await FetchAsync(path, "application/yaml" + Shape);
        Assert.Equal("application/yaml" + Shape, type);
        Assert.True(JsonNode.DeepEquals(json, JsonNode.Parse(YamlCodec.ToJson(yaml))));
        (type, var message) = await FetchAsync(path, "application/vnd.kubernetes.protobuf" + Shape + ",application/json");
        Assert.Equal("application/vnd.kubernetes.protobuf" + Shape, type);
        Assert.Equal(Resources(json), Resources(ProtobufCodec.Decode(message)));
    }

    [Theory, Compatibility(2)]
    [InlineData("/api", null)]
    [InlineData("/apis", "v1")]
    [InlineData("/apis/apps", "v1")]
    [InlineData("/api/v1", null)]
    [InlineData("/apis/apps/v1", "v1")]
    public async Task Legacy_discovery_says_the_same_in_every_encoding(string path, string? version)
    {
        // What only other versions of Kubernetes have is passed over, for the next that is asked for.
        var (type, bytes) = await FetchAsync(path, "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json");
        Assert.Equal("application/json", type);
        var json = JsonNode.Parse(bytes)!.AsObject();
        Assert.Equal(version, (string?)json["apiVersion"]);
        (type, bytes) = await FetchAsync(path, "application/yaml");
        Assert.Equal("application/yaml", type);
        Assert.True(JsonNode.DeepEquals(json, JsonNode.Parse(YamlCodec.ToJson(bytes))));
        (type, bytes) = await FetchAsync(path, "application/vnd.kubernetes.protobuf,application/json");
        Assert.Equal("application/vnd.kubernetes.protobuf", type);
        var message = ProtobufCodec.Decode(bytes);
        Assert.Equal((string?)json["kind"], (string?)message["kind"]);
        foreach (var list in (string[])["groups", "resources", "versions"]) Assert.Equal(json[list]?.AsArray().Select(NameOf), message[list]?.AsArray().Select(NameOf));
        foreach (var refused in (string[])["text/html", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept", refused);
            using var answer = await api.Client.SendAsync(request);
            Assert.Equal(406, (int)answer.StatusCode);
        }

        static string NameOf(JsonNode? item) => item is JsonObject o ? (string?)(o["name"] ?? o["groupVersion"]) ?? "" : (string)item!;
    }

    private async Task<(string Type, byte[] Body)> FetchAsync(string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await api.Client.SendAsync(request);
        Assert.Equal(200, (int)answer.StatusCode);
        return (answer.Content.Headers.NonValidated["Content-Type"].ToString(), await answer.Content.ReadAsByteArrayAsync());
    }

    private static List<string> Resources(JsonObject groups) =>
        [.. from g in groups.Items() from v in g["versions"]!.AsArray() from r in v!["resources"]!.AsArray() select $"{(string?)g["metadata"]!["name"]}/{v!["version"]}/{r!["resource"]}"];
}
