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

/// <summary>The lean client below gRPC: a server made of frames by hand, limits it sets, ways it leaves, and bytes by chance.</summary>
public sealed class LeanClientWireTests : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly LeanChannel _channel;

    public LeanClientWireTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _channel = LeanChannel.Create("http://127.0.0.1:" + ((IPEndPoint)_listener.LocalEndPoint!).Port);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task Streams_are_not_begun_beyond_the_servers_limit_nor_bytes_beyond_its_windows()
    {
        var calls = Enumerable.Range(0, 3).Select(i => WireEcho.CallAsync(_channel, new EchoRequest { Number = i, Payload = ByteString.CopyFrom(new byte[3000]) })).ToList();
        using var server = await WirePeer.AcceptAsync(_listener, maxStreams: 1, window: 1000);
        for (var i = 0; i < 3; i++)
        {
            var stream = (await server.NextAsync(Http2Frame.Headers)).Stream;
            var message = new List<byte>();
            for (var ended = false; !ended;)
            {
                var frame = await server.NextAsync(Http2Frame.Data);
                Assert.Equal(stream, frame.Stream);
                Assert.True(frame.Payload.Length <= 1000);
                message.AddRange(frame.Payload);
                ended = (frame.Flags & Http2.EndStream) != 0;
                if (!ended) await server.SendAsync(Http2Frame.WindowUpdate, 0, stream, [0, 0, 3, 0xe8]);
            }

            var request = EchoRequest.Parser.ParseFrom(message.Skip(5).ToArray());
            await server.AnswerAsync(stream, new EchoReply { Number = request.Number });
        }

        Assert.Equal([0, 1, 2], (await Task.WhenAll(calls)).Select(r => r.Number).Order());
    }

    [Fact]
    public async Task The_servers_header_table_is_not_used_beyond_its_size()
    {
        var call = WireEcho.CallAsync(_channel, new EchoRequest());
        using var server = await WirePeer.AcceptAsync(_listener, tableSize: 0);
        var decoder = new HpackDecoder();
        for (var i = 0; i < 3; i++)
        {
            var head = await server.NextAsync(Http2Frame.Headers);
            var fields = new List<(string Name, string Value)>();
            decoder.Decode(head.Payload, fields);
            Assert.Equal(0, decoder.Generation);
            Assert.Contains((":path", "/mesh.test.EchoService/Unary"), fields);
            Assert.Contains(("te", "trailers"), fields);
            await server.AnswerAsync(head.Stream, new EchoReply());
            await call;
            call = WireEcho.CallAsync(_channel, new EchoRequest());
        }
    }

    [Fact]
    public void Blocks_of_headers_shrink_to_indexes_and_say_the_same()
    {
        var blocks = new RequestBlocks("etcd:2379", secure: true);
        var decoder = new HpackDecoder();
        for (var i = 0; i < 200; i++)
        {
            var path = "/etcdserverpb.KV/Method" + i % 70;
            var fields = new List<(string Name, string Value)>();
            var block = blocks.Request(path, i % 9 == 0 ? TimeSpan.FromSeconds(i) : null, i % 13 == 0 ? "Bearer " + i : null).ToArray();
            decoder.Decode(block, fields);
            Assert.Equal([(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "etcd:2379"), ("content-type", "application/grpc"), ("te", "trailers")], fields.Take(6));
            if (i is 71 or 73) Assert.Equal(7, block.Length);
        }
    }

    [Fact]
    public async Task A_server_that_leaves_answers_what_it_began_and_the_rest_may_be_repeated()
    {
        var calls = Enumerable.Range(0, 2).Select(i => WireEcho.CallAsync(_channel, new EchoRequest { Number = i })).ToList();
        using (var server = await WirePeer.AcceptAsync(_listener))
        {
            Assert.Equal(1, (await server.NextAsync(Http2Frame.Headers)).Stream);
            Assert.Equal(3, (await server.NextAsync(Http2Frame.Headers)).Stream);
            await server.SendAsync(Http2Frame.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]);
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await await Task.WhenAny(calls));
            Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
            Assert.IsType<NotProcessedException>(refused.Status.DebugException);
            await server.AnswerAsync(1, new EchoReply { Number = 5 });
            Assert.Equal(5, (await calls.Single(c => !c.IsFaulted)).Number);
        }

        var next = WireEcho.CallAsync(_channel, new EchoRequest());
        using var second = await WirePeer.AcceptAsync(_listener);
        await second.NextAsync(Http2Frame.Headers);
        await second.SendAsync(Http2Frame.ResetStream, 0, 1, [0, 0, 0, 7]);
        var e = await Assert.ThrowsAsync<RpcException>(() => next);
        Assert.IsType<NotProcessedException>(e.Status.DebugException);
        next = WireEcho.CallAsync(_channel, new EchoRequest());
        await second.NextAsync(Http2Frame.Headers);
        second.Dispose();
        e = await Assert.ThrowsAsync<RpcException>(() => next);
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.False(e.Status.DebugException is NotProcessedException); // it may have been done
    }

    [Fact]
    public async Task A_cancelled_call_resets_its_stream_and_pings_are_answered()
    {
        using var cancellation = new CancellationTokenSource();
        var call = WireEcho.CallAsync(_channel, new EchoRequest(), ct: cancellation.Token);
        using var server = await WirePeer.AcceptAsync(_listener);
        await server.NextAsync(Http2Frame.Headers);
        await cancellation.CancelAsync();
        Assert.Equal((1, 8), ((await server.NextAsync(Http2Frame.ResetStream)) is var reset ? (reset.Stream, BinaryPrimitives.ReadInt32BigEndian(reset.Payload)) : default));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await server.SendAsync(Http2Frame.Ping, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], (await server.NextAsync(Http2Frame.Ping)).Payload);
        // What still comes for the stream is nobody's, and no error.
        await server.AnswerAsync(1, new EchoReply());
        call = WireEcho.CallAsync(_channel, new EchoRequest());
        var head = await server.NextAsync(Http2Frame.Headers);
        await server.AnswerAsync(head.Stream, new EchoReply { Number = 9 });
        Assert.Equal(9, (await call).Number);
    }

    [Fact]
    public async Task A_server_that_answers_no_pings_is_given_up()
    {
        var brief = new MeshChannelOptions { KeepAliveInterval = TimeSpan.FromMilliseconds(50), KeepAliveTimeout = TimeSpan.FromMilliseconds(50) };
        using var channel = LeanChannel.Create("http://127.0.0.1:" + ((IPEndPoint)_listener.LocalEndPoint!).Port, brief);
        var call = WireEcho.CallAsync(channel, new EchoRequest());
        using var server = await WirePeer.AcceptAsync(_listener);
        await server.NextAsync(Http2Frame.Ping);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call.WaitAsync(TimeSpan.FromSeconds(60)))).StatusCode);
    }

    [Theory]
    [InlineData("\u0003503\u0009text/html", StatusCode.Unavailable)]
    [InlineData("\u0003404\u0009text/html", StatusCode.Unimplemented)]
    [InlineData("\u0003200\u0009text/html", StatusCode.Unknown)]
    public async Task An_answer_that_is_no_grpc_has_the_code_of_its_status(string fields, StatusCode code)
    {
        var call = WireEcho.CallAsync(_channel, new EchoRequest());
        using var server = await WirePeer.AcceptAsync(_listener);
        await server.NextAsync(Http2Frame.Headers);
        var bytes = Encoding.ASCII.GetBytes(fields);
        await server.SendAsync(Http2Frame.Headers, Http2.EndHeaders, 1, [0x08, .. bytes[..4], 0x0f, 0x10, .. bytes[4..]]);
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode);
    }

    [Theory]
    [InlineData("000008 06 00 00000001 0000000000000000")]             // PING on a stream
    [InlineData("000004 08 00 00000000 00000000")]                     // a window of nothing
    [InlineData("000004 05 04 00000001 00000002")]                     // PUSH_PROMISE
    [InlineData("000001 00 01 00000001 00")]                           // DATA before headers
    [InlineData("000001 01 05 00000005 88")]                           // an answer to nothing
    [InlineData("000001 01 05 00000001 ff")]                           // headers that are no headers
    [InlineData("000001 01 01 00000001 88000008 06 00 00000000 0000000000000000")] // no CONTINUATION
    [InlineData("100000 00 00 00000001")]                              // a frame beyond the limit
    public async Task A_server_that_breaks_the_protocol_loses_the_connection_and_the_next_call_has_another(string hex)
    {
        var call = WireEcho.CallAsync(_channel, new EchoRequest());
        using (var server = await WirePeer.AcceptAsync(_listener))
        {
            await server.NextAsync(Http2Frame.Headers);
            await server.SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
            try
            {
                await server.NextAsync(Http2Frame.GoAway);
            }
            catch (IOException e) when (e.InnerException is System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionReset })
            {
                // What this server sent meanwhile met a closed socket: the reset may overtake the goodbye.
            }

            Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode);
        }

        call = WireEcho.CallAsync(_channel, new EchoRequest());
        using var next = await WirePeer.AcceptAsync(_listener);
        await next.NextAsync(Http2Frame.Headers);
        await next.AnswerAsync(1, new EchoReply { Number = 1 });
        Assert.Equal(1, (await call).Number);
    }

    /// <summary>Whatever a server sends: the call ends, and the channel lives on.</summary>
    [Fact]
    public async Task Any_bytes_end_the_call_and_nothing_else()
    {
        var random = new Random(11);
        for (var round = 0; round < 60; round++)
        {
            var call = WireEcho.CallAsync(_channel, new EchoRequest { Number = round });
            using (var server = await WirePeer.AcceptAsync(_listener))
            {
                await server.NextAsync(Http2Frame.Headers);
                var bytes = new byte[random.Next(2000)];
                random.NextBytes(bytes);
                // Two of three look like frames: types and flags by chance, lengths that fit.
                for (var at = 0; round % 3 != 0 && at + 9 < bytes.Length;)
                {
                    var length = random.Next(0, 60);
                    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at), (length << 8) | random.Next(10));
                    BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at + 5), random.Next(3));
                    at += 9 + length;
                }

                // In pieces, as networks do.
                for (var at = 0; at < bytes.Length;)
                {
                    var piece = Math.Min(random.Next(1, 700), bytes.Length - at);
                    if (!await server.TrySendAsync(bytes.AsMemory(at, piece))) break;
                    at += piece;
                }
            }

            await Assert.ThrowsAsync<RpcException>(() => call.WaitAsync(TimeSpan.FromSeconds(60)));
        }
    }
}
