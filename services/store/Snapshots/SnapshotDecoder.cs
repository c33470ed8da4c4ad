using System.Buffers.Binary;
using Mesh.Store.Access;
using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Leases;
using Mesh.Store.Mvcc;
using Mesh.Store.Wal;

namespace Mesh.Store.Snapshots;

/// <summary>Reads a snapshot file into an empty state machine. Every byte is under a checksum; any that does not hold throws <see cref="StoreCorruptException"/>.</summary>
internal static class SnapshotDecoder
{
    /// <summary>Returns the header, and where the snapshot's own bytes end.</summary>
    public static (SnapshotHeader Header, long End) Read(IStoreFile file, string path, StateMachine machine)
    {
        var headerBytes = new byte[SnapshotFormat.HeaderSize];
        _ = TornTail.ReadFully(file, headerBytes, 0);
        var header = SnapshotFormat.ReadHeader(headerBytes, path);
        var state = new Parts();
        long offset = SnapshotFormat.HeaderSize;
        var frameHeader = new byte[SnapshotFormat.FrameHeaderSize];
        var payload = Array.Empty<byte>();
        while (true)
        {
            var got = TornTail.ReadFully(file, frameHeader, offset);
            if (got < frameHeader.Length || Crc32C.Compute(frameHeader.AsSpan(0, 12)) != BinaryPrimitives.ReadUInt32LittleEndian(frameHeader.AsSpan(12)))
                throw new StoreCorruptException(path, offset, "a snapshot frame's header does not hold its checksum");
            var length = BinaryPrimitives.ReadInt32LittleEndian(frameHeader);
            if (length < 0 || length > file.Length - offset - frameHeader.Length) throw new StoreCorruptException(path, offset, "a snapshot frame is cut off");
            if (payload.Length < length) payload = new byte[length];
            _ = TornTail.ReadFully(file, payload.AsSpan(0, length), offset + frameHeader.Length);
            if (Crc32C.Compute(payload.AsSpan(0, length)) != BinaryPrimitives.ReadUInt32LittleEndian(frameHeader.AsSpan(8)))
                throw new StoreCorruptException(path, offset, "a snapshot frame does not hold its checksum");
            var kind = (FrameKind)BinaryPrimitives.ReadUInt32LittleEndian(frameHeader.AsSpan(4));
            offset += frameHeader.Length + length;
            try
            {
                if (kind == FrameKind.End)
                {
                    var expected = new Cursor(payload.AsSpan(0, length)).Varint();
                    if (expected != state.Entries.Count) throw new FormatException($"{expected} keys promised, {state.Entries.Count} found");
                    var padding = new byte[SnapshotFormat.Padding(offset)];
                    if (TornTail.ReadFully(file, padding, offset) < padding.Length || padding.AsSpan().IndexOfAnyExcept((byte)0) >= 0)
                        throw new FormatException("the padding at the end is damaged");
                    Finish(header, state, machine);
                    return (header, offset + padding.Length);
                }

                ReadFrame(kind, payload.AsSpan(0, length), state);
            }
            catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException or IndexOutOfRangeException)
            {
                throw new StoreCorruptException(path, offset, e.Message);
            }
        }
    }

    private static void Finish(in SnapshotHeader header, Parts state, StateMachine machine)
    {
        machine.Restore(state.Leases, state.Alarms, state.Access);
        var history = new List<KeyVersion>();
        foreach (var entry in state.Entries)
        {
            machine.Store.Restore(entry);
            for (var version = entry.Latest; version is not null && version.ModRevision >= header.CompactRevision; version = version.Previous) history.Add(version);
        }

        machine.Store.FinishRestore(header.Revision, header.CompactRevision, history);
    }

    private static void ReadFrame(FrameKind kind, ReadOnlySpan<byte> payload, Parts state)
    {
        var cursor = new Cursor(payload);
        switch (kind)
        {
            case FrameKind.Leases:
                while (!cursor.AtEnd) state.Leases.Add(new LeaseState(cursor.Varint(), cursor.Varint(), cursor.Varint()));
                break;
            case FrameKind.Alarms:
                while (!cursor.AtEnd) state.Alarms.Add((int)cursor.Varint());
                break;
            case FrameKind.Access:
                state.Access = AccessState.Decode(payload);
                break;
            case FrameKind.Keys:
                while (!cursor.AtEnd) state.Entries.Add(ReadEntry(ref cursor));
                break;
            default:
                throw new FormatException($"unknown frame {(uint)kind}");
        }
    }

    private static KeyEntry ReadEntry(ref Cursor cursor)
    {
        var entry = new KeyEntry(cursor.Bytes());
        for (var left = cursor.Varint(); left > 0; left--)
        {
            var mod = cursor.Varint();
            var sub = (int)cursor.Varint();
            var tombstone = cursor.Varint() == 1;
            KeyVersion version;
            if (tombstone)
            {
                version = new KeyVersion { Entry = entry, Data = [], ModRevision = mod, Sub = sub, IsTombstone = true };
            }
            else
            {
                var (create, count, lease, value) = (cursor.Varint(), cursor.Varint(), cursor.Varint(), cursor.Bytes());
                version = new KeyVersion
                {
                    Entry = entry,
                    Data = value,
                    ValueLength = value.Length,
                    ModRevision = mod,
                    Sub = sub,
                    CreateRevision = create,
                    Version = count,
                    Lease = lease,
                };
            }

            version.Previous = entry.Latest;
            entry.Latest = version;
        }

        return entry;
    }

    private sealed class Parts
    {
        public List<KeyEntry> Entries { get; } = [];
        public List<LeaseState> Leases { get; } = [];
        public List<int> Alarms { get; } = [];
        public AccessState Access { get; set; } = AccessState.Empty;
    }

    private ref struct Cursor(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;

        public readonly bool AtEnd => _at >= _bytes.Length;

        public long Varint()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var b = _bytes[_at++];
                value |= (ulong)(b & 0x7f) << shift;
                if (b < 0x80) return (long)value;
            }
        }

        public byte[] Bytes()
        {
            var length = (int)Varint();
            var slice = _bytes.Slice(_at, length).ToArray();
            _at += length;
            return slice;
        }
    }
}
