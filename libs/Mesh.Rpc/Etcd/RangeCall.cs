using Mesh.Rpc.Wire;

namespace Mesh.Rpc.Etcd;

/// <summary>etcdserverpb.RangeRequest as a message that encodes itself.</summary>
/// <param name="Key">The key, or the first of a range.</param>
/// <param name="End">The end of the range (not part of it); empty for one key.</param>
/// <param name="Limit">At most so many; 0 for all.</param>
/// <param name="Revision">The revision to read at; 0 for now.</param>
/// <param name="CountOnly">Only how many there are.</param>
/// <param name="KeysOnly">Without the values.</param>
/// <param name="MinModRevision">Only keys written at or after it; the count is of all keys nevertheless. 0: all.</param>
public readonly record struct RangeCall(string Key, ReadOnlyMemory<byte> End = default, long Limit = 0, long Revision = 0, bool CountOnly = false, bool KeysOnly = false, long MinModRevision = 0)
    : IWireMessage
{
    /// <summary>KV.Range.</summary>
    public const string Path = "/etcdserverpb.KV/Range";

    /// <inheritdoc/>
    public int Size => ProtoWriter.TextSize(Key) + ProtoWriter.BytesSize(End.Length) + ProtoWriter.Int64Size(Limit) + ProtoWriter.Int64Size(Revision)
        + ProtoWriter.BoolSize(KeysOnly) + ProtoWriter.BoolSize(CountOnly) + ProtoWriter.Int64Size(MinModRevision);

    /// <inheritdoc/>
    public void Write(Span<byte> to)
    {
        var writer = new ProtoWriter(to);
        writer.Text(1, Key);
        writer.Bytes(2, End.Span);
        writer.Int64(3, Limit);
        writer.Int64(4, Revision);
        writer.Bool(8, KeysOnly);
        writer.Bool(9, CountOnly);
        writer.Int64(10, MinModRevision);
    }
}
