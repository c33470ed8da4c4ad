namespace Mesh.Rpc;

/// <summary>A request that encodes itself: small structs that calls are made with, without message objects between.</summary>
public interface IWireMessage
{
    /// <summary>Encoded length in bytes.</summary>
    int Size { get; }

    /// <summary>Encodes into a span of exactly <see cref="Size"/> bytes.</summary>
    void Write(Span<byte> to);
}
