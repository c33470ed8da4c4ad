using Mesh.Store.Wal;
using Mesh.Store.Wire;

namespace Mesh.Store.Commit;

/// <summary>Refuse reads of revisions below this one.</summary>
internal sealed record CompactCommand(long Revision);

/// <summary>Create a lease of so many seconds.</summary>
internal sealed record LeaseGrantCommand(long Id, long Ttl);

/// <summary>End a lease and delete its keys.</summary>
internal sealed record LeaseRevokeCommand(long Id);

/// <summary>Remember how many seconds leases had left; 0 means the full time.</summary>
internal sealed record LeaseCheckpointCommand(IReadOnlyList<(long Id, long Remaining)> Leases);

/// <summary>Raise or clear an alarm (etcdserverpb.AlarmType).</summary>
internal sealed record AlarmCommand(int Alarm, bool Raise);

/// <summary>A change of users, roles or the switch: the whole new state.</summary>
internal sealed record AccessCommand(ReadOnlyMemory<byte> State);

/// <summary>Commands that are not etcd messages already, to log payloads and back; and every log record to its command.</summary>
internal static class CommandCodec
{
    public static byte[] Encode(object command) => command switch
    {
        CompactCommand c => Numbers(c.Revision),
        LeaseGrantCommand c => Numbers(c.Id, c.Ttl),
        LeaseRevokeCommand c => Numbers(c.Id),
        LeaseCheckpointCommand c => Numbers([.. c.Leases.SelectMany(l => new[] { l.Id, l.Remaining })]),
        AlarmCommand c => Numbers(c.Alarm, c.Raise ? 1 : 0),
        AccessCommand c => c.State.ToArray(),
        _ => throw new ArgumentException("no encoding for " + command.GetType().Name, nameof(command)),
    };

    public static RecordType TypeOf(object command) => command switch
    {
        PutRequest => RecordType.Put,
        DeleteRangeRequest => RecordType.DeleteRange,
        TxnRequest => RecordType.Txn,
        CompactCommand => RecordType.Compact,
        LeaseGrantCommand => RecordType.LeaseGrant,
        LeaseRevokeCommand => RecordType.LeaseRevoke,
        LeaseCheckpointCommand => RecordType.LeaseCheckpoint,
        AlarmCommand => RecordType.Alarm,
        AccessCommand => RecordType.Access,
        _ => throw new ArgumentException("not a command: " + command.GetType().Name, nameof(command)),
    };

    /// <summary>Throws <see cref="FormatException"/> when the payload is not what the type promises.</summary>
    public static object Decode(RecordType type, ReadOnlyMemory<byte> payload)
    {
        switch (type)
        {
            case RecordType.Put: return KvRequestDecoder.Put(payload);
            case RecordType.DeleteRange: return KvRequestDecoder.DeleteRange(payload);
            case RecordType.Txn: return KvRequestDecoder.Txn(payload);
            case RecordType.Access: return new AccessCommand(payload);
        }

        var numbers = Numbers(payload.Span);
        return (type, numbers.Length) switch
        {
            (RecordType.Compact, 1) => new CompactCommand(numbers[0]),
            (RecordType.LeaseGrant, 2) => new LeaseGrantCommand(numbers[0], numbers[1]),
            (RecordType.LeaseRevoke, 1) => new LeaseRevokeCommand(numbers[0]),
            (RecordType.Alarm, 2) => new AlarmCommand((int)numbers[0], numbers[1] != 0),
            (RecordType.LeaseCheckpoint, var n) when n % 2 == 0 => new LeaseCheckpointCommand([.. numbers.Chunk(2).Select(p => (p[0], p[1]))]),
            _ => throw new FormatException($"log record of unknown type {(int)type} or shape"),
        };
    }

    private static byte[] Numbers(params long[] values)
    {
        var bytes = new byte[values.Length * 8];
        for (var i = 0; i < values.Length; i++) System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * 8), values[i]);
        return bytes;
    }

    private static long[] Numbers(ReadOnlySpan<byte> bytes)
    {
        var values = new long[bytes.Length / 8];
        for (var i = 0; i < values.Length; i++) values[i] = System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * 8)..]);
        return values;
    }
}
