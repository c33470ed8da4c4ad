using Mesh.Rpc.Wire;

namespace Mesh.Rpc.Etcd;

/// <summary>mvccpb.KeyValue, as far as the gateway asks; key and value are slices of the answer they came in.</summary>
public readonly record struct KvItem(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, long ModRevision, long CreateRevision)
{
    internal static KvItem Read(ReadOnlyMemory<byte> message)
    {
        ReadOnlyMemory<byte> key = default, value = default;
        long revision = 0, created = 0;
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: key = reader.Bytes(); break;
                case 2: created = reader.Int64(); break;
                case 3: revision = reader.Int64(); break;
                case 5: value = reader.Bytes(); break;
                default: reader.Skip(); break;
            }
        }

        return new KvItem(key, value, revision, created);
    }
}

/// <summary>etcdserverpb.RangeResponse: the keys in order, and the store's revision.</summary>
public readonly record struct RangeAnswer(IReadOnlyList<KvItem> Items, bool More, long Count, long Revision)
{
    /// <summary>Decodes an answer.</summary>
    /// <exception cref="FormatException">It is no protobuf.</exception>
    public static RangeAnswer Read(ReadOnlyMemory<byte> message)
    {
        List<KvItem>? items = null;
        var more = false;
        long count = 0, revision = 0;
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: revision = HeaderRevision(reader.Bytes()); break;
                case 2: (items ??= new List<KvItem>(1)).Add(KvItem.Read(reader.Bytes())); break;
                case 3: more = reader.Bool(); break;
                case 4: count = reader.Int64(); break;
                default: reader.Skip(); break;
            }
        }

        return new RangeAnswer(items ?? (IReadOnlyList<KvItem>)[], more, count, revision);
    }

    internal static long HeaderRevision(ReadOnlyMemory<byte> header)
    {
        var revision = 0L;
        var reader = new ProtoReader(header);
        while (reader.Next())
        {
            if (reader.Field == 3) revision = reader.Int64();
            else reader.Skip();
        }

        return revision;
    }
}

/// <summary>The answer to a <see cref="GuardedWrite"/>: done, at the revision; or what is there in place of the expected (null: nothing).</summary>
public readonly record struct WriteAnswer(bool Succeeded, long Revision, KvItem? Current)
{
    /// <summary>Decodes etcdserverpb.TxnResponse.</summary>
    /// <exception cref="FormatException">It is no protobuf.</exception>
    public static WriteAnswer Read(ReadOnlyMemory<byte> message)
    {
        var succeeded = false;
        var revision = 0L;
        KvItem? current = null;
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: revision = RangeAnswer.HeaderRevision(reader.Bytes()); break;
                case 2: succeeded = reader.Bool(); break;
                case 3: current ??= Found(reader.Bytes()); break;
                default: reader.Skip(); break;
            }
        }

        return new WriteAnswer(succeeded, revision, succeeded ? null : current);
    }

    private static KvItem? Found(ReadOnlyMemory<byte> response)
    {
        var reader = new ProtoReader(response);
        while (reader.Next())
        {
            if (reader.Field == 1) return RangeAnswer.Read(reader.Bytes()).Items is [var item, ..] ? item : null;
            reader.Skip();
        }

        return null;
    }
}
