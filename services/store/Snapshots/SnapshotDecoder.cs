using System.Buffers.Binary;
using Mesh.Store.Access;
using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Leases;
using Mesh.Store.Mvcc;
using Mesh.Store.Wal;

namespace Mesh.Store.Snapshots;

/// <summary>
/// Reads the files of a chain, base first, into an empty state machine, whose state is the one of the newest file's header. Every byte is under a checksum; any that
/// does not hold throws <see cref="StoreCorruptException"/>.
/// </summary>
internal sealed class SnapshotDecoder(StateMachine machine, SnapshotHeader state)
{
    private readonly byte[] _frameHeader = new byte[SnapshotFormat.FrameHeaderSize];
    private byte[] _payload = [];
    private List<LeaseState> _leases = [];
    private List<int> _alarms = [];
    private AccessState _access = AccessState.Empty;
    private long _entries;

    /// <summary>Adds a file; returns the CRC-32C of the snapshot's own bytes, and where they end.</summary>
    public (uint Checksum, long End) Read(IStoreFile file, string path)
    {
        // What is not versions every file has whole: the newest one's counts.
        (_leases, _alarms, _access, _entries) = ([], [], AccessState.Empty, 0);
        var header = new byte[SnapshotFormat.HeaderSize];
        _ = TornTail.ReadFully(file, header, 0);
        var checksum = Crc32C.Compute(header);
        for (long offset = header.Length; ;)
        {
            var payload = ReadFrame(file, path, offset, out var kind);
            checksum = Crc32C.Compute(payload, Crc32C.Compute(_frameHeader, checksum));
            offset += _frameHeader.Length + payload.Length;
            try
            {
                if (kind != FrameKind.End)
                {
                    Take(kind, payload);
                    continue;
                }

                var expected = new Cursor(payload).Varint();
                if (expected != _entries) throw new FormatException($"{expected} keys promised, {_entries} found");
                var padding = new byte[SnapshotFormat.Padding(offset)];
                if (TornTail.ReadFully(file, padding, offset) < padding.Length || padding.AsSpan().IndexOfAnyExcept((byte)0) >= 0)
                    throw new FormatException("the padding at the end is damaged");
                return (Crc32C.Compute(padding, checksum), offset + padding.Length);
            }
            catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException or IndexOutOfRangeException)
            {
                throw new StoreCorruptException(path, offset, e.Message);
            }
        }
    }

    /// <summary>Ends the restore after the newest file.</summary>
    public void Finish()
    {
        machine.Restore(_leases, _alarms, _access);
        machine.Store.FinishRestore(state.Revision, state.CompactRevision);
    }

    private ReadOnlySpan<byte> ReadFrame(IStoreFile file, string path, long offset, out FrameKind kind)
    {
        var got = TornTail.ReadFully(file, _frameHeader, offset);
        if (got < _frameHeader.Length || Crc32C.Compute(_frameHeader.AsSpan(0, 12)) != BinaryPrimitives.ReadUInt32LittleEndian(_frameHeader.AsSpan(12)))
            throw new StoreCorruptException(path, offset, "a snapshot frame's header does not hold its checksum");
        var length = BinaryPrimitives.ReadInt32LittleEndian(_frameHeader);
        if (length < 0 || length > file.Length - offset - _frameHeader.Length) throw new StoreCorruptException(path, offset, "a snapshot frame is cut off");
        if (_payload.Length < length) _payload = new byte[length];
        _ = TornTail.ReadFully(file, _payload.AsSpan(0, length), offset + _frameHeader.Length);
        if (Crc32C.Compute(_payload.AsSpan(0, length)) != BinaryPrimitives.ReadUInt32LittleEndian(_frameHeader.AsSpan(8)))
            throw new StoreCorruptException(path, offset, "a snapshot frame does not hold its checksum");
        kind = (FrameKind)BinaryPrimitives.ReadUInt32LittleEndian(_frameHeader.AsSpan(4));
        return _payload.AsSpan(0, length);
    }

    private void Take(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        var cursor = new Cursor(payload);
        switch (kind)
        {
            case FrameKind.Leases:
                while (!cursor.AtEnd) _leases.Add(new LeaseState(cursor.Varint(), cursor.Varint(), cursor.Varint()));
                break;
            case FrameKind.Alarms:
                while (!cursor.AtEnd) _alarms.Add((int)cursor.Varint());
                break;
            case FrameKind.Access:
                _access = AccessState.Decode(payload);
                break;
            case FrameKind.Keys:
                for (; !cursor.AtEnd; _entries++) TakeEntry(ref cursor);
                break;
            default:
                throw new FormatException($"unknown frame {(uint)kind}");
        }
    }

    private void TakeEntry(ref Cursor cursor)
    {
        var entry = machine.Store.RestoreKey(cursor.Bytes());
        for (var left = cursor.Varint(); left > 0; left--)
        {
            var mod = cursor.Varint();
            var sub = (int)cursor.Varint();
            if (cursor.Varint() == 1)
            {
                machine.Store.RestoreVersion(new KeyVersion { Entry = entry, Data = [], ModRevision = mod, Sub = sub, IsTombstone = true }, state.CompactRevision);
                continue;
            }

            var (create, count, lease, value) = (cursor.Varint(), cursor.Varint(), cursor.Varint(), cursor.Bytes().ToArray());
            machine.Store.RestoreVersion(new KeyVersion { Entry = entry, Data = value, ValueLength = value.Length, ModRevision = mod, Sub = sub, CreateRevision = create, Version = count, Lease = lease }, state.CompactRevision);
        }
    }

    private ref struct Cursor(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;

        public readonly bool AtEnd => _at >= _bytes.Length;

        public long Varint()
        {
            var size = Mesh.Api.Codecs.Varint.Read(_bytes[_at..], out var value);
            if (size <= 0) throw new FormatException("a number has no end");
            _at += size;
            return (long)value;
        }

        public ReadOnlySpan<byte> Bytes()
        {
            var length = (int)Varint();
            var slice = _bytes.Slice(_at, length);
            _at += length;
            return slice;
        }
    }
}
