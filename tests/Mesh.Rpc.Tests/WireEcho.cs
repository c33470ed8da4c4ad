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
}
