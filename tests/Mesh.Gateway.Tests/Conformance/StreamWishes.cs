using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security.Tokens;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>Many streams of one client, and streams that nobody ends.</summary>
public sealed class StreamWishes(StreamWishes.Gateway api) : IClassFixture<StreamWishes.Gateway>
{
    private const int Streams = 300;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact, Compatibility(14)]
    public async Task Hundreds_of_watches_and_reads_share_one_connection()
    {
        var maps = await api.NamespaceAsync("streams") + "/configmaps";
        var connections = 0;
        using var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = false,
            SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=gateway" },
            ConnectCallback = async (context, ct) =>
            {
                Interlocked.Increment(ref connections);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler)
        {
            BaseAddress = api.AddressOf(MeshScheme.Https),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        client.DefaultRequestHeaders.Authorization = api.Client.DefaultRequestHeaders.Authorization;

        var watches = await Task.WhenAll(Enumerable.Range(0, Streams).Select(async _ =>
        {
            var answer = await client.GetAsync(new Uri(maps + "?watch=1", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal((200, HttpVersion.Version20), ((int)answer.StatusCode, answer.Version));
            return new WatchLines(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
        })).WaitAsync(Deadline);

        // While all of them are open.
        await Task.WhenAll(Enumerable.Range(0, Streams).Select(async _ =>
        {
            var list = JsonNode.Parse(await client.GetStringAsync(new Uri(maps, UriKind.Relative)))!;
            Assert.Empty(list["items"]!.AsArray());
        })).WaitAsync(Deadline);
        await api.MakeAsync(maps, """{"metadata":{"name":"seen-by-all"}}""");
        foreach (var watch in watches)
        {
            Assert.Equal("seen-by-all", (await watch.NextAsync("ADDED")).Name());
            watch.Dispose();
        }

        Assert.Equal(1, connections);
    }

    [Fact, Compatibility(14)]
    public async Task A_watch_that_names_no_end_has_one_in_30_to_60_minutes()
    {
        var maps = await api.NamespaceAsync("endless") + "/configmaps";
        api.Clock.Holds = true;
        var watches = new List<WatchLines>();
        for (var i = 0; i < 20; i++) watches.Add(await api.WatchAsync(maps + "?watch=1"));
        api.Clock.Holds = false;

        var ends = api.Clock.Held.ToArray();
        Assert.True(ends.Length >= watches.Count, $"{ends.Length} timers for {watches.Count} watches");
        Assert.All(ends, static e => Assert.InRange(e.Due, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(60)));
        Assert.NotEqual(1, ends.Select(static e => e.Due).Distinct().Count());

        // They are still open, until then.
        await api.MakeAsync(maps, """{"metadata":{"name":"before"}}""");
        foreach (var watch in watches) Assert.Equal("before", (await watch.NextAsync("ADDED")).Name());
        foreach (var end in ends) end.Fire();
        foreach (var watch in watches)
        {
            Assert.Null(await watch.Reader.ReadLineAsync().WaitAsync(Deadline));
            watch.Dispose();
        }
    }

    /// <summary>A gateway that speaks TLS too, with a clock whose long timers a test fires itself.</summary>
    public sealed class Gateway : GatewayHost
    {
        private readonly string pki = Directory.CreateTempSubdirectory("mesh-streams-").FullName;

        internal LongTimers Clock { get; } = new();

        private protected override void AddMore(MeshHostBuilder builder, StaticTokens known)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var certificate = new CertificateRequest("CN=gateway", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            File.WriteAllText(pki + "/tls.crt", certificate.ExportCertificatePem());
            File.WriteAllText(pki + "/tls.key", key.ExportPkcs8PrivateKeyPem());
            builder.Set("gateway", "listen", "http://127.0.0.1:0,https://127.0.0.1:0,inproc://gateway").Set("gateway", "tls-cert-file", pki + "/tls.crt").Set("gateway", "tls-key-file", pki + "/tls.key");
            builder.UseTime(Clock);
        }

        public override async Task DisposeAsync()
        {
            await base.DisposeAsync();
            Directory.Delete(pki, recursive: true);
        }
    }

    /// <summary>The machine's time; while it holds, timers of more than a quarter of an hour wait for a test to fire them.</summary>
    internal sealed class LongTimers : TimeProvider
    {
        private static readonly TimeSpan Long = TimeSpan.FromMinutes(15);

        public bool Holds { get; set; }

        public ConcurrentQueue<HeldTimer> Held { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (!Holds || dueTime < Long) return base.CreateTimer(callback, state, dueTime, period);
            var timer = new HeldTimer(callback, state, dueTime);
            Held.Enqueue(timer);
            return timer;
        }
    }

    /// <summary>A timer that fires when it is told to.</summary>
    internal sealed class HeldTimer(TimerCallback callback, object? state, TimeSpan due) : ITimer
    {
        private bool over;

        public TimeSpan Due => due;

        public void Fire()
        {
            if (!over) callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => !over;

        public void Dispose() => over = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
