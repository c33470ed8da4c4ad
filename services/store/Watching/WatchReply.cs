using System.Text;
using Mesh.Rpc.Wire;
using Mesh.Store.Mvcc;
using Mesh.Store.Wal;
using Mesh.Store.Wire;

namespace Mesh.Store.Watching;

/// <summary>etcdserverpb.WatchResponse, encoded straight from the versions.</summary>
internal sealed class WatchReply : IReply
{
    private int _size = -1;
    private KeyVersion?[]? _previous;

    public StoreIdentity Identity;
    public long Revision;
    public long WatchId;
    public bool Created;
    public bool Canceled;
    public long CompactRevision;
    public string CancelReason = "";
    public bool Fragment;
    public bool PrevKv;
    public IReadOnlyList<KeyVersion> Events = [];

    /// <summary>Encoded length; the answer must not change afterwards.</summary>
    public int Size => _size >= 0 ? _size : _size = Measure();

    public void Write(ref ProtoWriter writer)
    {
        writer.Message(1, HeaderCodec.Size(Identity, Revision));
        HeaderCodec.Write(ref writer, Identity, Revision);
        writer.Int64(2, WatchId);
        writer.Bool(3, Created);
        writer.Bool(4, Canceled);
        writer.Int64(5, CompactRevision);
        writer.Bytes(6, Encoding.UTF8.GetBytes(CancelReason));
        writer.Bool(7, Fragment);
        for (var i = 0; i < Events.Count; i++)
        {
            var version = Events[i];
            var previous = _previous?[i];
            writer.Message(11, EventSize(version, previous));
            writer.Int64(1, version.IsTombstone ? 1 : 0);
            writer.Message(2, KeyValueCodec.Size(version, false));
            KeyValueCodec.Write(ref writer, version, false);
            if (previous is null) continue;
            writer.Message(3, KeyValueCodec.Size(previous, false));
            KeyValueCodec.Write(ref writer, previous, false);
        }
    }

    /// <summary>Upper bound of what an event adds to an answer.</summary>
    public static int EventBound(KeyVersion version, bool prevKv) =>
        64 + version.Entry.Key.Length + version.ValueLength + (prevKv && version.Previous is { } p ? 64 + version.Entry.Key.Length + p.ValueLength : 0);

    private int Measure()
    {
        var size = ProtoWriter.MessageSize(HeaderCodec.Size(Identity, Revision)) + ProtoWriter.Int64Size(WatchId) + ProtoWriter.BoolSize(Created)
            + ProtoWriter.BoolSize(Canceled) + ProtoWriter.Int64Size(CompactRevision) + ProtoWriter.BytesSize(Encoding.UTF8.GetByteCount(CancelReason))
            + ProtoWriter.BoolSize(Fragment);
        if (PrevKv) _previous = new KeyVersion?[Events.Count];
        for (var i = 0; i < Events.Count; i++)
        {
            // Taken once: compaction may cut the link between measuring and writing.
            if (_previous is not null && Events[i].Previous is { IsTombstone: false } previous) _previous[i] = previous;
            size += ProtoWriter.MessageSize(EventSize(Events[i], _previous?[i]));
        }

        return size;
    }

    private static int EventSize(KeyVersion version, KeyVersion? previous) =>
        ProtoWriter.BoolSize(version.IsTombstone) + ProtoWriter.MessageSize(KeyValueCodec.Size(version, false))
        + (previous is null ? 0 : ProtoWriter.MessageSize(KeyValueCodec.Size(previous, false)));
}
