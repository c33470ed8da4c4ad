using Google.Protobuf;
using Mesh.Rpc.Tests.Echo;

namespace Mesh.Rpc.Tests;

/// <summary>A generated message as one that encodes itself.</summary>
internal readonly struct WireEcho(EchoRequest request) : IWireMessage
{
    public int Size => request.CalculateSize();

    public void Write(Span<byte> to) => request.WriteTo(to);

    public static async Task<EchoReply> CallAsync(LeanChannel channel, EchoRequest request, TimeSpan? timeout = null, string method = "Unary", CancellationToken ct = default) =>
        EchoReply.Parser.ParseFrom((await channel.CallAsync("/mesh.test.EchoService/" + method, new WireEcho(request), ct, timeout)).Span);

    public static Task<LeanStream> OpenAsync(LeanChannel channel, string method, CancellationToken ct = default) => channel.OpenAsync("/mesh.test.EchoService/" + method, ct).AsTask();

    /// <summary>The next reply; null at the end.</summary>
    public static async Task<EchoReply?> NextAsync(LeanStream stream) => await stream.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60)) ? EchoReply.Parser.ParseFrom(stream.Message.Span) : null;
}
