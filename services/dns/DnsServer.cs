using System.Net;
using System.Net.Sockets;
using Mesh.Dns.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.Dns;

/// <summary>UDP and TCP on one address. Cluster names are answered on the receiving loop, forwarded ones beside it.</summary>
internal sealed class DnsServer(DnsHandler handler, ILogger<DnsServer> logger) : IDisposable
{
    private const int MaxForwarded = 1024;
    private const int MaxConnections = 256;
    private static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim connections = new(MaxConnections);
    private int forwarded;

    /// <summary>Serves until cancelled. <paramref name="listening"/> gets the bound end point (port 0 picks a free one).</summary>
    public async Task RunAsync(IPEndPoint address, TaskCompletionSource<IPEndPoint>? listening, CancellationToken ct)
    {
        using var udp = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(address);
        var bound = (IPEndPoint)udp.LocalEndPoint!;
        using var tcp = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        tcp.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        tcp.Bind(bound);
        tcp.Listen(128);
        listening?.TrySetResult(bound);
        Log.Listening(logger, bound);
        await Task.WhenAll(ReceiveUdpAsync(udp, ct), AcceptTcpAsync(tcp, ct));
    }

    public void Dispose() => connections.Dispose();

    private async Task ReceiveUdpAsync(Socket socket, CancellationToken ct)
    {
        var buffer = new byte[4096];
        var writer = new ResponseWriter();
        var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!ct.IsCancellationRequested)
        {
            SocketReceiveFromResult received;
            try
            {
                received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, any, ct);
            }
            catch (SocketException)
            {
                // An ICMP error of an earlier answer; the socket is fine.
                continue;
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var answer = handler.HandleAsync(buffer.AsMemory(0, received.ReceivedBytes), tcp: false, writer, ct);
            if (answer.IsCompletedSuccessfully)
            {
                await SendAsync(socket, await answer, received.RemoteEndPoint, ct);
                continue;
            }

            // It waits for a resolver: the loop must not. The query and the writer now belong to that answer.
            if (Interlocked.Increment(ref forwarded) > MaxForwarded)
                await FinishAsync(socket, answer, received.RemoteEndPoint, ct);
            else
                _ = FinishAsync(socket, answer, received.RemoteEndPoint, ct);
            buffer = new byte[4096];
            writer = new ResponseWriter();
        }
    }

    private async Task FinishAsync(Socket socket, ValueTask<ReadOnlyMemory<byte>?> pending, EndPoint client, CancellationToken ct)
    {
        try
        {
            await SendAsync(socket, await pending, client, ct);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Stopping.
        }
        catch (Exception e)
        {
            Log.QueryFailed(logger, e);
        }
        finally
        {
            Interlocked.Decrement(ref forwarded);
        }
    }

    private static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte>? answer, EndPoint client, CancellationToken ct)
    {
        if (answer is not { } bytes)
            return;
        try
        {
            await socket.SendToAsync(bytes, SocketFlags.None, client, ct);
        }
        catch (SocketException)
        {
            // The client is gone.
        }
    }

    private async Task AcceptTcpAsync(Socket listener, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await connections.WaitAsync(ct);
                var client = await listener.AcceptAsync(ct);
                _ = ServeAsync(client, ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                connections.Release();
            }
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken ct)
    {
        try
        {
            await using var stream = new NetworkStream(client, ownsSocket: true);
            var writer = new ResponseWriter();
            var header = new byte[2];
            while (true)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
                limit.CancelAfter(IdleConnection);
                await stream.ReadExactlyAsync(header, limit.Token);
                var packet = new byte[(header[0] << 8) | header[1]];
                await stream.ReadExactlyAsync(packet, limit.Token);
                if (await handler.HandleAsync(packet, tcp: true, writer, limit.Token) is not { } answer)
                    return;
                await stream.WriteAsync(new byte[] { (byte)(answer.Length >> 8), (byte)answer.Length }, limit.Token);
                await stream.WriteAsync(answer, limit.Token);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Closed by the client, or idle for too long.
        }
        finally
        {
            connections.Release();
        }
    }
}
