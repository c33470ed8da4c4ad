using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Gateway.Storage;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security;
using Mesh.Security.Tokens;

namespace Mesh.Gateway.Tests.Etcd;

/// <summary>Scenario A5: the gateway on a real etcd of three members; one of them dies at a time.</summary>
public sealed class EtcdClusterTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    [Fact]
    public async Task Reads_writes_and_watches_go_on_when_members_are_killed()
    {
        await using var etcd = await EtcdCluster.StartAsync();
        var tokens = new StaticTokens();
        var builder = MeshHost.CreateBuilder(["--log-level", "error"]).Share(tokens)
            .Set("gateway", "store", etcd.Endpoints).Set("gateway", "pki-dir", etcd.Pki).Set("gateway", "listen", "http://127.0.0.1:0").Set("gateway", "advertise-address", "192.0.2.10")
            .Add(new GatewayService());
        await using var host = builder.Build();
        await host.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Addresses("gateway").Single(a => a.Scheme == MeshScheme.Http).ToHttpUri() };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Create(new UserInfo("admin", "", ["system:masters"])));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await WriteAsync(client, -1, limit.Token);

        var seen = new List<int>();
        var watching = WatchAsync(client, seen, limit.Token);
        var next = 0;
        for (var member = 0; member < 3; member++)
        {
            for (var i = 0; i < 10; i++) await WriteAsync(client, next++, limit.Token);
            etcd.Kill(member);
            for (var i = 0; i < 10; i++) await WriteAsync(client, next++, limit.Token);
            var list = JsonNode.Parse(await client.GetStringAsync(Maps, limit.Token))!["items"]!.AsArray();
            Assert.Equal(next + 1, list.Count(o => o!["metadata"]!["name"]!.ToString().StartsWith("map-", StringComparison.Ordinal)));
            Assert.Equal(2, (await etcd.EtcdctlAsync(etcd.Endpoints, "endpoint", "health", "--command-timeout=2s")).Output.Split('\n').Count(l => l.Contains("is healthy", StringComparison.Ordinal)));
            etcd.Start(member);
            await etcd.HealthyAsync(3);
        }

        await WriteAsync(client, 1_000_000, limit.Token);
        await watching;
        Assert.Equal(Enumerable.Range(0, next).Append(1_000_000), seen);
    }

    [Fact]
    public async Task Large_objects_and_large_lists_pass_and_writes_are_guarded()
    {
        await using var etcd = await EtcdCluster.StartAsync();
        using var certificate = X509Certificate2.CreateFromPemFile(etcd.Paths.StoreHealthClient.Certificate, etcd.Paths.StoreHealthClient.Key);
        using var root = X509CertificateLoader.LoadCertificateFromFile(etcd.Paths.StoreCa.Certificate);
        var options = MeshChannelOptions.WithCertificates(certificate, [root]);
        using var client = new EtcdClient([.. etcd.Endpoints.Split(',').Select(e => LeanChannel.Create(e, options))]);
        var storage = new ObjectStorage(client, TimeProvider.System);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var random = new Random(7);
        var values = Enumerable.Range(0, 8).Select(_ => new byte[1_400_000]).ToList();
        values.ForEach(random.NextBytes);
        var revisions = new List<long>();
        foreach (var result in await Task.WhenAll(values.Select((v, i) => storage.CreateAsync("/registry/large/" + i, v, null, limit.Token).AsTask())))
        {
            Assert.True(result.Succeeded);
            revisions.Add(result.Revision);
        }

        var page = await storage.ListAsync("/registry/large/", null, 0, 0, limit.Token);
        Assert.Equal(8, page.Items.Count);
        for (var i = 0; i < 8; i++) Assert.True(page.Items[i].Json.Span.SequenceEqual(values[i]));
        Assert.Equal(page.Revision, await storage.RevisionAsync(limit.Token));
        var refused = await storage.CreateAsync("/registry/large/3", new byte[] { 1 }, null, limit.Token);
        Assert.Equal((false, revisions[3], 1_400_000), (refused.Succeeded, refused.Current!.Revision, refused.Current.Json.Length));
        var leased = await storage.UpdateAsync("/registry/large/3", new byte[] { 2 }, revisions[3], TimeSpan.FromHours(1), limit.Token);
        Assert.True(leased.Succeeded);
        Assert.False((await storage.DeleteAsync("/registry/large/3", revisions[3], limit.Token)).Succeeded);
        Assert.True((await storage.DeleteAsync("/registry/large/3", leased.Revision, limit.Token)).Succeeded);
        Assert.Null(await storage.GetAsync("/registry/large/3", limit.Token));
        await Assert.ThrowsAnyAsync<Grpc.Core.RpcException>(() => storage.CreateAsync("/registry/large/9", new byte[4_000_000], null, limit.Token).AsTask());
    }

    /// <summary>Until it is taken, as clients do: a write whose answer was lost with a member shows as a conflict of the next try, which means it was done.</summary>
    private static async Task WriteAsync(HttpClient client, int index, CancellationToken ct)
    {
        while (true)
        {
            using var content = new StringContent($$$"""{"metadata":{"name":"map-{{{index}}}"},"data":{"index":"{{{index}}}"}}""", Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync(new Uri(Maps, UriKind.Relative), content, ct);
            if ((int)answer.StatusCode is 201 or 409) return;
            // Nothing else but "not now" may come: never a 500.
            Assert.True((int)answer.StatusCode is 503 or 504, await answer.Content.ReadAsStringAsync(ct));
            await Task.Delay(100, ct);
        }
    }

    private static async Task WatchAsync(HttpClient client, List<int> seen, CancellationToken ct)
    {
        using var reader = new StreamReader(await client.GetStreamAsync($"{Maps}?watch=1&resourceVersion=0", ct));
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            var change = JsonNode.Parse(line)!;
            Assert.Equal("ADDED", change["type"]!.ToString());
            if (change["object"]!["data"]?["index"]?.ToString() is not { } text || text == "-1") continue;
            seen.Add(int.Parse(text));
            if (text == "1000000") return;
        }

        Assert.Fail("the watch ended");
    }
}
