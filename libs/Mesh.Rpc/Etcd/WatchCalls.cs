using Mesh.Rpc.Wire;

namespace Mesh.Rpc.Etcd;

/// <summary>etcdserverpb.WatchRequest that begins a watch of the keys from one to another, after a revision.</summary>
/// <param name="Key">The first key.</param>
/// <param name="End">The end of the range (not part of it).</param>
/// <param name="StartRevision">The first revision to be told.</param>
/// <param name="ProgressNotify">The server says by itself how far it is when nothing happens.</param>
public readonly record struct WatchCreateCall(string Key, ReadOnlyMemory<byte> End, long StartRevision, bool ProgressNotify = false) : IWireMessage
{
    /// <summary>Watch.Watch.</summary>
    public const string Path = "/etcdserverpb.Watch/Watch";

    /// <inheritdoc/>
    public int Size => ProtoWriter.MessageSize(Content);

    private int Content => ProtoWriter.TextSize(Key) + ProtoWriter.BytesSize(End.Length) + ProtoWriter.Int64Size(StartRevision) + ProtoWriter.BoolSize(ProgressNotify);

    /// <inheritdoc/>
    public void Write(Span<byte> to)
    {
        var writer = new ProtoWriter(to);
        writer.Message(1, Content);
        writer.Text(1, Key);
        writer.Bytes(2, End.Span);
        writer.Int64(3, StartRevision);
        writer.Bool(4, ProgressNotify);
    }
}

/// <summary>etcdserverpb.WatchRequest that asks how far the server is with the stream's watches.</summary>
public readonly record struct WatchProgressCall : IWireMessage
{
    /// <inheritdoc/>
    public int Size => ProtoWriter.MessageSize(0);

    /// <inheritdoc/>
    public void Write(Span<byte> to) => new ProtoWriter(to).Message(3, 0);
}
