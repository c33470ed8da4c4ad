using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Telemetry.Tests;

public sealed class HealthTests
{
    private readonly HealthRegistry _registry = new();

    [Theory]
    [InlineData("/healthz", 200, "ok")]
    [InlineData("/livez?verbose", 200, "[+]ping ok\n[+]etcd ok\nlivez check passed\n")]
    [InlineData("/readyz?verbose=true", 500, "[+]ping ok\n[+]etcd ok\n[-]informer-sync failed: reason withheld\nreadyz check failed\n")]
    [InlineData("/readyz", 500, "[+]ping ok\n[+]etcd ok\n[-]informer-sync failed: reason withheld\nreadyz check failed\n")]
    [InlineData("/readyz?verbose&exclude=informer-sync", 200, "[+]ping ok\n[+]etcd ok\n[+]informer-sync excluded: ok\nreadyz check passed\n")]
    [InlineData("/readyz/etcd", 200, "ok")]
    [InlineData("/readyz/informer-sync", 500, "internal server error: reason withheld\n")]
    [InlineData("/livez/informer-sync", 404, "404 page not found\n")]
    public async Task Answers_as_kubernetes_does(string url, int code, string body)
    {
        _registry.Add("etcd", _ => default);
        _registry.Add("informer-sync", _ => new ValueTask<string?>("pods are not listed yet"), HealthEndpoints.Readyz);
        Assert.Equal((code, body), await GetAsync(url));
    }

    [Fact]
    public async Task A_check_that_throws_has_failed()
    {
        _registry.Add("disk", _ => throw new IOException("gone"));
        Assert.Equal(500, (await GetAsync("/healthz")).Code);
    }

    [Fact]
    public async Task A_check_added_again_replaces_the_first()
    {
        _registry.Add("leader", () => false);
        _registry.Add("leader", () => true);
        Assert.Equal((200, "ok"), await GetAsync("/healthz"));
    }

    [Fact]
    public async Task Other_paths_are_left_alone()
    {
        var context = new DefaultHttpContext();
        context.Request.Path = "/healthzz";
        Assert.False(await HealthHttp.TryHandleAsync(context, _registry, NullLogger.Instance));
    }

    private async Task<(int Code, string Body)> GetAsync(string url)
    {
        var context = new DefaultHttpContext();
        var question = url.IndexOf('?');
        context.Request.Path = question < 0 ? url : url[..question];
        context.Request.QueryString = new QueryString(question < 0 ? "" : url[question..]);
        var body = new MemoryStream();
        context.Response.Body = body;
        Assert.True(await HealthHttp.TryHandleAsync(context, _registry, NullLogger.Instance));
        return (context.Response.StatusCode, Encoding.UTF8.GetString(body.ToArray()));
    }
}
