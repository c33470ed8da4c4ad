using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Mesh.Store.Files;

namespace Mesh.Store.Wal;

/// <summary>
/// A segment's first 64 bytes: magic "MESHWAL\n", u32 format version, u32 zero, u64 sequence, u64 index of the first record, u64 cluster id,
/// u64 member id, zeros, u32 CRC-32C of bytes 0..59. Records follow from byte 64. The file is named by its sequence.
/// </summary>
internal static class SegmentFormat
{
    public const int HeaderSize = 64;

    /// <summary>What this build writes and the newest it reads.</summary>
    public const uint FormatVersion = 1;

    private static ReadOnlySpan<byte> Magic => "MESHWAL\n"u8;

    public static string FileName(ulong sequence) => NumberedFile.Name(sequence, ".log");

    public static bool TryParseName(string path, out ulong sequence) => NumberedFile.TryParse(path, ".log", out sequence);

    public static byte[] Write(SegmentHeader header)
    {
        var bytes = new byte[HeaderSize];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), header.Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), header.FirstIndex);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), header.Identity.ClusterId);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), header.Identity.MemberId);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(60), Crc32C.Compute(bytes.AsSpan(0, 60)));
        return bytes;
    }

    /// <summary>Null when the bytes are all zero: the segment was created but never begun.</summary>
    public static SegmentHeader? Read(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.IndexOfAnyExcept((byte)0) < 0) return null;
        if (bytes.Length < HeaderSize || !bytes[..8].SequenceEqual(Magic) || Crc32C.Compute(bytes[..60]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[60..]))
            throw new StoreCorruptException(path, 0, "the segment header is damaged: " + Convert.ToHexString(bytes[..Math.Min(16, bytes.Length)]));
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version > FormatVersion) throw new StoreFormatException(path, version, FormatVersion);
        return new SegmentHeader(BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
            new StoreIdentity(BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..])));
    }
}

/// <summary>Fields of a segment's header.</summary>
internal readonly record struct SegmentHeader(ulong Sequence, ulong FirstIndex, StoreIdentity Identity);

/// <summary>Ids that every answer's header carries; drawn once when the data directory is created.</summary>
public readonly record struct StoreIdentity(ulong ClusterId, ulong MemberId);

/// <summary>The log or snapshot holds bytes that were once whole and are no more. The store refuses to serve.</summary>
public sealed class StoreCorruptException(string path, long offset, string what)
    : Exception($"{path} is damaged at byte {offset}: {what}. The store does not start on damaged data; restore a snapshot (etcdctl snapshot save, meshadm restore).");

/// <summary>The data directory was written by a newer Mesh.</summary>
public sealed class StoreFormatException(string path, uint found, uint known)
    : Exception(string.Create(CultureInfo.InvariantCulture, $"{path} has format version {found}; this build reads up to {known}. Start a newer Mesh."));
