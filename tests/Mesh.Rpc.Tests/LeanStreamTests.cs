using Google.Protobuf;
using Grpc.Core;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

public sealed class LeanStreamOnKestrelTests() : LeanStreamContract(lean: false);

public sealed class LeanStreamOnLeanServerTests() : LeanStreamContract(lean: true);

/// <summary>Streams of the lean client against both of our servers, on every transport.</summary>
public abstract class LeanStreamContract(bool lean)
{
    public static TheoryData<MeshScheme> Transports => [MeshScheme.Http, MeshScheme.Https, MeshScheme.Unix, MeshScheme.InProc];

    [Theory, MemberData(nameof(Transports))]
    public async Task Messages_pass_both_ways_in_order_and_the_end_of_one_side_ends_the_call(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var channel = server.ConnectLean();
        using var chat = await WireEcho.OpenAsync(channel, "Chat");
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++) await chat.WriteAsync(new WireEcho(new EchoRequest { Number = i, Payload = ByteString.CopyFrom(new byte[i * 7]) }));
            chat.Complete();
        });
        for (var i = 0; i < 500; i++)
        {
            var reply = await WireEcho.NextAsync(chat);
            Assert.Equal((i, i * 7), (reply!.Number, reply.Payload.Length));
        }

        Assert.Null(await WireEcho.NextAsync(chat));
        Assert.Null(await WireEcho.NextAsync(chat));
        await writing;
        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => chat.WriteAsync(new WireEcho(new EchoRequest())).AsTask());
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Many_streams_and_short_calls_share_a_connection(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var channel = server.ConnectLean();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async caller =>
        {
            using var chat = await WireEcho.OpenAsync(channel, "Chat");
            using var collect = await WireEcho.OpenAsync(channel, "Collect");
            for (var i = 0; i < 20; i++)
            {
                var number = caller * 1000 + i;
                await chat.WriteAsync(new WireEcho(new EchoRequest { Number = number }));
                await collect.WriteAsync(new WireEcho(new EchoRequest { Number = i }));
                Assert.Equal(-number, (await WireEcho.CallAsync(channel, new EchoRequest { Number = -number })).Number);
                Assert.Equal(number, (await WireEcho.NextAsync(chat))!.Number);
            }

            collect.Complete();
            Assert.Equal(190, (await WireEcho.NextAsync(collect))!.Number);
            Assert.Null(await WireEcho.NextAsync(collect));
        }));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_reader_that_rests_holds_up_nobody_else_and_loses_nothing(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var channel = server.ConnectLean();
        var payload = ByteString.CopyFrom(new byte[50_000]);
        using var expand = await WireEcho.OpenAsync(channel, "Expand");
        await expand.WriteAsync(new WireEcho(new EchoRequest { Count = 200, Payload = payload }));
        expand.Complete();
        for (var i = 0; i < 200; i++)
        {
            if (i is 0 or 30) Assert.Equal(100, (await Task.WhenAll(Enumerable.Range(0, 100).Select(n => WireEcho.CallAsync(channel, new EchoRequest { Number = n, Payload = payload })))).Length);
            var reply = await WireEcho.NextAsync(expand);
            Assert.Equal((i, payload.Length), (reply!.Number, reply.Payload.Length));
        }

        Assert.Null(await WireEcho.NextAsync(expand));
    }

    [Fact]
    public async Task Messages_larger_than_every_window_pass_both_ways_and_one_over_the_limit_fails_alone()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Https, lean: lean);
        using var channel = server.ConnectLean(new MeshChannelOptions { MaxMessageBytes = 21_000_000 });
        var payload = new byte[20_000_000];
        new Random(5).NextBytes(payload);
        using var chat = await WireEcho.OpenAsync(channel, "Chat");
        for (var i = 0; i < 3; i++)
        {
            await chat.WriteAsync(new WireEcho(new EchoRequest { Number = i, Payload = UnsafeByteOperations.UnsafeWrap(payload) }));
            var reply = await WireEcho.NextAsync(chat);
            Assert.Equal(i, reply!.Number);
            Assert.True(reply.Payload.Span.SequenceEqual(payload));
        }

        await chat.WriteAsync(new WireEcho(new EchoRequest { Payload = ByteString.CopyFrom(new byte[22_000_000]) }));
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => WireEcho.NextAsync(chat))).StatusCode);
        Assert.Equal(3, (await WireEcho.CallAsync(channel, new EchoRequest { Number = 3 })).Number);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_cancellation_ends_streams_at_once_and_gives_them_back(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var channel = server.ConnectLean();
        using var cancellation = new CancellationTokenSource();
        var streams = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => WireEcho.OpenAsync(channel, "Chat", cancellation.Token)));
        var reads = streams.Select(s => s.ReadAsync().AsTask()).ToList();
        await cancellation.CancelAsync();
        foreach (var read in reads) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => streams[0].WriteAsync(new WireEcho(new EchoRequest())).AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WireEcho.OpenAsync(channel, "Chat", cancellation.Token));
        foreach (var stream in streams) stream.Dispose();
        Assert.Equal(1500, (await Task.WhenAll(Enumerable.Range(0, 1500).Select(i => WireEcho.CallAsync(channel, new EchoRequest { Number = i, DelayMs = 1 })))).Length);
    }

    [Fact]
    public async Task A_stream_that_fails_says_how()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Https, lean: lean);
        using var channel = server.ConnectLean();
        using var nothing = await WireEcho.OpenAsync(channel, "Nothing");
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => WireEcho.NextAsync(nothing))).StatusCode);
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => nothing.WriteAsync(new WireEcho(new EchoRequest())).AsTask())).StatusCode);
        using var nobody = LeanChannel.Create("http://127.0.0.1:1");
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => WireEcho.OpenAsync(nobody, "Chat"))).StatusCode);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_lost_server_ends_its_streams_and_the_next_stream_finds_the_next_server(MeshScheme scheme)
    {
        var network = new InProcNetwork();
        await using var server = await EchoServer.StartAsync(scheme, lean: lean, network: network);
        var channel = server.ConnectLean();
        using var chat = await WireEcho.OpenAsync(channel, "Chat");
        await chat.WriteAsync(new WireEcho(new EchoRequest { Number = 1 }));
        Assert.Equal(1, (await WireEcho.NextAsync(chat))!.Number);
        var waiting = WireEcho.NextAsync(chat);
        channel.Dispose();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => waiting)).StatusCode);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => WireEcho.OpenAsync(channel, "Chat"));
        using var other = server.ConnectLean();
        using var again = await WireEcho.OpenAsync(other, "Chat");
        await again.WriteAsync(new WireEcho(new EchoRequest { Number = 2 }));
        Assert.Equal(2, (await WireEcho.NextAsync(again))!.Number);
    }

    [Fact]
    public async Task The_bearer_token_and_headers_of_the_call_are_sent()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Http, lean: lean);
        using var channel = server.ConnectLean(new MeshChannelOptions { BearerToken = _ => new ValueTask<string?>("secret") });
        using var who = await channel.OpenAsync("/mesh.test.EchoService/WhoAmI", default);
        await who.WriteAsync(new WireEcho(new EchoRequest()));
        who.Complete();
        Assert.Equal("Bearer secret", (await WireEcho.NextAsync(who))!.Text);
        using var unary = await channel.OpenAsync("/mesh.test.EchoService/Unary", default, [("x-leader", "true")]);
        await unary.WriteAsync(new WireEcho(new EchoRequest()));
        unary.Complete();
        Assert.NotNull(await WireEcho.NextAsync(unary));
        Assert.Null(await WireEcho.NextAsync(unary));
        Assert.Equal("true", unary.Trailers.GetValue("x-leader"));
    }
}
