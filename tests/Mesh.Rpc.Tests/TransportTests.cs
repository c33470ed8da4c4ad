using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

public sealed class TransportTests() : TransportContract(lean: false);

public sealed class LeanTransportTests() : TransportContract(lean: true);

/// <summary>Every form of call behaves the same on every transport, on Kestrel's HTTP/2 and on the lean server.</summary>
public abstract class TransportContract(bool lean)
{
    public static TheoryData<MeshScheme> Transports => [MeshScheme.Http, MeshScheme.Https, MeshScheme.Unix, MeshScheme.InProc];

    [Theory, MemberData(nameof(Transports))]
    public async Task Unary(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        var reply = await Client(channel).UnaryAsync(new EchoRequest { Text = "grüß", Number = long.MinValue });
        Assert.Equal("grüß", reply.Text);
        Assert.Equal(long.MinValue, reply.Number);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Server_streaming(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        using var call = Client(channel).Expand(new EchoRequest { Text = "a", Count = 1000 });
        var numbers = new List<long>();
        await foreach (var reply in call.ResponseStream.ReadAllAsync()) numbers.Add(reply.Number);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), numbers);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Client_streaming(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        using var call = Client(channel).Collect();
        for (var i = 1; i <= 100; i++) await call.RequestStream.WriteAsync(new EchoRequest { Text = "t" + i, Number = i });
        await call.RequestStream.CompleteAsync();
        var reply = await call;
        Assert.Equal(5050, reply.Number);
        Assert.StartsWith("t1,t2,t3,", reply.Text, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Duplex_streaming_answers_before_the_requests_end(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        using var call = Client(channel).Chat();
        for (var i = 0; i < 50; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Number = i });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(i, call.ResponseStream.Current.Number);
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Deadline(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        var watch = Stopwatch.StartNew();
        var e = await Assert.ThrowsAsync<RpcException>(async () =>
            await Client(channel).UnaryAsync(new EchoRequest { DelayMs = 30_000 }, deadline: DateTime.UtcNow.AddMilliseconds(200)));
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Cancelled_stream_ends_on_both_sides(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        using var stop = new CancellationTokenSource();
        using var call = Client(channel).Expand(new EchoRequest { Count = int.MaxValue, DelayMs = 5 }, cancellationToken: stop.Token);
        Assert.True(await call.ResponseStream.MoveNext());
        stop.Cancel();
        var e = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext())
            {
            }
        });
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Metadata_text_and_binary_travels_both_ways(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        byte[] bytes = [0, 1, 2, 253, 254, 255];
        using var call = Client(channel).UnaryAsync(new EchoRequest(), new Metadata { { "X-Text", "hello" }, { "x-data-bin", bytes } });
        await call;
        Assert.Equal("hello", call.GetTrailers().GetValue("x-text"));
        Assert.Equal(bytes, call.GetTrailers().GetValueBytes("x-data-bin"));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Status_and_its_detail(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        var e = await Assert.ThrowsAsync<RpcException>(async () =>
            await Client(channel).UnaryAsync(new EchoRequest { FailCode = (int)StatusCode.FailedPrecondition, Text = "not now: ünïcödé %" }));
        Assert.Equal(StatusCode.FailedPrecondition, e.StatusCode);
        Assert.Equal("not now: ünïcödé %", e.Status.Detail);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Large_messages_with_and_without_gzip(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme, configure: o => o.ResponseCompressionAlgorithm = "gzip");
        using var channel = server.Connect();
        var payload = new byte[20 * 1024 * 1024];
        new Random(7).NextBytes(payload.AsSpan(0, 1024 * 1024));
        var request = new EchoRequest { Payload = UnsafeByteOperations.UnsafeWrap(payload) };
        Assert.True((await Client(channel).UnaryAsync(request)).Payload.Span.SequenceEqual(payload));
        Assert.True((await Client(channel).UnaryAsync(request, new Metadata().WithGzip())).Payload.Span.SequenceEqual(payload));
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Message_over_the_limit_is_refused(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme, configure: o => o.MaxReceiveMessageSize = 1000);
        using var channel = server.Connect();
        var e = await Assert.ThrowsAsync<RpcException>(async () =>
            await Client(channel).UnaryAsync(new EchoRequest { Payload = ByteString.CopyFrom(new byte[2000]) }));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Hundreds_of_calls_share_a_connection(MeshScheme scheme)
    {
        await using var server = await StartAsync(scheme);
        using var channel = server.Connect();
        var client = Client(channel);
        var replies = await Task.WhenAll(Enumerable.Range(0, 500).Select(async i => (await client.UnaryAsync(new EchoRequest { Number = i, DelayMs = 20 })).Number));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => (long)i), replies);
    }

    [Theory, MemberData(nameof(Transports))]
    public async Task Stopped_server_is_unavailable_to_open_streams_and_new_calls(MeshScheme scheme)
    {
        var server = await StartAsync(scheme);
        using var channel = server.Connect();
        using var call = Client(channel).Chat();
        await call.RequestStream.WriteAsync(new EchoRequest { Number = 1 });
        Assert.True(await call.ResponseStream.MoveNext());
        await server.DisposeAsync();
        var open = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Contains(open.StatusCode, new[] { StatusCode.Unavailable, StatusCode.Cancelled, StatusCode.Internal });
        var next = await Assert.ThrowsAsync<RpcException>(async () => await Client(channel).UnaryAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddSeconds(20)));
        Assert.Equal(StatusCode.Unavailable, next.StatusCode);
    }

    private Task<EchoServer> StartAsync(MeshScheme scheme, Action<Grpc.AspNetCore.Server.GrpcServiceOptions>? configure = null) =>
        EchoServer.StartAsync(scheme, lean: lean, configure: configure);

    private static EchoService.EchoServiceClient Client(Grpc.Net.Client.GrpcChannel channel) => new(channel);
}
