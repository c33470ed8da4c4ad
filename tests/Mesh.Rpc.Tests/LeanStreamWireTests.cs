using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Rpc.Lean;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

/// <summary>Streams of the lean client below gRPC: windows, resets, lost connections and silent servers, seen from a server made of frames by hand.</summary>
public sealed class LeanStreamWireTests : IDisposable
{
    private const int Chunk = 16_000;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly LeanChannel _channel;

    public LeanStreamWireTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _channel = Channel(new MeshChannelOptions());
    }

    public void Dispose()
    {
        _channel.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task A_server_ahead_of_the_reader_gets_no_more_window_until_it_is_read()
    {
        var (stream, server) = await OpenAsync();
        using var _ = server;
        using var __ = stream;
        // Twice what is granted at once, in whole messages, as far as the windows allow.
        var (window, sent, total) = (Http2.StreamWindow, 0, 2 * Http2.StreamWindow / Chunk);
        var credits = Channel<int>();
        var listening = ListenAsync(server, credits);
        while (window >= Chunk)
        {
            await MessageAsync(server, 1, sent++);
            window -= Chunk;
            while (credits.TryDequeue(out var more)) window += more;
        }

        // Half the window at most was given back before anything was read: the rest waits for the reader.
        Assert.InRange(sent, Http2.StreamWindow / Chunk, Http2.StreamWindow * 3 / 2 / Chunk + 1);
        var deadline = DateTime.UtcNow.AddSeconds(60);
        for (var read = 0; read < total; read++)
        {
            var next = WireEcho.NextAsync(stream);
            while (read >= sent || (window >= Chunk && sent < total))
            {
                if (window >= Chunk)
                {
                    await MessageAsync(server, 1, sent++);
                    window -= Chunk;
                }

                if (credits.TryDequeue(out var more)) window += more;
                else await Task.Delay(1);
                Assert.True(DateTime.UtcNow < deadline, "no window came");
            }

            Assert.Equal(read, (await next)!.Number);
        }

        server.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => listening);
    }

    [Fact]
    public async Task Writes_wait_for_the_servers_window_and_the_end_comes_after_them()
    {
        var opening = WireEcho.OpenAsync(_channel, "Chat");
        using var server = await WirePeer.AcceptAsync(_listener, window: 1000);
        using var stream = await opening;
        var first = stream.WriteAsync(new WireEcho(new EchoRequest { Number = 1, Payload = ByteString.CopyFrom(new byte[3000]) })).AsTask();
        var second = stream.WriteAsync(new WireEcho(new EchoRequest { Number = 2 })).AsTask();
        stream.Complete();
        await server.NextAsync(Http2Frame.Headers);
        var bytes = new List<byte>();
        for (var ended = false; !ended;)
        {
            var frame = await server.NextAsync(Http2Frame.Data);
            Assert.True(frame.Payload.Length <= 1000);
            if (bytes.Count == 0) Assert.False(first.IsCompleted || second.IsCompleted);
            bytes.AddRange(frame.Payload);
            ended = (frame.Flags & Http2.EndStream) != 0;
            if (!ended) await server.SendAsync(Http2Frame.WindowUpdate, 0, 1, [0, 0, 3, 0xe8]);
        }

        await Task.WhenAll(first, second).WaitAsync(TimeSpan.FromSeconds(60));
        var all = bytes.ToArray();
        var length = BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(1));
        Assert.Equal([1, 2], [EchoRequest.Parser.ParseFrom(all.AsSpan(5, length)).Number, EchoRequest.Parser.ParseFrom(all.AsSpan(length + 10)).Number]);
    }

    [Theory]
    [InlineData(7, StatusCode.Unavailable)]
    [InlineData(8, StatusCode.Cancelled)]
    [InlineData(2, StatusCode.Internal)]
    [InlineData(11, StatusCode.ResourceExhausted)]
    public async Task A_reset_ends_the_stream_after_what_was_received_and_no_other(byte error, StatusCode code)
    {
        var (stream, server) = await OpenAsync();
        using var _ = server;
        using var __ = stream;
        using var other = await WireEcho.OpenAsync(_channel, "Chat");
        await server.NextAsync(Http2Frame.Headers);
        await HeadAsync(server, 3);
        await MessageAsync(server, 1, 1);
        await MessageAsync(server, 1, 2);
        await server.SendAsync(Http2Frame.ResetStream, 0, 1, [0, 0, 0, error]);
        await MessageAsync(server, 1, 3); // nobody's
        await MessageAsync(server, 3, 9);
        Assert.Equal(9, (await WireEcho.NextAsync(other))!.Number);
        Assert.Equal(1, (await WireEcho.NextAsync(stream))!.Number);
        Assert.Equal(2, (await WireEcho.NextAsync(stream))!.Number);
        for (var i = 0; i < 2; i++) Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(() => WireEcho.NextAsync(stream))).StatusCode);
    }

    [Fact]
    public async Task A_connection_lost_in_the_middle_of_a_message_gives_the_whole_ones_and_then_the_loss()
    {
        var (stream, server) = await OpenAsync();
        using var _ = stream;
        var waiting = WireEcho.NextAsync(stream);
        await MessageAsync(server, 1, 1);
        Assert.Equal(1, (await waiting)!.Number);
        await MessageAsync(server, 1, 2);
        await server.SendAsync(Http2Frame.Data, 0, 1, [0, 0, 0, 0, 200, 1, 2, 3]);
        server.Dispose();
        Assert.Equal(2, (await WireEcho.NextAsync(stream))!.Number);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => WireEcho.NextAsync(stream))).StatusCode);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => stream.WriteAsync(new WireEcho(new EchoRequest())).AsTask())).StatusCode);
        var (again, next) = await OpenAsync();
        using var __ = again;
        using var ___ = next;
        await MessageAsync(next, 1, 3);
        Assert.Equal(3, (await WireEcho.NextAsync(again))!.Number);
    }

    [Fact]
    public async Task A_stream_disposed_of_is_reset_and_a_silent_server_ends_an_open_one()
    {
        using var channel = Channel(new MeshChannelOptions { KeepAliveInterval = TimeSpan.FromMilliseconds(50), KeepAliveTimeout = TimeSpan.FromSeconds(5) });
        var opening = WireEcho.OpenAsync(channel, "Chat");
        using var server = await WirePeer.AcceptAsync(_listener);
        using var left = await opening;
        using var stream = await WireEcho.OpenAsync(channel, "Chat");
        left.Dispose();
        var reset = await server.NextAsync(Http2Frame.ResetStream);
        Assert.Equal((1, 8), (reset.Stream, BinaryPrimitives.ReadInt32BigEndian(reset.Payload)));
        Assert.Throws<ObjectDisposedException>(() => { _ = left.WriteAsync(new WireEcho(new EchoRequest())).AsTask(); });
        var waiting = WireEcho.NextAsync(stream);
        await server.NextAsync(Http2Frame.Ping);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => waiting)).StatusCode);
    }

    [Fact]
    public async Task A_server_that_leaves_keeps_the_streams_it_has_and_new_ones_go_to_the_next()
    {
        var (stream, server) = await OpenAsync();
        using var _ = server;
        using var __ = stream;
        await server.SendAsync(Http2Frame.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]);
        await MessageAsync(server, 1, 1);
        Assert.Equal(1, (await WireEcho.NextAsync(stream))!.Number);
        var (again, next) = await OpenAsync();
        using var ___ = next;
        using var ____ = again;
        await MessageAsync(next, 1, 5);
        Assert.Equal(5, (await WireEcho.NextAsync(again))!.Number);
        await MessageAsync(server, 1, 2);
        Assert.Equal(2, (await WireEcho.NextAsync(stream))!.Number);
        // Both connections are the channel's to close.
        _channel.Dispose();
        foreach (var one in (LeanStream[])[stream, again]) Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => WireEcho.NextAsync(one))).StatusCode);
    }

    [Fact]
    public async Task Headers_of_a_call_are_sent_as_they_are()
    {
        var opening = _channel.OpenAsync("/mesh.test.EchoService/Chat", default, [("hasleader", "true")]).AsTask();
        using var server = await WirePeer.AcceptAsync(_listener);
        using var stream = await opening;
        var fields = new List<(string, string)>();
        new HpackDecoder().Decode((await server.NextAsync(Http2Frame.Headers)).Payload, fields);
        Assert.Contains(("hasleader", "true"), fields);
    }

    private static System.Collections.Concurrent.ConcurrentQueue<T> Channel<T>() => new();

    private static async Task ListenAsync(WirePeer server, System.Collections.Concurrent.ConcurrentQueue<int> credits)
    {
        while (true)
        {
            var frame = await server.NextAsync(Http2Frame.WindowUpdate);
            if (frame.Stream == 1) credits.Enqueue(BinaryPrimitives.ReadInt32BigEndian(frame.Payload));
        }
    }

    private static Task HeadAsync(WirePeer server, int stream) =>
        server.SendAsync(Http2Frame.Headers, Http2.EndHeaders, stream, [0x88, 0x0f, 0x10, 16, .. Encoding.ASCII.GetBytes("application/grpc")]);

    /// <summary>A message of <see cref="Chunk"/> bytes on the wire, in one frame.</summary>
    private static Task MessageAsync(WirePeer server, int stream, int number)
    {
        var reply = new EchoReply { Number = number };
        reply.Payload = ByteString.CopyFrom(new byte[Chunk - 5 - reply.CalculateSize() - 4]);
        var message = reply.ToByteArray();
        var frame = new byte[message.Length + 5];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return server.SendAsync(Http2Frame.Data, 0, stream, frame);
    }

    private LeanChannel Channel(MeshChannelOptions options) => LeanChannel.Create("http://127.0.0.1:" + ((IPEndPoint)_listener.LocalEndPoint!).Port, options);

    private async Task<(LeanStream Stream, WirePeer Server)> OpenAsync()
    {
        var opening = WireEcho.OpenAsync(_channel, "Chat");
        var server = await WirePeer.AcceptAsync(_listener);
        var stream = await opening;
        Assert.Equal(1, (await server.NextAsync(Http2Frame.Headers)).Stream);
        await HeadAsync(server, 1);
        return (stream, server);
    }
}
