using Mesh.Store.Mvcc;

namespace Mesh.Store.Snapshots;

/// <summary>A capture as the bytes of a snapshot file, in chunks that are each used before the next is made.</summary>
internal static class SnapshotEncoder
{
    private const int FrameTarget = 1 << 18;

    public static IEnumerable<ReadOnlyMemory<byte>> Encode(SnapshotCapture capture)
    {
        long total = SnapshotFormat.HeaderSize;
        foreach (var chunk in Frames(capture))
        {
            if (total == SnapshotFormat.HeaderSize) yield return SnapshotFormat.WriteHeader(capture.Header);
            total += chunk.Length;
            yield return chunk;
        }

        yield return new byte[SnapshotFormat.Padding(total)];
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Frames(SnapshotCapture capture)
    {
        var frame = new FrameBuffer();

        foreach (var lease in capture.Leases)
        {
            frame.Varint(lease.Id);
            frame.Varint(lease.Ttl);
            frame.Varint(lease.Remaining);
        }

        yield return frame.Take(FrameKind.Leases);
        foreach (var alarm in capture.Alarms) frame.Varint(alarm);
        yield return frame.Take(FrameKind.Alarms);
        frame.Raw(capture.Access.Encode());
        yield return frame.Take(FrameKind.Access);

        long entries = 0;
        foreach (var (entry, versions) in capture.Changes is { } changes ? Each(changes) : Readable(capture))
        {
            entries++;
            WriteEntry(frame, entry, versions);
            if (frame.Length >= FrameTarget) yield return frame.Take(FrameKind.Keys);
        }

        if (frame.Length > 0) yield return frame.Take(FrameKind.Keys);
        frame.Varint(entries);
        yield return frame.Take(FrameKind.End);
    }

    /// <summary>An increment's entries: the changes one by one.</summary>
    private static IEnumerable<(KeyEntry Entry, List<KeyVersion> Versions)> Each(IEnumerable<KeyVersion> changes)
    {
        var one = new List<KeyVersion>(1);
        foreach (var version in changes)
        {
            one.Clear();
            one.Add(version);
            yield return (version.Entry, one);
        }
    }

    /// <summary>A base's entries: every key, with what can be read of it.</summary>
    private static IEnumerable<(KeyEntry Entry, List<KeyVersion> Versions)> Readable(SnapshotCapture capture)
    {
        var versions = new List<KeyVersion>();
        var walk = capture.View.Walk(KeyRange.Everything);
        while (walk.MoveNext())
        {
            Collect(walk.Current, capture.Header, versions);
            if (versions.Count > 0) yield return (walk.Current, versions);
        }
    }

    /// <summary>The versions that some readable revision sees, oldest first.</summary>
    private static void Collect(KeyEntry entry, in SnapshotHeader header, List<KeyVersion> versions)
    {
        versions.Clear();
        var oldest = entry.OldestAt(header.CompactRevision);
        for (var version = entry.At(header.Revision); version is not null; version = version.Previous)
        {
            var old = version.ModRevision < header.CompactRevision;
            if (old && version.IsTombstone) break;
            versions.Add(version);
            if (ReferenceEquals(version, oldest)) break;
        }

        versions.Reverse();
    }

    private static void WriteEntry(FrameBuffer frame, KeyEntry entry, List<KeyVersion> versions)
    {
        frame.Bytes(entry.Key);
        frame.Varint(versions.Count);
        foreach (var version in versions)
        {
            frame.Varint(version.ModRevision);
            frame.Varint(version.Sub);
            frame.Varint(version.IsTombstone ? 1 : 0);
            if (version.IsTombstone) continue;
            frame.Varint(version.CreateRevision);
            frame.Varint(version.Version);
            frame.Varint(version.Lease);
            frame.Value(version);
        }
    }

    /// <summary>A frame under construction; its buffer is used again after <see cref="Take"/>.</summary>
    private sealed class FrameBuffer
    {
        private byte[] _bytes = new byte[FrameTarget + (1 << 16)];
        private int _at = SnapshotFormat.FrameHeaderSize;

        public int Length => _at - SnapshotFormat.FrameHeaderSize;

        public ReadOnlyMemory<byte> Take(FrameKind kind)
        {
            SnapshotFormat.WriteFrameHeader(_bytes, kind, _bytes.AsSpan(SnapshotFormat.FrameHeaderSize, Length));
            var frame = _bytes.AsMemory(0, _at);
            _at = SnapshotFormat.FrameHeaderSize;
            return frame;
        }

        public void Varint(long value)
        {
            Room(Mesh.Api.Codecs.Varint.MaxSize);
            _at += Mesh.Api.Codecs.Varint.Write(_bytes.AsSpan(_at), (ulong)value);
        }

        public void Bytes(ReadOnlySpan<byte> bytes)
        {
            Varint(bytes.Length);
            Raw(bytes);
        }

        public void Value(KeyVersion version)
        {
            Varint(version.ValueLength);
            Room(version.ValueLength);
            version.CopyValueTo(_bytes.AsSpan(_at));
            _at += version.ValueLength;
        }

        public void Raw(ReadOnlySpan<byte> bytes)
        {
            Room(bytes.Length);
            bytes.CopyTo(_bytes.AsSpan(_at));
            _at += bytes.Length;
        }

        private void Room(int count)
        {
            if (_bytes.Length - _at < count) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _at + count));
        }
    }
}
