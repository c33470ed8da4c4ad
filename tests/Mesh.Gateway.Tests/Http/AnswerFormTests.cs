using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Forms of answers that were found to differ when the same was asked of a kube-apiserver.</summary>
[Collection("gateway")]
public sealed class AnswerFormTests(GatewayHost gateway)
{
    private const string One = "/api/v1/namespaces/default";

    /// <summary>Go ends a line of JSON, and does not end indented JSON.</summary>
    [Theory]
    [InlineData(One, true)]
    [InlineData(One + "?pretty=true", false)]
    [InlineData("/api/v1/namespaces", true)]
    [InlineData("/api/v1/namespaces?pretty=true", false)]
    [InlineData("/api/v1/namespaces/none", true)]
    [InlineData("/version", false)]
    public async Task Json_ends_with_its_line_and_indented_json_does_not(string path, bool line)
    {
        using var answer = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative));
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Equal(line, body.EndsWith("}\n", StringComparison.Ordinal));
        Assert.EndsWith("}", body.TrimEnd('\n'), StringComparison.Ordinal);
        Assert.Equal(answer.Content.Headers.ContentLength, Encoding.UTF8.GetByteCount(body));
    }

    [Theory]
    [InlineData(One, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", 406, "you requested PartialObjectMetadataList, but the requested object is not a list (*core.Namespace)")]
    [InlineData("/api/v1/namespaces", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", 406, "you requested PartialObjectMetadata, but the requested object is a list (*core.NamespaceList)")]
    [InlineData(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", 406,
        "you requested PartialObjectMetadata, but the requested object is a list (*rbac.ClusterRoleList)")]
    [InlineData(
        One + "?includeObject=Some", "application/json;as=Table;v=v1;g=meta.k8s.io", 400,
        "Unable to convert to Table as requested: includeObject: Invalid value: \"Some\": must be 'Metadata', 'Object', 'None', or empty")]
    [InlineData("/api/v1/namespaces?watch=1&timeoutSeconds=1", "application/yaml", 406, "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch")]
    [InlineData("/apis/apps", "text/html", 406, "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf")]
    public async Task What_does_not_fit_is_refused_with_Kubernetes_words(string path, string accept, int code, string message)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await gateway.Client.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Equal(code, (int)answer.StatusCode);
        if (answer.Content.Headers.ContentType!.MediaType == "application/json") Assert.Equal(message, (string?)JsonNode.Parse(body)!["message"]);
        else if (answer.Content.Headers.ContentType.MediaType == "application/yaml") Assert.Equal(message, (string?)JsonNode.Parse(YamlCodec.ToJson(System.Text.Encoding.UTF8.GetBytes(body)))!["message"]);
        else Assert.Contains(message, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_their_names_are_known_of_objects_without_a_body()
    {
        using var answer = await gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, One));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task A_group_that_nobody_serves_is_a_plain_404_and_a_resource_of_one_that_is_served_a_Status()
    {
        using var group = await gateway.Client.GetAsync(new Uri("/apis/example.com/v1/things", UriKind.Relative));
        Assert.Equal((HttpStatusCode.NotFound, "text/plain", "404 page not found\n"), (group.StatusCode, group.Content.Headers.ContentType!.MediaType, await group.Content.ReadAsStringAsync()));
        foreach (var path in (string[])["/apis/apps/v9/deployments", "/apis/apps/v1/things", "/api/v1/things"])
        {
            var (code, status) = await gateway.GetAsync(path);
            Assert.Equal((404, "the server could not find the requested resource"), (code, (string?)status["message"]));
        }
    }

    [Theory]
    [InlineData("/api", "APIVersions")]
    [InlineData("/apis", "APIGroupList")]
    [InlineData("/api/v1", "APIResourceList")]
    [InlineData("/apis/apps", "APIGroup")]
    [InlineData("/apis/apps/v1", "APIResourceList")]
    public async Task Discovery_gives_the_plain_document_for_a_form_that_is_not_served(string path, string kind)
    {
        var json = JsonNode.Parse(await ReadAsync(path, "application/json"))!.AsObject();
        Assert.Equal(kind, (string?)json["kind"]);
        // Who would rather have a form that is not served gets the plain one.
        Assert.Equal(kind, (string?)JsonNode.Parse(await ReadAsync(path, "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json"))!["kind"]);
    }

    [Fact]
    public async Task A_document_of_another_hash_leads_to_the_present_one()
    {
        var index = JsonNode.Parse(await ReadAsync("/openapi/v3", "application/json"))!;
        var url = (string)index["paths"]!["apis/apps/v1"]!["serverRelativeURL"]!;
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = gateway.Client.BaseAddress };
        client.DefaultRequestHeaders.Authorization = gateway.Client.DefaultRequestHeaders.Authorization;

        using var old = await client.GetAsync(new Uri("/openapi/v3/apis/apps/v1?hash=0123", UriKind.Relative));
        Assert.Equal((HttpStatusCode.MovedPermanently, url), (old.StatusCode, old.Headers.Location!.ToString()));
        using var present = await client.GetAsync(new Uri(url, UriKind.Relative));
        Assert.Equal("public, immutable", string.Join(", ", present.Headers.GetValues("Cache-Control")));
        Assert.InRange(present.Content.Headers.Expires!.Value, DateTimeOffset.UtcNow.AddDays(360), DateTimeOffset.UtcNow.AddDays(370));
    }

    [Fact]
    public async Task The_root_names_every_group_and_version()
    {
        var paths = JsonNode.Parse(await ReadAsync("/", "application/json"))!["paths"]!.AsArray().Select(static p => (string)p!).ToList();
        Assert.Superset(new HashSet<string> { "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/apis/rbac.authorization.k8s.io/v1", "/openapi/v3", "/readyz", "/version" }, paths.ToHashSet());
        Assert.Equal(paths.Order(StringComparer.Ordinal), paths);
    }

    [Fact]
    public async Task A_refusal_is_not_to_be_sniffed()
    {
        using var client = gateway.ClientOf("nobody");
        using var answer = await client.GetAsync(new Uri(One, UriKind.Relative));
        Assert.Equal((HttpStatusCode.Forbidden, "nosniff"), (answer.StatusCode, answer.Headers.GetValues("X-Content-Type-Options").Single()));
    }

    private async Task<byte[]> ReadAsync(string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await gateway.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(accept.Split(';', ',')[0], answer.Content.Headers.ContentType!.MediaType);
        return await answer.Content.ReadAsByteArrayAsync();
    }
}
