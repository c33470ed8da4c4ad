using Mesh.Rpc.Wire;
using Mesh.Store.Mvcc;
using Mesh.Store.Wal;

namespace Mesh.Store.Wire;

/// <summary>An answer to a KV operation; it encodes itself. <see cref="Revision"/> goes into the header.</summary>
internal abstract class KvReply : IReply
{
    private int _size = -1;

    /// <summary>Store revision of the answer.</summary>
    public long Revision;

    /// <summary>Ids of the header, absent in answers inside a transaction.</summary>
    public StoreIdentity? Identity;

    /// <summary>Encoded length; the answer must not change afterwards.</summary>
    public int Size => _size >= 0 ? _size : _size = ProtoWriter.MessageSize(HeaderSize) + BodySize();

    /// <summary>Encodes into a span with room for <see cref="Size"/>.</summary>
    public void Write(ref ProtoWriter writer)
    {
        writer.Message(1, HeaderSize);
        WriteHeader(ref writer);
        WriteBody(ref writer);
    }

    protected abstract int BodySize();

    protected abstract void WriteBody(ref ProtoWriter writer);

    private int HeaderSize => HeaderCodec.Size(Identity, Revision);

    private void WriteHeader(ref ProtoWriter writer) => HeaderCodec.Write(ref writer, Identity, Revision);
}

/// <summary>etcdserverpb.RangeResponse.</summary>
internal sealed class RangeReply : KvReply
{
    public IReadOnlyList<KeyVersion> Kvs = [];
    public bool KeysOnly;
    public bool More;
    public long Count;

    protected override int BodySize()
    {
        var size = ProtoWriter.BoolSize(More) + ProtoWriter.Int64Size(Count);
        for (var i = 0; i < Kvs.Count; i++) size += ProtoWriter.MessageSize(KeyValueCodec.Size(Kvs[i], KeysOnly));
        return size;
    }

    protected override void WriteBody(ref ProtoWriter writer)
    {
        for (var i = 0; i < Kvs.Count; i++)
        {
            writer.Message(2, KeyValueCodec.Size(Kvs[i], KeysOnly));
            KeyValueCodec.Write(ref writer, Kvs[i], KeysOnly);
        }

        writer.Bool(3, More);
        writer.Int64(4, Count);
    }
}

/// <summary>etcdserverpb.PutResponse.</summary>
internal sealed class PutReply : KvReply
{
    public KeyVersion? Previous;

    protected override int BodySize() => Previous is null ? 0 : ProtoWriter.MessageSize(KeyValueCodec.Size(Previous, false));

    protected override void WriteBody(ref ProtoWriter writer)
    {
        if (Previous is null) return;
        writer.Message(2, KeyValueCodec.Size(Previous, false));
        KeyValueCodec.Write(ref writer, Previous, false);
    }
}

/// <summary>etcdserverpb.DeleteRangeResponse.</summary>
internal sealed class DeleteRangeReply : KvReply
{
    public long Deleted;
    public List<KeyVersion>? Previous;

    protected override int BodySize()
    {
        var size = ProtoWriter.Int64Size(Deleted);
        foreach (var kv in Previous ?? []) size += ProtoWriter.MessageSize(KeyValueCodec.Size(kv, false));
        return size;
    }

    protected override void WriteBody(ref ProtoWriter writer)
    {
        writer.Int64(2, Deleted);
        foreach (var kv in Previous ?? [])
        {
            writer.Message(3, KeyValueCodec.Size(kv, false));
            KeyValueCodec.Write(ref writer, kv, false);
        }
    }
}

/// <summary>etcdserverpb.TxnResponse.</summary>
internal sealed class TxnReply : KvReply
{
    public bool Succeeded;
    public readonly List<KvReply> Responses = [];

    protected override int BodySize()
    {
        var size = ProtoWriter.BoolSize(Succeeded);
        foreach (var response in Responses) size += ProtoWriter.MessageSize(ProtoWriter.MessageSize(response.Size));
        return size;
    }

    protected override void WriteBody(ref ProtoWriter writer)
    {
        writer.Bool(2, Succeeded);
        foreach (var response in Responses)
        {
            writer.Message(3, ProtoWriter.MessageSize(response.Size));
            writer.Message(FieldOf(response), response.Size);
            response.Write(ref writer);
        }
    }

    private static int FieldOf(KvReply reply) => reply switch
    {
        RangeReply => 1,
        PutReply => 2,
        DeleteRangeReply => 3,
        _ => 4,
    };
}

/// <summary>etcdserverpb.ResponseHeader. The term is always 1: there is one member and it leads from the start.</summary>
internal static class HeaderCodec
{
    public const long Term = 1;

    public static int Size(StoreIdentity? identity, long revision) =>
        (identity is { } id ? ProtoWriter.Int64Size((long)id.ClusterId) + ProtoWriter.Int64Size((long)id.MemberId) + ProtoWriter.Int64Size(Term) : 0)
        + ProtoWriter.Int64Size(revision);

    public static void Write(ref ProtoWriter writer, StoreIdentity? identity, long revision)
    {
        if (identity is { } id)
        {
            writer.Int64(1, (long)id.ClusterId);
            writer.Int64(2, (long)id.MemberId);
        }

        writer.Int64(3, revision);
        if (identity is not null) writer.Int64(4, Term);
    }
}

/// <summary>mvccpb.KeyValue.</summary>
internal static class KeyValueCodec
{
    public static int Size(KeyVersion kv, bool keyOnly) =>
        ProtoWriter.BytesSize(kv.Entry.Key.Length) + ProtoWriter.Int64Size(kv.CreateRevision) + ProtoWriter.Int64Size(kv.ModRevision)
        + ProtoWriter.Int64Size(kv.Version) + (keyOnly ? 0 : ProtoWriter.BytesSize(kv.ValueLength)) + ProtoWriter.Int64Size(kv.Lease);

    public static void Write(ref ProtoWriter writer, KeyVersion kv, bool keyOnly)
    {
        writer.Bytes(1, kv.Entry.Key);
        writer.Int64(2, kv.CreateRevision);
        writer.Int64(3, kv.ModRevision);
        writer.Int64(4, kv.Version);
        if (!keyOnly) kv.CopyValueTo(writer.Bytes(5, kv.ValueLength));
        writer.Int64(6, kv.Lease);
    }
}
