using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Caching.Tests;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security;
using Mesh.Security.Pki;
using Mesh.Security.Tokens;
using Mesh.Store;

namespace Mesh.Gateway.Tests.Sharing;

/// <summary>Two gateways on one store share what they found out through Redis, and are right whatever becomes of it.</summary>
public sealed class SharedCacheTests : IAsyncLifetime
{
    private const string Roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/";
    private readonly string directory = Directory.CreateTempSubdirectory("mesh-shared-").FullName;
    private readonly StaticTokens tokens = new();
    private readonly RedisServer redis = new();
    private readonly List<MeshHost> hosts = [];
    private readonly CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
    private HttpClient one = null!;
    private HttpClient other = null!;

    public async Task InitializeAsync()
    {
        ClusterPki.Ensure(Path.Combine(directory, "pki"), new PkiOptions { NodeName = "vm" });
        one = await StartAsync(Builder().Set("store", "data-dir", Path.Combine(directory, "store")).Set("store", "listen", Store).Add(new StoreService()));
        other = await StartAsync(Builder());
    }

    public async Task DisposeAsync()
    {
        one.Dispose();
        other.Dispose();
        hosts.Reverse();
        foreach (var host in hosts) await host.DisposeAsync();
        redis.Dispose();
        limit.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Documents_are_made_by_one_gateway_for_both()
    {
        // What is made before a gateway has its connection to Redis is not left there: another document shows it then.
        string[] paths = ["/openapi/v2", .. JsonNode.Parse(await one.GetStringAsync(new Uri("/openapi/v3", UriKind.Relative), limit.Token))!["paths"]!.AsObject().Select(static p => "/openapi/v3/" + p.Key)];
        var next = 0;
        await UntilAsync(async () =>
        {
            Assert.True(next < paths.Length, "the second gateway made every document itself");
            var path = new Uri(paths[next++], UriKind.Relative);
            var mine = await one.GetByteArrayAsync(path, limit.Token);
            await Task.Delay(50, limit.Token); // it is left there without anybody waiting for that
            var before = Hits();
            var theirs = await other.GetByteArrayAsync(path, limit.Token);
            Assert.True(mine.AsSpan().SequenceEqual(theirs));
            return Hits() > before;
        });
        Assert.DoesNotContain("io.k8s.api.core.v1.Pod", redis.Command("--raw", "GET", redis.Command("--raw", "RANDOMKEY")));
    }

    [Fact]
    public async Task What_is_taken_away_is_gone_at_both_gateways_though_redis_remembers_and_whatever_it_does()
    {
        foreach (var happens in new[] { static (RedisServer _) => { }, static r => r.Command("FLUSHALL"), static r => r.Signal("-STOP"), static r => r.Kill() })
        {
            var name = "builder-" + Guid.NewGuid().ToString("N")[..8];
            await SendAsync(one, HttpMethod.Post, "/api/v1/namespaces/default/serviceaccounts", $$$"""{"metadata":{"name":"{{{name}}}"}}""", 201);
            var issued = await SendAsync(one, HttpMethod.Post, $"/api/v1/namespaces/default/serviceaccounts/{name}/token", "{}", 201);
            var token = issued["status"]!["token"]!.ToString();
            await UntilCodeAsync(token, 403);

            await SendAsync(one, HttpMethod.Post, Roles + "roles", $$"""{"metadata":{"name":"{{name}}"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["list"]}]}""", 201);
            await SendAsync(other, HttpMethod.Post, Roles + "rolebindings", $$"""
                {"metadata":{"name":"{{name}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"{{name}}"},"subjects":[{"kind":"ServiceAccount","name":"{{name}}","namespace":"default"}]}
                """, 201);
            await UntilCodeAsync(token, 200);

            happens(redis);
            await UntilCodeAsync(token, 200);
            await SendAsync(other, HttpMethod.Delete, Roles + "rolebindings/" + name, null, 200);
            await UntilCodeAsync(token, 403);
            await SendAsync(one, HttpMethod.Delete, "/api/v1/namespaces/default/serviceaccounts/" + name, null, 200);
            await UntilCodeAsync(token, 401);
        }
    }

    private string Store => "unix://" + Path.Combine(directory, "store.sock");

    private MeshHostBuilder Builder() => MeshHost.CreateBuilder(["--log-level", "error"]).Share(tokens)
        .Set("gateway", "store", Store).Set("gateway", "pki-dir", Path.Combine(directory, "pki")).Set("gateway", "listen", "http://127.0.0.1:0")
        .Set("gateway", "advertise-address", "192.0.2.10").Set("gateway", "redis", redis.Configuration);

    private async Task<HttpClient> StartAsync(MeshHostBuilder builder)
    {
        var host = builder.Add(new GatewayService()).Build();
        hosts.Add(host);
        await host.StartAsync();
        var client = new HttpClient { BaseAddress = host.Addresses("gateway").Single(a => a.Scheme == MeshScheme.Http).ToHttpUri() };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Create(new UserInfo("admin", "", ["system:masters"])));
        return client;
    }

    private long Hits() => long.Parse(redis.Command("INFO", "stats").Split('\n').Single(l => l.StartsWith("keyspace_hits:", StringComparison.Ordinal)).Trim().Split(':')[1]);

    private async Task<JsonNode> SendAsync(HttpClient client, HttpMethod method, string path, string? body, int code)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.SendAsync(request, limit.Token);
        var text = await answer.Content.ReadAsStringAsync(limit.Token);
        Assert.True((int)answer.StatusCode == code, text);
        return JsonNode.Parse(text)!;
    }

    // A gateway is a few milliseconds behind what the other wrote; never behind its own writes for long either.
    private Task UntilCodeAsync(string token, int code) => UntilAsync(async () => await CodeAsync(one, token) == code && await CodeAsync(other, token) == code);

    private async Task<int> CodeAsync(HttpClient client, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/namespaces/default/configmaps");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await client.SendAsync(request, limit.Token);
        return (int)answer.StatusCode;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var watch = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), "not within a minute");
            await Task.Delay(20);
        }
    }
}
