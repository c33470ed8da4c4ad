using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Mesh.ServiceProxy.Model;
using Mesh.ServiceProxy.Userspace;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.ServiceProxy.Tests.Userspace;

/// <summary>The native splice forwarder, over loopback.</summary>
public sealed class UserspaceDriverTests : IDisposable
{
    private readonly CancellationTokenSource stop = new(TimeSpan.FromSeconds(60));
    private readonly NativeForwarder forwarder = NativeForwarder.TryCreate(out var reason) ?? throw new InvalidOperationException(reason);

    public void Dispose()
    {
        stop.Cancel();
        forwarder.Dispose();
        stop.Dispose();
    }

    [Fact]
    public async Task BytesArriveWholeBothWays()
    {
        var (id, port) = Listen(Transport.Tcp);
        forwarder.Set(id, [Echo()], 0);
        var sent = RandomNumberGenerator.GetBytes(8 << 20);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, stop.Token);
        var stream = client.GetStream();
        var received = new byte[sent.Length];
        var reading = stream.ReadExactlyAsync(received, stop.Token).AsTask();
        await stream.WriteAsync(sent, stop.Token);
        client.Client.Shutdown(SocketShutdown.Send);
        await reading;
        Assert.Equal(sent, received);
        Assert.Equal(0, await stream.ReadAsync(new byte[1], stop.Token));
        Assert.Equal(2UL * (ulong)sent.Length, forwarder.Stats().Bytes);
    }

    [Fact]
    public async Task ManyConnectionsAtOnceAndNoneLeft()
    {
        var (id, port) = Listen(Transport.Tcp);
        forwarder.Set(id, [Echo(), Echo(), Echo()], 0);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, stop.Token);
            var text = Encoding.ASCII.GetBytes($"hello {i}");
            await client.GetStream().WriteAsync(text, stop.Token);
            var back = new byte[text.Length];
            await client.GetStream().ReadExactlyAsync(back, stop.Token);
            Assert.Equal(text, back);
        }));
        while (forwarder.Stats().Open > 0)
            await Task.Delay(10, stop.Token);
        Assert.Equal(200UL, forwarder.Stats().Accepted);
    }

    [Fact]
    public async Task ADeadBackendIsReplacedByAnother()
    {
        var (id, port) = Listen(Transport.Tcp);
        var dead = new TcpListener(IPAddress.Loopback, 0);
        dead.Start();
        var gone = new Backend("127.0.0.1", ((IPEndPoint)dead.LocalEndpoint).Port);
        dead.Stop();
        forwarder.Set(id, [gone, Echo()], 0);
        // Three tries for each: all dead is 1 in 8, so some of forty must get through only because another was tried.
        var answered = 0;
        for (var i = 0; i < 40; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, stop.Token);
            try
            {
                await client.GetStream().WriteAsync("x"u8.ToArray(), stop.Token);
                answered += await client.GetStream().ReadAsync(new byte[1], stop.Token);
            }
            catch (IOException)
            {
                // All three tries hit the dead one.
            }
        }

        Assert.InRange(answered, 26, 40);
    }

    [Fact]
    public async Task WithoutABackendTheConnectionIsReset()
    {
        var (id, port) = Listen(Transport.Tcp);
        forwarder.Set(id, [], 0);
        using var client = new TcpClient();
        // The reset may come while the connect still returns, or on the first read.
        var refusal = await Record.ExceptionAsync(async () =>
        {
            await client.ConnectAsync(IPAddress.Loopback, port, stop.Token);
            await client.GetStream().ReadExactlyAsync(new byte[1], stop.Token);
        });
        var socket = refusal as SocketException ?? refusal?.InnerException as SocketException;
        Assert.Equal(SocketError.ConnectionReset, socket?.SocketErrorCode);
    }

    [Fact]
    public async Task AffinityKeepsAClientAtItsBackendUntilItGoes()
    {
        var (id, port) = Listen(Transport.Tcp);
        List<Backend> backends = [Named("a"), Named("b"), Named("c")];
        forwarder.Set(id, backends, 60);
        var first = await NameAsync(port);
        for (var i = 0; i < 20; i++)
            Assert.Equal(first, await NameAsync(port));
        backends.RemoveAt(first[0] - 'a');
        forwarder.Set(id, backends, 60);
        Assert.NotEqual(first, await NameAsync(port));
    }

    [Fact]
    public async Task UdpGoesBothWaysAndFollowsTheBackends()
    {
        var (id, port) = Listen(Transport.Udp);
        using UdpClient one = new(new IPEndPoint(IPAddress.Loopback, 0)), two = new(new IPEndPoint(IPAddress.Loopback, 0)), client = new();
        client.Connect(IPAddress.Loopback, port);
        foreach (var server in (UdpClient[])[one, two])
        {
            forwarder.Set(id, [new Backend("127.0.0.1", ((IPEndPoint)server.Client.LocalEndPoint!).Port)], 0);
            await client.SendAsync("ping"u8.ToArray(), stop.Token);
            var got = await server.ReceiveAsync(stop.Token);
            await server.SendAsync("pong"u8.ToArray(), got.RemoteEndPoint, stop.Token);
            Assert.Equal("pong"u8.ToArray(), (await client.ReceiveAsync(stop.Token)).Buffer);
        }
    }

    [Fact]
    public async Task DriverOpensMovesAndClosesListeners()
    {
        var driver = new UserspaceDriver(forwarder, NullLogger<UserspaceDriver>.Instance);
        var port = FreePort();
        var web = new VirtualPort { Name = "d/w:p", Transport = Transport.Tcp, Port = 80, NodePort = port, External = [Named("a")] };
        await driver.ResetAsync([web], stop.Token);
        Assert.Equal("a", await NameAsync(port));
        var changed = web with { External = [Named("b")] };
        await driver.ApplyAsync([new(web, changed)], stop.Token);
        Assert.Equal("b", await NameAsync(port));
        await driver.ApplyAsync([new(changed, null)], stop.Token);
        await Assert.ThrowsAsync<SocketException>(() => NameAsync(port));
        Assert.Equal(0U, forwarder.Stats().Listeners);
    }

    [Fact]
    public async Task ListenersComeAndGoUnderTraffic()
    {
        // The race that matters: an event fetched for a listener that another thread closes.
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var (id, port) = Listen(Transport.Tcp);
            forwarder.Set(id, [Echo()], 0);
            var clients = Enumerable.Range(0, 4).Select(async _ =>
            {
                using var client = new TcpClient();
                try
                {
                    await client.ConnectAsync(IPAddress.Loopback, port, stop.Token);
                    await client.GetStream().WriteAsync("x"u8.ToArray(), stop.Token);
                }
                catch (Exception e) when (e is IOException or SocketException)
                {
                    // Closed meanwhile.
                }
            }).ToArray();
            if (random.Next(2) == 0)
                await Task.Yield();
            forwarder.Close(id);
            await Task.WhenAll(clients);
        }

        Assert.Equal(0U, forwarder.Stats().Listeners);
    }

    private (int Id, int Port) Listen(Transport transport)
    {
        var id = forwarder.Listen(transport, "127.0.0.1", 0);
        Assert.True(id >= 0, $"errno {-id}");
        return (id, forwarder.Port(id));
    }

    private Backend Echo() => Serve(async (stream, ct) => await stream.CopyToAsync(stream, ct));

    private Backend Named(string name) => Serve(async (stream, ct) => await stream.WriteAsync(Encoding.ASCII.GetBytes(name), ct));

    private async Task<string> NameAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, stop.Token);
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync(stop.Token);
    }

    private Backend Serve(Func<NetworkStream, CancellationToken, Task> serve)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(512);
        _ = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var client = await listener.AcceptTcpClientAsync(stop.Token);
                _ = Task.Run(async () =>
                {
                    using (client)
                    {
                        try
                        {
                            await serve(client.GetStream(), stop.Token);
                        }
                        catch (Exception e) when (e is IOException or OperationCanceledException)
                        {
                            // The client went away.
                        }
                    }
                });
            }
        });
        return new Backend("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
    }

    private static int FreePort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
