using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>[sig-api-machinery] FieldValidation of typed objects.</summary>
[Collection("gateway")]
public sealed class FieldValidationRows(GatewayHost api)
{
    private const string Path = "/apis/apps/v1/namespaces/default/deployments?fieldManager=field_validation_mgr&fieldValidation=";

    private const string Spec = """
        "selector":{"matchLabels":{"app":"nginx"}},"template":{"metadata":{"labels":{"app":"nginx"}},"spec":{"containers":[{"name":"nginx","image":"nginx:latest"}]}}
        """;

    private static readonly string Unknown =
        $$$"""{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"my-dep","labels":{"app":"nginx"}},"spec":{"unknownField":"foo","replicas":2,"replicas":3,{{{Spec}}}}}""";

    [Fact, Conformance("Server side field validation, typed object"), Compatibility(6)]
    public async Task Unknown_and_doubled_fields_are_refused()
    {
        Assert.EndsWith("strict decoding error: unknown field \"spec.unknownField\", duplicate field \"spec.replicas\"", await api.RefusedAsync(400, Path + "Strict", Unknown));
    }

    [Fact, Conformance("Server side field validation, typed unknown metadata"), Compatibility(6)]
    public async Task Unknown_metadata_is_refused()
    {
        var body = $$$"""{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"my-dep","unknownMeta":"foo","labels":{"app":"nginx"}},"spec":{{{{Spec}}}}}""";
        Assert.EndsWith("strict decoding error: unknown field \"metadata.unknownMeta\"", await api.RefusedAsync(400, Path + "Strict", body));
    }

    [Fact, Compatibility(6)]
    public async Task Warn_answers_in_headers_and_Ignore_says_nothing()
    {
        using var warned = await SendAsync("Warn");
        Assert.Equal(201, (int)warned.StatusCode);
        Assert.Equal(["299 - \"unknown field \\\"spec.unknownField\\\"\"", "299 - \"duplicate field \\\"spec.replicas\\\"\""], warned.Headers.GetValues("Warning"));
        using var ignored = await SendAsync("Ignore");
        Assert.Equal((201, false), ((int)ignored.StatusCode, ignored.Headers.Contains("Warning")));
        await api.RefusedAsync(422, Path + "Nonsense", Unknown);
    }

    [Theory, Compatibility(6)]
    [InlineData("POST", "application/json", "unknown field \"foo\", duplicate field \"metadata.labels.x\", unknown field \"metadata.unk\", duplicate field \"spec.paused\", unknown field \"spec.unk\", unknown field \"spec.template.spec.containers[0].bogus\", duplicate field \"spec.template.spec.containers[0].image\"")]
    [InlineData("PUT", "application/json", "unknown field \"foo\", duplicate field \"metadata.labels.x\", unknown field \"metadata.unk\", duplicate field \"spec.paused\", unknown field \"spec.unk\", unknown field \"spec.template.spec.containers[0].bogus\", duplicate field \"spec.template.spec.containers[0].image\"")]
    [InlineData("POST", "application/yaml", "line 6: key \"x\" already set in map\nline 9: key \"paused\" already set in map\nline 17: key \"image\" already set in map, unknown field \"foo\", unknown field \"metadata.unk\", unknown field \"spec.template.spec.containers[0].bogus\", unknown field \"spec.unk\"")]
    [InlineData("PUT", "application/yaml", "line 6: key \"x\" already set in map\nline 9: key \"paused\" already set in map\nline 17: key \"image\" already set in map, unknown field \"foo\", unknown field \"metadata.unk\", unknown field \"spec.template.spec.containers[0].bogus\", unknown field \"spec.unk\"")]
    [InlineData("PATCH", "application/merge-patch+json", "duplicate field \"spec.unk\", duplicate field \"spec.paused\", duplicate field \"spec.template.spec.containers[0].image\", unknown field \"metadata.unk\", unknown field \"spec.template.spec.containers[0].bogus\", unknown field \"spec.unk\"")]
    [InlineData("PATCH", "application/strategic-merge-patch+json", "duplicate field \"spec.unk\", duplicate field \"spec.paused\", duplicate field \"spec.template.spec.containers[0].image\", unknown field \"metadata.unk\", unknown field \"spec.template.spec.containers[0].bogus\", unknown field \"spec.unk\"")]
    [InlineData("PATCH", "application/json-patch+json", "json patch unknown field \"[0].foo\", json patch duplicate field \"[1].path\", json patch duplicate field \"[2].value.a\", unknown field \"spec.template.spec.containers[0].bogus\", unknown field \"spec.unk\", unknown field \"spec.unk3\"")]
    [InlineData("PATCH", "application/apply-patch+yaml", "line 6: key \"x\" already set in map")]
    public async Task Every_verb_and_format_tells_what_it_does_not_know_and_what_is_doubled(string method, string type, string expected)
    {
        const string Place = "/apis/apps/v1/namespaces/default/deployments";
        var name = $"strict-{method}-{type.Split('/')[1].Split('+')[0]}".ToLowerInvariant();
        if (method != "POST") await api.MakeAsync(Place, $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{{{{Spec}}}}}""");
        var body = Doubtful(type).Replace("NAME", name, StringComparison.Ordinal);
        var path = (method == "POST" ? Place : $"{Place}/{name}") + "?dryRun=All&fieldManager=strict&fieldValidation=";

        // Without a word, as with Warn: each on a line of its own.
        var lines = expected.Split(", ").SelectMany(static e => e.Split('\n')).Select(static e => $"299 - \"{e.Replace("\"", "\\\"", StringComparison.Ordinal)}\"").ToArray();
        foreach (var validation in (string[])["Warn", ""])
        {
            using var warned = await SendAsync(method, path + validation, body, type);
            Assert.True(warned.IsSuccessStatusCode, await warned.Content.ReadAsStringAsync());
            Assert.Equal(lines, warned.Headers.GetValues("Warning"));
        }

        using var ignored = await SendAsync(method, path + "Ignore", body, type);
        Assert.True(ignored.IsSuccessStatusCode, await ignored.Content.ReadAsStringAsync());
        Assert.False(ignored.Headers.Contains("Warning"));

        using var refused = await SendAsync(method, path + "Strict", body, type);
        Assert.Equal(method == "PATCH" && type != "application/apply-patch+yaml" ? 422 : 400, (int)refused.StatusCode);
        var message = (string)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["message"]!;
        var list = expected.StartsWith("line ", StringComparison.Ordinal) ? "yaml: unmarshal errors:\n  " + expected.Replace("\n", "\n  ", StringComparison.Ordinal) : expected;
        Assert.EndsWith(type == "application/apply-patch+yaml" ? "error strict decoding YAML: error converting YAML to JSON: " + list : "strict decoding error: " + list, message);
    }

    [Fact, Compatibility(6)]
    public async Task No_more_than_a_hundred_are_told_and_each_once()
    {
        var fields = string.Join(',', Enumerable.Range(0, 150).Select(static i => $"\"f{i}\":1,\"f{i}\":1"));
        foreach (var (method, type, body) in ((string, string, string)[])[
            ("POST", "application/json", $$$"""{"metadata":{"name":"many"},{{{fields}}}}"""),
            ("PATCH", "application/merge-patch+json", "{\"metadata\":{\"annotations\":{" + fields.Replace(":1", ":\"1\"", StringComparison.Ordinal) + "}}}")])
        {
            if (method == "PATCH") await api.MakeAsync("/api/v1/namespaces/default/configmaps", """{"metadata":{"name":"many"}}""");
            using var refused = await SendAsync(method, $"/api/v1/namespaces/default/configmaps{(method == "PATCH" ? "/many" : "")}?fieldValidation=Strict&dryRun=All", body, type);
            var message = (string)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["message"]!;
            Assert.Equal(100, message[message.IndexOf("strict decoding error", StringComparison.Ordinal)..].Split(", ").Length);
        }
    }

    /// <summary>A body with fields that nobody knows and fields that stand twice, in each format what it can have.</summary>
    private static string Doubtful(string type) => type switch
    {
        "application/json" => """
            {"apiVersion":"apps/v1","foo":1,"kind":"Deployment","metadata":{"name":"NAME","labels":{"x":"1","x":"2"},"unk":1},"spec":{"paused":true,"paused":false,"unk":1,"unk":2,
            "selector":{"matchLabels":{"app":"nginx"}},"template":{"metadata":{"labels":{"app":"nginx"}},"spec":{"containers":[{"name":"nginx","bogus":1,"image":"a","image":"nginx:latest"}]}}}}
            """,
        "application/yaml" => """
            apiVersion: apps/v1
            foo: 1
            kind: Deployment
            metadata:
              labels: {x: "1",
                x: "2"}
              name: NAME
              unk: 1
            spec: {paused: true, paused: false, unk: 1,
              selector: {matchLabels: {app: nginx}},
              template:
                {metadata: {labels: {app: nginx}},
                 spec: {containers: [
                   {name: nginx,
                    bogus: 1,
                    image: a,
                    image: "nginx:latest"}]}}}
            """,
        "application/json-patch+json" => """
            [{"op":"add","path":"/spec/unk","value":1,"foo":"bar"},{"op":"add","path":"/spec/unk2","path":"/spec/unk3","value":1},
             {"op":"add","path":"/metadata/annotations","value":{"a":"1","a":"2"}},{"op":"add","path":"/spec/template/spec/containers/0/bogus","value":1}]
            """,
        "application/apply-patch+yaml" => "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    x: \"1\"\n    x: \"2\"\n  name: NAME\nspec:\n  paused: false\n",
        _ => """
            {"metadata":{"unk":1},"spec":{"unk":1,"unk":2,"paused":true,"paused":false,"template":{"spec":{"containers":[{"name":"nginx","bogus":1,"image":"a","image":"nginx:latest"}]}}}}
            """,
    };

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string body, string type)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await api.Client.SendAsync(request);
    }

    private async Task<HttpResponseMessage> SendAsync(string validation)
    {
        using var body = new StringContent(Unknown.Replace("my-dep", "my-" + validation.ToLowerInvariant(), StringComparison.Ordinal), System.Text.Encoding.UTF8, "application/json");
        return await api.Client.PostAsync(new Uri(Path + validation + "&dryRun=All", UriKind.Relative), body);
    }
}
