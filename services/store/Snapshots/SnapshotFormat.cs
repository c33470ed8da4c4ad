using System.Buffers.Binary;
using Mesh.Store.Files;
using Mesh.Store.Wal;

namespace Mesh.Store.Snapshots;

/// <summary>
/// A snapshot file, little endian, begins with a header:
/// <code>
///  0  magic "MESHSNAP"         24  i64 revision              56  u64 log index of the snapshot it follows (which names that file)
///  8  u32 format version       32  i64 compact revision      64  u32 CRC-32C of all bytes of that file, padding included
/// 12  u32 place in the chain   40  u64 cluster id            68  u32 CRC-32C of bytes 0..67
/// 16  u64 log index            48  u64 member id
/// </code>
/// A whole snapshot (a base) has version 1, place 0 and zeros at 56..67; an increment has version 2 and the place after the one it follows. Then come frames: u32 length,
/// u32 kind, u32 CRC-32C of the payload, u32 CRC-32C of the twelve bytes before, payload; the last of kind End with the number of entries; then zeros to a multiple of 512
/// (etcdctl looks for that and the hash after it). What `etcdctl snapshot save` receives is a base followed by the SHA-256 of its bytes.
/// <para>
/// A Keys frame holds entries, all numbers varints: key length and key, number of versions, versions oldest first: mod revision, sub revision, 1 for a tombstone (which ends it) or 0, create
/// revision, version, lease, value length and value. A base holds each key once, with what can be read from the compact revision on. An increment holds what was written after the snapshot it
/// follows, in the order of revisions. The state is all versions of the chain, oldest file first, compacted at the newest file's compact revision, and
/// the newest file's leases (id, TTL, remaining), alarms and access state (JSON), which every file holds whole.
/// </para>
/// </summary>
internal static class SnapshotFormat
{
    public const int HeaderSize = 72;
    public const int FrameHeaderSize = 16;

    /// <summary>The newest that this build reads.</summary>
    public const uint FormatVersion = 2;

    private const uint BaseVersion = 1;

    /// <summary>Zeros that follow so many bytes.</summary>
    public static int Padding(long length) => (int)((512 - length % 512) % 512);

    private static ReadOnlySpan<byte> Magic => "MESHSNAP"u8;

    public static string FileName(ulong index) => NumberedFile.Name(index, ".snap");

    public static bool TryParseName(string path, out ulong index) => NumberedFile.TryParse(path, ".snap", out index);

    public static byte[] WriteHeader(SnapshotHeader header)
    {
        var bytes = new byte[HeaderSize];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), header.Follows is null ? BaseVersion : FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), header.Place);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), header.Index);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), header.Revision);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), header.CompactRevision);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), header.Identity.ClusterId);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(48), header.Identity.MemberId);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), header.Follows?.Index ?? 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(64), header.Follows?.Checksum ?? 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(68), Crc32C.Compute(bytes.AsSpan(0, 68)));
        return bytes;
    }

    public static SnapshotHeader ReadHeader(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < HeaderSize || !bytes[..8].SequenceEqual(Magic) || Crc32C.Compute(bytes[..68]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[68..]))
            throw new StoreCorruptException(path, 0, "it does not begin with a snapshot header");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version > FormatVersion) throw new StoreFormatException(path, version, FormatVersion);
        var place = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        if (place < 0 || version == BaseVersion && place > 0) throw new StoreCorruptException(path, 12, $"a snapshot of format {version} cannot be number {place} of a chain");
        return new SnapshotHeader(BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            new StoreIdentity(BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..])))
        {
            Follows = place == 0 ? null : new SnapshotLink(place - 1, BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[64..])),
        };
    }

    public static void WriteFrameHeader(Span<byte> target, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)kind);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Crc32C.Compute(payload));
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Crc32C.Compute(target[..12]));
    }
}

/// <summary>What a frame holds.</summary>
internal enum FrameKind : uint
{
    Keys = 1,
    Leases = 2,
    Alarms = 3,
    Access = 4,
    End = 255,
}

/// <summary>A snapshot of a chain, as the next one names it: its place (0 is the base), its log index and the CRC-32C of its bytes.</summary>
internal readonly record struct SnapshotLink(int Place, ulong Index, uint Checksum);

/// <summary>Fields of a snapshot's header.</summary>
internal readonly record struct SnapshotHeader(ulong Index, long Revision, long CompactRevision, StoreIdentity Identity)
{
    /// <summary>What an increment follows; null for a base.</summary>
    public SnapshotLink? Follows { get; init; }

    /// <summary>Place in the chain.</summary>
    public int Place => Follows is { } before ? before.Place + 1 : 0;
}
