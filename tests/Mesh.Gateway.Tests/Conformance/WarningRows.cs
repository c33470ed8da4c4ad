namespace Mesh.Gateway.Tests.Conformance;

/// <summary>Warnings as they leave the server: in headers of every answer that they are about, and of no other.</summary>
[Collection("gateway")]
public sealed class WarningRows(GatewayHost api)
{
    private const string Deployment = """
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"warned"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
         "spec":{"nodeSelector":{"beta.kubernetes.io/os":"linux"},"containers":[{"name":"c","image":"i"}]}}}}
        """;

    private const string Label = "299 - \"spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \\\"kubernetes.io/os\\\" instead\"";

    [Fact]
    public async Task Writers_of_old_fields_are_warned_when_they_write_them()
    {
        var path = (await api.NamespaceAsync("warned")).In("apps/v1") + "/deployments";
        Assert.Equal([Label], await WarningsAsync(HttpMethod.Post, path, Deployment));
        Assert.Equal([Label], await WarningsAsync(HttpMethod.Patch, path + "/warned", """{"spec":{"paused":true}}"""));
        Assert.Equal([Label], await WarningsAsync(HttpMethod.Patch, path + "/warned/scale", """{"spec":{"replicas":3}}"""));
        Assert.Empty(await WarningsAsync(HttpMethod.Patch, path + "/warned", """{"metadata":{"labels":{"x":"y"}}}"""));
        Assert.Empty(await WarningsAsync(HttpMethod.Patch, path + "/warned/status", """{"status":{"replicas":3}}"""));
        Assert.Empty(await WarningsAsync(HttpMethod.Get, path + "/warned"));
    }

    [Fact]
    public async Task Users_of_old_apis_are_warned_whatever_they_do()
    {
        const string endpoints = "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\"";
        Assert.Equal([endpoints], await WarningsAsync(HttpMethod.Get, "/api/v1/endpoints"));
        Assert.Equal([endpoints], await WarningsAsync(HttpMethod.Get, "/api/v1/endpoints?watch=1&timeoutSeconds=1"));
        Assert.Equal([endpoints], await WarningsAsync(HttpMethod.Post, "/api/v1/namespaces/default/endpoints?dryRun=All", """{"metadata":{"name":"e"}}"""));
        Assert.Equal(["299 - \"v1 ComponentStatus is deprecated in v1.19+\""], await WarningsAsync(HttpMethod.Get, "/api/v1/componentstatuses"));
        Assert.Empty(await WarningsAsync(HttpMethod.Get, "/api/v1/pods"));
    }

    private async Task<string[]> WarningsAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json");
        using var answer = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return answer.Headers.TryGetValues("Warning", out var values) ? [.. values] : [];
    }
}
