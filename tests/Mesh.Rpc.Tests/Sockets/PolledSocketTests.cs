using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Mesh.Rpc.Lean.Sockets;

namespace Mesh.Rpc.Tests.Sockets;

public sealed class PolledSocketTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Both_directions_flow_at_once_whatever_the_pieces()
    {
        var (one, other) = await PairAsync();
        await using var _ = one;
        await using var __ = other;
        var seed = Environment.TickCount;
        await Task.WhenAll(SendAsync(one, seed), SendAsync(other, seed + 1), TakeAsync(other, seed), TakeAsync(one, seed + 1)).WaitAsync(s_limit);
    }

    [Fact]
    public async Task Many_connections_wait_at_once()
    {
        var pairs = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => PairAsync()));
        var reads = pairs.Select(p => p.Other.ReadAsync(new byte[8]).AsTask()).ToList();
        foreach (var (one, _) in pairs.Reverse()) await one.WriteAsync(new byte[] { 1, 2, 3 });
        Assert.All(await Task.WhenAll(reads).WaitAsync(s_limit), count => Assert.InRange(count, 1, 3));
        foreach (var (one, other) in pairs)
        {
            await one.DisposeAsync();
            await other.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_cancelled_read_takes_nothing_and_the_next_one_reads_on()
    {
        var (one, other) = await PairAsync();
        await using var _ = one;
        await using var __ = other;
        var buffer = new byte[8];
        for (var i = 0; i < 100; i++)
        {
            using var cancel = new CancellationTokenSource();
            var read = other.ReadAsync(buffer, cancel.Token).AsTask();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(s_limit));
        }

        var next = other.ReadAsync(buffer).AsTask();
        await one.WriteAsync(new byte[] { 7 });
        Assert.Equal(1, await next.WaitAsync(s_limit));
        Assert.Equal(7, buffer[0]);
    }

    [Fact]
    public async Task A_read_into_nothing_ends_when_there_is_something()
    {
        var (one, other) = await PairAsync();
        await using var _ = one;
        await using var __ = other;
        var read = other.ReadAsync(Memory<byte>.Empty).AsTask();
        Assert.False(read.IsCompleted);
        await one.WriteAsync(new byte[] { 7 });
        Assert.Equal(0, await read.WaitAsync(s_limit));
        Assert.Equal(1, await other.ReadAsync(new byte[8]));
    }

    [Fact]
    public async Task Closing_ends_what_waits_on_both_sides()
    {
        var (one, other) = await PairAsync();
        var mine = one.ReadAsync(new byte[8]).AsTask();
        var theirs = other.ReadAsync(new byte[8]).AsTask();
        await one.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => mine.WaitAsync(s_limit));
        Assert.Equal(0, await theirs.WaitAsync(s_limit));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => one.ReadAsync(new byte[8]).AsTask());
        await other.DisposeAsync();
        await other.DisposeAsync();
    }

    [Fact]
    public async Task A_reset_is_an_error_of_the_read()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var one = await PolledSocket.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, default);
        var peer = await listener.AcceptSocketAsync();
        var read = one.ReadAsync(new byte[8]).AsTask();
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        var error = await Assert.ThrowsAsync<IOException>(() => read.WaitAsync(s_limit));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
    }

    [Fact]
    public async Task Nobody_there_is_a_refusal()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var error = await Assert.ThrowsAsync<SocketException>(() => PolledSocket.ConnectAsync("localhost", port, default));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    private static async Task<(PolledSocket One, PolledSocket Other)> PairAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var one = await PolledSocket.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, default);
        return (one, new PolledSocket(await listener.AcceptSocketAsync(), SocketPoller.Shared));
    }

    private static async Task SendAsync(PolledSocket to, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[4 << 20];
        random.NextBytes(bytes);
        for (var at = 0; at < bytes.Length;)
        {
            var count = Math.Min(random.Next(1, 1 << 18), bytes.Length - at);
            await to.WriteAsync(bytes.AsMemory(at, count));
            at += count;
        }

        await to.WriteAsync(SHA256.HashData(bytes));
    }

    private static async Task TakeAsync(PolledSocket from, int seed)
    {
        var random = new Random(~seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[(4 << 20) + 32];
        for (var at = 0; at < buffer.Length;)
        {
            var count = await from.ReadAsync(buffer.AsMemory(at, Math.Min(random.Next(1, 1 << 17), buffer.Length - at)));
            Assert.True(count > 0, $"ended at {at}, seed {seed}");
            at += count;
            if (random.Next(16) == 0) await Task.Delay(1);
        }

        Assert.True(SHA256.HashData(buffer.AsSpan(0, 4 << 20)).AsSpan().SequenceEqual(buffer.AsSpan(4 << 20)), $"seed {seed}");
    }
}
