using System.Buffers.Binary;

namespace Mesh.Store.Wal;

/// <summary>
/// A record on disk, little endian, starting at a multiple of 8:
/// <code>
///  0  u32 payload length     8  u64 index            24  u32 CRC-32C of the payload
///  4  u8  type, 3 x u8 zero  16 u64 durable index    28  u32 CRC-32C of bytes 0..27
/// 32  payload, then one end byte 0xA5, then zeros to a multiple of 8
/// </code>
/// The index counts records from 1 without gaps. The durable index is the last index known to be on disk when this record was written:
/// a broken record with an index at or below the durable index of a later one is damage, never a torn write. The end byte makes a missing
/// tail visible in preallocated (zero) space.
/// </summary>
internal static class RecordFormat
{
    public const int HeaderSize = 32;
    public const byte EndMark = 0xA5;

    /// <summary>A record is never larger than this; a request is refused long before.</summary>
    public const int MaxPayload = 64 << 20;

    /// <summary>Bytes a record takes in the file.</summary>
    public static int SizeOnDisk(int payloadLength) => (HeaderSize + payloadLength + 1 + 7) & ~7;

    /// <summary>Writes a whole record, padding included; <paramref name="target"/> has exactly <see cref="SizeOnDisk"/> bytes.</summary>
    public static void Write(Span<byte> target, RecordType type, ulong index, ulong durable, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)type);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], index);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], durable);
        BinaryPrimitives.WriteUInt32LittleEndian(target[24..], Crc32C.Compute(payload));
        BinaryPrimitives.WriteUInt32LittleEndian(target[28..], Crc32C.Compute(target[..28]));
        payload.CopyTo(target[HeaderSize..]);
        var tail = target[(HeaderSize + payload.Length)..];
        tail.Clear();
        tail[0] = EndMark;
    }

    /// <summary>Reads a header; false when its checksum or a field does not hold.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> bytes, out RecordHeader header)
    {
        header = default;
        if (bytes.Length < HeaderSize) return false;
        if (Crc32C.Compute(bytes[..28]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..])) return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        var type = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        var index = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        if (length > MaxPayload || type is 0 or > 255 || index == 0) return false;
        header = new RecordHeader((int)length, (RecordType)type, index,
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]));
        return true;
    }

    /// <summary>Whether the bytes after a good header are the payload the header promises, with end mark and clean padding (as far as the file goes).</summary>
    public static bool BodyHolds(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        if (record.Length < HeaderSize + header.Length + 1) return false;
        var payload = record.Slice(HeaderSize, header.Length);
        if (record[HeaderSize + header.Length] != EndMark || Crc32C.Compute(payload) != header.PayloadCrc) return false;
        return record[(HeaderSize + header.Length + 1)..].IndexOfAnyExcept((byte)0) < 0;
    }
}

/// <summary>The fields of a record's header.</summary>
internal readonly record struct RecordHeader(int Length, RecordType Type, ulong Index, ulong Durable, uint PayloadCrc);

/// <summary>A record read back.</summary>
internal readonly record struct LogRecord(RecordType Type, ulong Index, byte[] Payload);
