using Mesh.Rpc.Wire;

namespace Mesh.Store.Wire;

/// <summary>An answer that encodes itself: measured first, then written into a buffer of that size.</summary>
internal interface IReply
{
    /// <summary>Encoded length; the answer must not change afterwards.</summary>
    int Size { get; }

    /// <summary>Writes so many bytes.</summary>
    void Write(ref ProtoWriter writer);
}
