using System.Buffers.Binary;
using Mesh.Store.Access;
using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Leases;
using Mesh.Store.Mvcc;
using Mesh.Store.Wal;

namespace Mesh.Store.Snapshots;

/// <summary>
/// Reads the files of a chain, newest first, into an empty state machine, whose state is the one of the newest file's header. Every byte is under a checksum; any that
/// does not hold throws <see cref="StoreCorruptException"/>.
/// </summary>
internal sealed class SnapshotDecoder(StateMachine machine, SnapshotHeader state)
{
    private readonly byte[] _frameHeader = new byte[SnapshotFormat.FrameHeaderSize];
    private readonly List<StoredVersion> _versions = [];
    private readonly Dictionary<KeyEntry, KeyVersion> _oldest = []; // of keys met while an increment's versions are put back
    private byte[] _payload = [];
    private Rest? _newest;
    private Rest _rest = new();
    private bool _isIncrement;
    private long _entries;

    /// <summary>Adds a file, the one that those before follow; returns the CRC-32C of the snapshot's own bytes, and where they end.</summary>
    public (uint Checksum, long End) Read(IStoreFile file, string path, bool isIncrement)
    {
        _isIncrement = isIncrement;
        (_rest, _entries) = (new Rest(), 0);
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
                Restore(0);
                _newest ??= _rest;
                return (Crc32C.Compute(padding, checksum), offset + padding.Length);
            }
            catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException or IndexOutOfRangeException)
            {
                throw new StoreCorruptException(path, offset, e.Message);
            }
        }
    }

    /// <summary>Ends the restore after the base.</summary>
    public void Finish()
    {
        var rest = _newest ?? throw new InvalidOperationException("no file was read");
        machine.Restore(rest.Leases, rest.Alarms, rest.Access);
        machine.Store.FinishRestore(state.Revision, state.CompactRevision);
    }

    private ReadOnlySpan<byte> ReadFrame(IStoreFile file, string path, long offset, out FrameKind kind)
    {
        var got = TornTail.ReadFully(file, _frameHeader, offset);
        if (got < _frameHeader.Length || Crc32C.Compute(_frameHeader.AsSpan(0, 12)) != BinaryPrimitives.ReadUInt32LittleEndian(_frameHeader.AsSpan(12)))
            throw new StoreCorruptException(path, offset, "a snapshot frame's header does not hold its checksum");
        var length = BinaryPrimitives.ReadInt32LittleEndian(_frameHeader);
        if (length < 0 || length > file.Length - offset - _frameHeader.Length) throw new StoreCorruptException(path, offset, "a snapshot frame is cut off");
        if (_isIncrement || _payload.Length < length) _payload = new byte[length];
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
                while (!cursor.AtEnd) _rest.Leases.Add(new LeaseState(cursor.Varint(), cursor.Varint(), cursor.Varint()));
                break;
            case FrameKind.Alarms:
                while (!cursor.AtEnd) _rest.Alarms.Add((int)cursor.Varint());
                break;
            case FrameKind.Access:
                _rest.Access = AccessState.Decode(payload);
                break;
            case FrameKind.Keys:
                for (; !cursor.AtEnd; _entries++) TakeEntry(ref cursor);
                break;
            default:
                throw new FormatException($"unknown frame {(uint)kind}");
        }
    }

    /// <summary>
    /// A key's versions lie oldest first: in a base all in one entry, in an increment each in its own, others between. They are put back newest first, so an increment's wait for
    /// its end.
    /// </summary>
    private void TakeEntry(ref Cursor cursor)
    {
        var entry = machine.Store.RestoreKey(cursor.Bytes());
        var first = _versions.Count;
        for (var left = cursor.Varint(); left > 0; left--)
        {
            var version = new StoredVersion { Entry = entry, Revision = cursor.Varint(), Sub = (int)cursor.Varint(), IsTombstone = cursor.Varint() == 1, Frame = _payload };
            if (!version.IsTombstone)
            {
                (version.Create, version.Count, version.Lease) = (cursor.Varint(), cursor.Varint(), cursor.Varint());
                version.Value = cursor.Range();
            }

            _versions.Add(version);
        }

        if (!_isIncrement) Restore(first);
    }

    /// <summary>Puts back the versions that were read, from the last down to one; those that newer ones hide are left out.</summary>
    private void Restore(int first)
    {
        var (entry, newer) = ((KeyEntry?)null, (KeyVersion?)null);
        for (var i = _versions.Count - 1; i >= first; i--)
        {
            var version = _versions[i];
            if (!ReferenceEquals(version.Entry, entry))
            {
                // Walking down a key's versions for each of them would take the square of their number.
                if (entry is not null && newer is not null) _oldest[entry] = newer;
                entry = version.Entry;
                newer = _oldest.GetValueOrDefault(entry) ?? MvccStore.Oldest(entry);
            }

            if (newer is not null && (newer.ModRevision, newer.Sub).CompareTo((version.Revision, version.Sub)) <= 0)
                throw new FormatException($"a version of revision {newer.ModRevision} follows one of {version.Revision}");
            if (!MvccStore.IsSeenBelow(newer, version.Revision, state.CompactRevision)) continue;
            var value = version.Frame.AsSpan(version.Value).ToArray();
            var restored = new KeyVersion
            {
                Entry = version.Entry,
                Data = value,
                ValueLength = value.Length,
                ModRevision = version.Revision,
                Sub = version.Sub,
                IsTombstone = version.IsTombstone,
                CreateRevision = version.Create,
                Version = version.Count,
                Lease = version.Lease,
            };
            machine.Store.RestoreVersion(restored, newer);
            newer = restored;
        }

        _oldest.Clear();
        _versions.RemoveRange(first, _versions.Count - first);
    }

    /// <summary>What a file has beside versions. Every file has all of it: the newest one's counts.</summary>
    private sealed class Rest
    {
        public List<LeaseState> Leases { get; } = [];

        public List<int> Alarms { get; } = [];

        public AccessState Access { get; set; } = AccessState.Empty;
    }

    private struct StoredVersion
    {
        public KeyEntry Entry;
        public byte[] Frame;
        public long Revision, Create, Count, Lease;
        public int Sub;
        public bool IsTombstone;
        public Range Value; // in the frame's payload; none of a tombstone, as all the numbers
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

        public ReadOnlySpan<byte> Bytes() => _bytes[Range()];

        /// <summary>Goes past some bytes that say their length.</summary>
        public Range Range()
        {
            var length = (int)Varint();
            _ = _bytes.Slice(_at, length);
            _at += length;
            return new Range(_at - length, _at);
        }
    }
}
