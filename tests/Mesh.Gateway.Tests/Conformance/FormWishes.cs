using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>Forms of answers that clients choose, and what is said of fields that parts of objects do not have.</summary>
[Collection("gateway")]
public sealed class FormWishes(GatewayHost api)
{
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    [Theory, Compatibility(3)]
    [InlineData("/openapi/v2", "text/plain", 406, "")]
    [InlineData("/openapi/v2", "application/yaml", 406, "")]
    [InlineData("/openapi/v2", "text/plain, */*", 200, "application/json")]
    [InlineData("/openapi/v2", "application/json", 200, "application/json")]
    [InlineData("/openapi/v2", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", 200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")]
    [InlineData("/openapi/v2", "application/json, application/com.github.proto-openapi.spec.v2@v1.0+protobuf", 200, "application/json")]
    [InlineData("/openapi/v3/apis/batch/v1", "text/plain", 406, "")]
    [InlineData("/openapi/v3/apis/batch/v1", "application/*", 200, "application/json")]
    public async Task OpenApi_comes_in_a_form_that_is_accepted_or_not_at_all(string path, string accept, int code, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await api.Client.SendAsync(request);
        Assert.Equal((code, type), ((int)answer.StatusCode, answer.Content.Headers.NonValidated.TryGetValues("Content-Type", out var got) ? got.ToString() : ""));
        Assert.Equal(code == 406, (await answer.Content.ReadAsByteArrayAsync()).Length == 0);
    }

    [Theory, Compatibility(7)]
    [InlineData("", "PartialObjectMetadata")]
    [InlineData("Metadata", "PartialObjectMetadata")]
    [InlineData("Object", "ConfigMap")]
    [InlineData("None", null)]
    public async Task Rows_hold_what_they_are_to_include(string include, string? kind)
    {
        var maps = await api.NamespaceAsync("include") + "/configmaps";
        await api.MakeAsync(maps, """{"metadata":{"name":"m"},"data":{"k":"v"}}""");
        var tables = new List<JsonNode> { await api.ReadAsync($"{maps}?includeObject={include}", Table), await api.ReadAsync($"{maps}/m?includeObject={include}", Table) };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{maps}?watch=1&timeoutSeconds=50&includeObject={include}");
        request.Headers.TryAddWithoutValidation("Accept", Table);
        using var answer = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var watch = new WatchLines(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
        tables.Add(await watch.NextAsync("ADDED"));
        foreach (var table in tables)
        {
            var row = Assert.Single(table["rows"]!.AsArray())!;
            Assert.Equal("m", (string?)row["cells"]![0]);
            Assert.Equal(kind, (string?)row["object"]?["kind"]);
            Assert.Equal(kind == "ConfigMap", row["object"]?["data"] is not null);
        }
    }

    [Theory, Compatibility(7)]
    [InlineData("")]
    [InlineData("/m")]
    [InlineData("?watch=1&timeoutSeconds=50")]
    public async Task Another_word_for_what_to_include_is_refused(string part)
    {
        var maps = await api.NamespaceAsync("include") + "/configmaps";
        await api.MakeAsync(maps, """{"metadata":{"name":"m"}}""");
        var (code, status) = await api.GetAsync($"{maps}{part}{(part.Contains('?', StringComparison.Ordinal) ? '&' : '?')}includeObject=Some", Table);
        Assert.Equal((400, "Unable to convert to Table as requested: includeObject: Invalid value: \"Some\": must be 'Metadata', 'Object', 'None', or empty"), (code, (string?)status["message"]));
    }

    [Theory, Compatibility(6)]
    [InlineData("PUT", "scale", "application/json", """{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"NAME"},"spec":{"replicas":1,"bogus":1}}""", 400)]
    [InlineData("PATCH", "scale", "application/merge-patch+json", """{"spec":{"bogus":1}}""", 422)]
    [InlineData("PATCH", "scale", "application/json-patch+json", """[{"op":"add","path":"/spec/bogus","value":1}]""", 422)]
    [InlineData("PATCH", "status", "application/merge-patch+json", """{"spec":{"bogus":1}}""", 422)]
    [InlineData("PATCH", "status", "application/strategic-merge-patch+json", """{"spec":{"bogus":1}}""", 422)]
    [InlineData("PATCH", "status", "application/json-patch+json", """[{"op":"add","path":"/spec/bogus","value":1}]""", 422)]
    public async Task Parts_are_read_as_strictly_as_wholes(string method, string part, string type, string body, int code)
    {
        var all = (await api.NamespaceAsync("parts")).In("apps/v1") + "/deployments";
        await api.MakeAsync(all, """{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}""");
        foreach (var validation in (string[])["Strict", "Warn", "Ignore"])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), $"{all}/d/{part}?fieldManager=t&fieldValidation={validation}") { Content = new StringContent(body.Replace("NAME", "d", StringComparison.Ordinal)) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
            using var answer = await api.Client.SendAsync(request);
            var json = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            Assert.Equal(validation == "Strict" ? code : 200, (int)answer.StatusCode);
            if (validation == "Strict") Assert.EndsWith("strict decoding error: unknown field \"spec.bogus\"", (string?)json["message"]);
            Assert.Equal(validation == "Warn" ? ["299 - \"unknown field \\\"spec.bogus\\\"\""] : [], answer.Headers.TryGetValues("Warning", out var said) ? said : []);
        }
    }
}
