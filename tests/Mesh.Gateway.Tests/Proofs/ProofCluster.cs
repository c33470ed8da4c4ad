using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Net.Client;
using Mesh.Rpc;
using Mesh.Store.Tests.Support;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Tests.Proofs;

/// <summary>A store and two gateways as processes of their own, and the ways in which they fail.</summary>
internal sealed class ProofCluster : IAsyncDisposable
{
    public const string Maps = "/api/v1/namespaces/proof/configmaps";
    private const string Token = "a-token-of-the-proof";
    private readonly StoreProcess store = new();
    private readonly ServiceProcess[] gateways;
    private readonly HttpClient[] clients;

    private ProofCluster()
    {
        var file = Path.Combine(store.DataDir, "tokens.csv");
        File.WriteAllText(file, $"{Token},admin,1,\"system:masters\"\n");
        var ports = new[] { ServiceProcess.FreePort(), ServiceProcess.FreePort() };
        gateways = [.. ports.Select((port, i) => new ServiceProcess(
            typeof(GatewayService).Assembly,
            $"--store {store.Address} --listen http://127.0.0.1:{port},{Socket(i)} --token-file {file} --advertise-address 192.0.2.1{i}"))];
        clients = [.. ports.Select(static port => new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(20) })];
        foreach (var client in clients) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
    }

    public static async Task<ProofCluster> StartAsync()
    {
        var cluster = new ProofCluster();
        await cluster.store.StartAsync();
        foreach (var gateway in cluster.gateways) await gateway.StartAsync();
        await cluster.TryAsync(0, HttpMethod.Post, "/api/v1/namespaces", """{"metadata":{"name":"proof"}}""", default);
        return cluster;
    }

    /// <summary>The client of one of the gateways; any number will do.</summary>
    public HttpClient Client(int which) => clients[which % clients.Length];

    /// <summary>gRPC to the first gateway.</summary>
    public GrpcChannel Channel() => MeshChannel.Create(Socket(0), new MeshChannelOptions { BearerToken = static _ => new(Token) });

    /// <summary>The answer, or code 0 when there was none.</summary>
    public async Task<(int Code, JsonNode? Body)> TryAsync(int which, HttpMethod method, string path, string? body, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await Client(which).SendAsync(request, ct);
            return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(ct)));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException && !ct.IsCancellationRequested)
        {
            return (0, null);
        }
    }

    /// <summary>Something goes wrong, and is put right.</summary>
    public async Task<string> FailAsync(int kind, Random random)
    {
        switch (kind)
        {
            case 0:
                await store.KillAsync();
                await store.StartAsync();
                return "store killed";
            case 1:
                var time = random.Next(200, 1500);
                await Task.Run(() => store.Pause(TimeSpan.FromMilliseconds(time)));
                return $"store stopped for {time} ms";
            case 2 or 3:
                await gateways[kind - 2].KillAsync();
                await Task.Delay(random.Next(300));
                await gateways[kind - 2].StartAsync();
                return $"gateway {kind - 2} killed";
            default:
                using (var channel = MeshChannel.Create(store.Address))
                {
                    var kv = new Pb.KV.KVClient(channel);
                    var now = (await kv.RangeAsync(new Pb.RangeRequest { Key = Google.Protobuf.ByteString.CopyFromUtf8("/") })).Header.Revision;
                    await kv.CompactAsync(new Pb.CompactionRequest { Revision = now, Physical = true });
                    return $"compacted at {now}";
                }
        }
    }

    public const int Failures = 5;

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients) client.Dispose();
        foreach (var gateway in gateways) await gateway.DisposeAsync();
        await store.DisposeAsync();
    }

    private string Socket(int which) => $"unix://{store.DataDir}/gateway-{which}.sock";
}
