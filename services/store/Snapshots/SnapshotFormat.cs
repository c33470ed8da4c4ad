using System.Buffers.Binary;
using System.Globalization;
using Mesh.Store.Wal;

namespace Mesh.Store.Snapshots;

/// <summary>
/// A snapshot file: a 72-byte header (magic "MESHSNAP", u32 format version, u32 zero, u64 log index, i64 revision, i64 compact revision, u64 cluster id,
/// u64 member id, 12 zeros, u32 CRC-32C of bytes 0..67), then frames (u32 length, u32 kind, u32 CRC-32C of the payload, u32 CRC-32C of the twelve bytes
/// before, payload), the last of kind End with the number of keys, then zeros to a multiple of 512 (etcdctl looks for that and the hash after it). What `etcdctl snapshot save` receives is the same bytes followed by their SHA-256.
/// </summary>
internal static class SnapshotFormat
{
    public const int HeaderSize = 72;
    public const int FrameHeaderSize = 16;
    public const uint FormatVersion = 1;

    /// <summary>Zeros that follow so many bytes.</summary>
    public static int Padding(long length) => (int)((512 - length % 512) % 512);

    private static ReadOnlySpan<byte> Magic => "MESHSNAP"u8;

    public static string FileName(ulong index) => index.ToString("D20", CultureInfo.InvariantCulture) + ".snap";

    public static bool TryParseName(string path, out ulong index)
    {
        index = 0;
        return path.EndsWith(".snap", StringComparison.Ordinal)
            && ulong.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out index);
    }

    public static byte[] WriteHeader(SnapshotHeader header)
    {
        var bytes = new byte[HeaderSize];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), header.Index);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), header.Revision);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), header.CompactRevision);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), header.Identity.ClusterId);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(48), header.Identity.MemberId);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(68), Crc32C.Compute(bytes.AsSpan(0, 68)));
        return bytes;
    }

    public static SnapshotHeader ReadHeader(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < HeaderSize || !bytes[..8].SequenceEqual(Magic) || Crc32C.Compute(bytes[..68]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[68..]))
            throw new StoreCorruptException(path, 0, "it does not begin with a snapshot header");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version > FormatVersion) throw new StoreFormatException(path, version, FormatVersion);
        return new SnapshotHeader(BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            new StoreIdentity(BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..])));
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

/// <summary>Fields of a snapshot's header.</summary>
internal readonly record struct SnapshotHeader(ulong Index, long Revision, long CompactRevision, StoreIdentity Identity);
