using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.ServiceProxy.Model;
using Mesh.ServiceProxy.Nftables;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.ServiceProxy.Tests.Nftables;

/// <summary>Real packets through the real kernel, in a network namespace of the test's own.</summary>
public class NftDriverTests
{
    private static readonly Backend A = new("10.244.0.2", 8080), B = new("10.244.0.3", 8080), C = new("10.244.0.4", 8080);

    private static VirtualPort Web(params ReadOnlySpan<Backend> backends) => new()
    {
        Name = "default/web:http",
        Transport = Transport.Tcp,
        Port = 80,
        ClusterIps = ["10.96.0.5"],
        Internal = EquatableList.Create(backends),
        External = EquatableList.Create(backends),
    };

    [Fact]
    public void ClusterIpSpreadsEvenlyOverBackends() => Run(driver =>
    {
        driver.Reset(Web(A, B, C));
        var counts = Ask("10.96.0.5", 80, 300);
        Assert.Equal(3, counts.Count);
        // 100 each in the mean; 60 is five standard deviations away.
        Assert.All(counts.Values, n => Assert.InRange(n, 60, 140));
    });

    [Fact]
    public void BackendsComeAndGoByDifference() => Run(driver =>
    {
        driver.Reset(Web(A));
        Assert.Equal(["10.244.0.2"], Ask("10.96.0.5", 80, 5).Keys);
        driver.Apply(Web(A), Web(B));
        Assert.Equal(["10.244.0.3"], Ask("10.96.0.5", 80, 5).Keys);
        driver.Apply(Web(B), Web(A, B, C));
        Assert.Equal(3, Ask("10.96.0.5", 80, 60).Count);
        driver.Apply(Web(A, B, C), Web());
        Assert.Equal(SocketError.ConnectionRefused, Refusal("10.96.0.5", 80));
        driver.Apply(Web(), Web(C));
        Assert.Equal(["10.244.0.4"], Ask("10.96.0.5", 80, 5).Keys);
        driver.Apply(Web(C), null);
        Assert.NotEqual(SocketError.Success, Refusal("10.96.0.5", 80));
    });

    [Fact]
    public void NodePortAnswersOnEveryLocalAddressAndLoopback() => Run(driver =>
    {
        driver.Reset(Web(A, B) with { NodePort = 30001 });
        Assert.Equal(2, Ask("10.1.1.1", 30001, 40).Count);
        Assert.Equal(2, Ask("127.0.0.1", 30001, 40).Count);
        driver.Apply(Web(A, B) with { NodePort = 30001 }, Web() with { NodePort = 30001 });
        Assert.Equal(SocketError.ConnectionRefused, Refusal("10.1.1.1", 30001));
    });

    [Fact]
    public void AffinityHoldsAcrossNewBackendsAndMovesWhenItsOwnGoes() => Run(driver =>
    {
        var sticky = Web(A, B) with { AffinitySeconds = 60 };
        driver.Reset(sticky);
        var first = Assert.Single(Ask("10.96.0.5", 80, 20).Keys);
        var more = Web(A, B, C) with { AffinitySeconds = 60 };
        driver.Apply(sticky, more);
        Assert.Equal([first], Ask("10.96.0.5", 80, 20).Keys);
        var others = new[] { A, B, C }.Where(b => b.Address != first).ToArray();
        driver.Apply(more, Web(others) with { AffinitySeconds = 60 });
        var second = Assert.Single(Ask("10.96.0.5", 80, 20).Keys);
        Assert.NotEqual(first, second);
        driver.Apply(Web(others) with { AffinitySeconds = 60 }, Web(others));
        Assert.Equal(2, Ask("10.96.0.5", 80, 60).Count);
        Assert.DoesNotContain("aff_", NetworkNamespace.Sh("nft list table ip mesh-proxy"));
    });

    [Fact]
    public void UdpIsForwarded() => Run(driver =>
    {
        driver.Reset(Web(A) with { Transport = Transport.Udp, Port = 53 });
        using var server = new UdpClient(new IPEndPoint(IPAddress.Parse(A.Address), A.Port));
        using var client = new UdpClient();
        client.Client.ReceiveTimeout = 3000;
        client.Connect("10.96.0.5", 53);
        client.Send("ping"u8);
        IPEndPoint? from = null;
        server.Client.ReceiveTimeout = 3000;
        Assert.Equal("ping", Encoding.ASCII.GetString(server.Receive(ref from)));
        server.Send("pong"u8, from);
        Assert.Equal("pong", Encoding.ASCII.GetString(client.Receive(ref from)));
    });

    [Fact]
    public void LocalPolicyWithoutLocalBackendDrops() => Run(driver =>
    {
        driver.Reset(Web() with { DropInternal = true });
        Assert.Equal(SocketError.TimedOut, Refusal("10.96.0.5", 80));
    });

    [Fact]
    public void ResetReplacesWhatAnEarlierProcessLeft() => Run(driver =>
    {
        driver.Reset(Web(A), Web(B) with { Name = "default/old:x", ClusterIps = ["10.96.0.9"] });
        using var library = NftLibrary.TryOpen(out _)!;
        var second = new TestDriver(library);
        second.Reset(Web(B));
        Assert.Equal(["10.244.0.3"], Ask("10.96.0.5", 80, 5).Keys);
        Assert.NotEqual(SocketError.Success, Refusal("10.96.0.9", 80));
        NftDriver.CleanUp(library, "mesh-proxy");
        Assert.Equal("", NetworkNamespace.Sh("nft list ruleset").Trim());
    });

    /// <summary>libnftables selects on its descriptors, and select aborts the process from 1024 on.</summary>
    [Fact]
    public void WorksInAProcessWithThousandsOfOpenDescriptors() => Run(driver =>
    {
        List<FileStream> open = [.. Enumerable.Range(0, 1200).Select(_ => File.OpenRead("/dev/null"))];
        using var library = NftLibrary.TryOpen(out var reason) ?? throw new InvalidOperationException(reason);
        new TestDriver(library).Reset(Web(A));
        open.ForEach(f => f.Dispose());
        Assert.Equal(["10.244.0.2"], Ask("10.96.0.5", 80, 5).Keys);
    });

    [Fact]
    public void RandomHistoriesEndInTheSameTableAsAFreshReset() => Run(driver =>
    {
        var random = new Random(20261121);
        Backend[] pool = [.. Enumerable.Range(2, 12).Select(i => new Backend($"10.244.0.{i}", 8080))];
        var present = new Dictionary<string, VirtualPort>();
        driver.Reset();
        for (var step = 0; step < 300; step++)
        {
            var name = $"default/s{random.Next(12)}:p";
            var old = present.GetValueOrDefault(name);
            VirtualPort? now = random.Next(4) == 0 ? null : new VirtualPort
            {
                Name = name,
                Transport = name.Contains("s3") ? Transport.Udp : Transport.Tcp,
                Port = 80,
                NodePort = random.Next(2) == 0 ? 0 : 30000 + name[9] + name[10],
                ClusterIps = [$"10.96.1.{name[9] - '0'}{name[10..].Split(':')[0]}"],
                Internal = [.. pool.Where(_ => random.Next(3) == 0)],
                External = [.. pool.Where(_ => random.Next(3) == 0)],
                AffinitySeconds = random.Next(3) == 0 ? 30 : 0,
                PreserveClientIp = random.Next(2) == 0,
            };
            if (old is null && now is null)
                continue;
            driver.Apply(old, now);
            if (now is null)
                present.Remove(name);
            else
                present[name] = now;
        }

        var after = Elements();
        driver.Reset([.. present.Values]);
        Assert.Equal(Elements(), after);
    });

    /// <summary>Everything in the table but the spread chains, which stay for the next service of that size, and timers.</summary>
    private static string Elements()
    {
        var text = NetworkNamespace.Sh("nft -j list table ip mesh-proxy");
        var json = System.Text.Json.Nodes.JsonNode.Parse(text)!["nftables"]!.AsArray();
        var lines = new List<string>();
        foreach (var item in json)
        {
            var holder = item!["map"] ?? item["set"];
            if (holder?["elem"] is System.Text.Json.Nodes.JsonArray elements)
                lines.AddRange(elements.Select(e => $"{holder["name"]} {e!.ToJsonString()}"));
            else if (item["chain"]?["name"]?.ToString() is { } chain && (chain.StartsWith("aff_", StringComparison.Ordinal) || chain.StartsWith("cs", StringComparison.Ordinal)))
                lines.Add("chain " + chain);
        }

        lines.Sort(StringComparer.Ordinal);
        return string.Join('\n', lines);
    }

    private static void Run(Action<TestDriver> body) => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Sh("for i in 2 3 4; do ip addr add 10.244.0.$i/32 dev lo; done; ip addr add 10.1.1.1/32 dev lo; "
            + "ip route add 10.96.0.0/16 dev lo src 10.1.1.1; echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet");
        using var library = NftLibrary.TryOpen(out var reason) ?? throw new InvalidOperationException(reason);
        var listeners = new List<TcpListener>();
        foreach (var backend in (Backend[])[A, B, C])
        {
            var listener = new TcpListener(IPAddress.Parse(backend.Address), backend.Port);
            listener.Start();
            listeners.Add(listener);
            _ = ServeAsync(listener);
        }

        try
        {
            body(new TestDriver(library));
        }
        finally
        {
            listeners.ForEach(l => l.Stop());
        }
    });

    private static async Task ServeAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptSocketAsync();
                await client.SendAsync(Encoding.ASCII.GetBytes(((IPEndPoint)listener.LocalEndpoint).Address.ToString()));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private static Dictionary<string, int> Ask(string ip, int port, int times)
    {
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < times; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 3000 };
            socket.Connect(ip, port);
            var buffer = new byte[64];
            var who = Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
            counts[who] = counts.GetValueOrDefault(who) + 1;
        }

        return counts;
    }

    private static SocketError Refusal(string ip, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            socket.Connect(ip, port);
            return SocketError.Success;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            if (!socket.Poll(700_000, SelectMode.SelectWrite))
                return SocketError.TimedOut;
            return (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! switch
            {
                SocketError.Success => SocketError.Success,
                var error => error,
            };
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    internal sealed class TestDriver(NftLibrary library)
    {
        private readonly NftDriver driver = new(
            library, new NftOptions("mesh-proxy", "10.244.0.0/16", "10.96.0.0/16"), new NoConntrack(), NullLogger<NftDriver>.Instance);

        public void Reset(params VirtualPort[] ports) => Done(driver.ResetAsync(ports, CancellationToken.None));

        public void Apply(VirtualPort? old, VirtualPort? now) => Done(driver.ApplyAsync([new(old, now)], CancellationToken.None));

        // Everything must stay on the namespace's own thread: the driver completes synchronously.
        private static void Done(ValueTask task)
        {
            Assert.True(task.IsCompleted);
            task.GetAwaiter().GetResult();
        }
    }

    private sealed class NoConntrack : IConntrack
    {
        public ValueTask DeleteUdpAsync(string virtualIp, int port, string? backend, CancellationToken ct) => ValueTask.CompletedTask;
    }
}
