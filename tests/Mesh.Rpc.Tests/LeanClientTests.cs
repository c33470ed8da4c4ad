using Google.Protobuf;
using Grpc.Core;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

public sealed class LeanClientOnKestrelTests() : LeanClientContract(lean: false);

public sealed class LeanClientOnLeanServerTests() : LeanClientContract(lean: true);

/// <summary>The lean client against both of our servers, on every transport.</summary>
public abstract class LeanClientContract(bool lean)
{
    public static TheoryData<MeshScheme> Transports => [MeshScheme.Http, MeshScheme.Https, MeshScheme.Unix, MeshScheme.InProc];

    [Theory, MemberData(nameof(Transports))]
    public async Task Many_calls_share_a_connection_and_get_their_own_answers(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var channel = server.ConnectLean();
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async caller =>
        {
            for (var i = 0; i < 50; i++)
            {
                var number = caller * 1000L + i;
                var reply = await WireEcho.CallAsync(channel, new EchoRequest { Number = number, Text = "grüß " + number, Payload = ByteString.CopyFrom(new byte[i * 37]) });
                Assert.Equal((number, "grüß " + number, i * 37), (reply.Number, reply.Text, reply.Payload.Length));
            }
        }));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Large_messages_pass_both_ways_beside_small_ones(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var channel = server.ConnectLean();
        var payload = new byte[10_000_000];
        new Random(3).NextBytes(payload);
        var large = Enumerable.Range(0, 3).Select(_ => WireEcho.CallAsync(channel, new EchoRequest { Payload = UnsafeByteOperations.UnsafeWrap(payload) })).ToList();
        for (var i = 0; i < 200; i++) Assert.Equal(i, (await WireEcho.CallAsync(channel, new EchoRequest { Number = i })).Number);
        foreach (var reply in await Task.WhenAll(large)) Assert.True(reply.Payload.Span.SequenceEqual(payload));
        Assert.Empty((await WireEcho.CallAsync(channel, new EchoRequest())).Text);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task More_calls_than_the_server_takes_at_once_wait_their_turn(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var channel = server.ConnectLean();
        var replies = await Task.WhenAll(Enumerable.Range(0, 2500).Select(i => WireEcho.CallAsync(channel, new EchoRequest { Number = i, DelayMs = 20 })));
        Assert.Equal(Enumerable.Range(0, 2500).Select(i => (long)i), replies.Select(r => r.Number));
    }

    [Fact]
    public async Task Failures_have_their_status_and_trailers()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Https, lean: lean);
        using var channel = server.ConnectLean();
        var e = await Assert.ThrowsAsync<RpcException>(() => WireEcho.CallAsync(channel, new EchoRequest { FailCode = 9, Text = "nicht jetzt: 100 % Müßiggang" }));
        Assert.Equal((StatusCode.FailedPrecondition, "nicht jetzt: 100 % Müßiggang"), (e.StatusCode, e.Status.Detail));
        e = await Assert.ThrowsAsync<RpcException>(() => WireEcho.CallAsync(channel, new EchoRequest { FailCode = 404, Text = "web" }));
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
        Assert.Contains(e.Trailers, t => t.Key == "grpc-status-details-bin");
        e = await Assert.ThrowsAsync<RpcException>(() => WireEcho.CallAsync(channel, new EchoRequest(), method: "Nothing"));
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
        Assert.Equal(7, (await WireEcho.CallAsync(channel, new EchoRequest { Number = 7 })).Number);
    }

    [Fact]
    public async Task A_message_over_the_limit_fails_alone()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Https, lean: lean, configure: o => o.MaxReceiveMessageSize = 100_000);
        using var channel = server.ConnectLean(new MeshChannelOptions { MaxMessageBytes = 50_000 });
        var e = await Assert.ThrowsAsync<RpcException>(() => WireEcho.CallAsync(channel, new EchoRequest { Payload = ByteString.CopyFrom(new byte[60_000]) }));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        // The server refuses this one before it has all of it.
        e = await Assert.ThrowsAsync<RpcException>(() => WireEcho.CallAsync(channel, new EchoRequest { Payload = ByteString.CopyFrom(new byte[8_000_000]) }));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        for (var i = 0; i < 20; i++) Assert.Equal(i, (await WireEcho.CallAsync(channel, new EchoRequest { Number = i, Payload = ByteString.CopyFrom(new byte[40_000]) })).Number);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_deadline_and_a_cancellation_end_calls_on_both_sides(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var channel = server.ConnectLean();
        var e = await Assert.ThrowsAsync<RpcException>(() => WireEcho.CallAsync(channel, new EchoRequest { DelayMs = 300_000 }, timeout: TimeSpan.FromMilliseconds(100)));
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        using var cancellation = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 3000).Select(_ => WireEcho.CallAsync(channel, new EchoRequest { DelayMs = 300_000 }, ct: cancellation.Token)).ToList();
        await cancellation.CancelAsync();
        foreach (var call in calls) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WireEcho.CallAsync(channel, new EchoRequest(), ct: cancellation.Token));
        // All streams are free again: more than the server takes at once get through.
        Assert.Equal(1500, (await Task.WhenAll(Enumerable.Range(0, 1500).Select(i => WireEcho.CallAsync(channel, new EchoRequest { Number = i, DelayMs = 1 })))).Length);
    }

    [Theory, InlineData(MeshScheme.Https), InlineData(MeshScheme.InProc)]
    public async Task The_client_certificate_is_seen(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, requireClientCertificate: true, lean: lean);
        using var certificate = server.Pki.Issue("gateway");
        using var channel = server.ConnectLean(new MeshChannelOptions { ClientCertificate = () => certificate });
        Assert.Equal("CN=gateway", (await WireEcho.CallAsync(channel, new EchoRequest(), method: "WhoAmI")).Text);
    }

    [Fact]
    public async Task The_bearer_token_is_asked_for_each_call()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Http, lean: lean);
        var asked = 0;
        using var channel = server.ConnectLean(new MeshChannelOptions { BearerToken = _ => new ValueTask<string?>("t" + ++asked) });
        Assert.Equal("Bearer t1", (await WireEcho.CallAsync(channel, new EchoRequest(), method: "WhoAmI")).Text);
        Assert.Equal("Bearer t2", (await WireEcho.CallAsync(channel, new EchoRequest(), method: "WhoAmI")).Text);
    }

    [Fact]
    public async Task A_server_without_our_trust_or_without_a_listener_is_unavailable_and_did_nothing()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Https, lean: lean);
        using var other = new TestPki();
        using var distrustful = server.ConnectLean(new MeshChannelOptions { TrustedRoots = () => other.Roots });
        using var nobody = LeanChannel.Create("http://127.0.0.1:1");
        foreach (var channel in (LeanChannel[])[distrustful, nobody])
        {
            for (var i = 0; i < 3; i++)
            {
                var e = await Assert.ThrowsAsync<RpcException>(() => WireEcho.CallAsync(channel, new EchoRequest()));
                Assert.Equal(StatusCode.Unavailable, e.StatusCode);
                Assert.IsType<NotProcessedException>(e.Status.DebugException);
            }
        }
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task A_closed_channel_ends_its_calls(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        var channel = server.ConnectLean();
        await WireEcho.CallAsync(channel, new EchoRequest());
        var call = WireEcho.CallAsync(channel, new EchoRequest { DelayMs = 300_000 });
        channel.Dispose();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => WireEcho.CallAsync(channel, new EchoRequest()));
    }

    [Fact]
    public async Task The_channel_connects_again_after_the_server_has_gone()
    {
        var network = new InProcNetwork();
        using var channel = LeanChannel.Create("inproc://echo", new MeshChannelOptions { Network = network });
        for (var round = 0; round < 3; round++)
        {
            await using (var server = await EchoServer.StartAsync(MeshScheme.InProc, lean: lean, network: network))
            {
                Assert.Equal(round, (await UntilAsync(channel, round)).Number);
            }

            var e = await Assert.ThrowsAsync<RpcException>(() => WireEcho.CallAsync(channel, new EchoRequest()));
            Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        }
    }

    private static async Task<EchoReply> UntilAsync(LeanChannel channel, int number)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(60); ;)
        {
            try
            {
                return await WireEcho.CallAsync(channel, new EchoRequest { Number = number });
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable && DateTime.UtcNow < deadline)
            {
                await Task.Delay(10); // the pause after a refusal
            }
        }
    }
}
