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

    private async Task<HttpResponseMessage> SendAsync(string validation)
    {
        using var body = new StringContent(Unknown.Replace("my-dep", "my-" + validation.ToLowerInvariant(), StringComparison.Ordinal), System.Text.Encoding.UTF8, "application/json");
        return await api.Client.PostAsync(new Uri(Path + validation + "&dryRun=All", UriKind.Relative), body);
    }
}
