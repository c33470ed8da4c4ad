using System.Buffers;
using Mesh.Store.Files;

namespace Mesh.Store.Wal;

/// <summary>
/// Tells a torn write (the machine stopped before fdatasync returned, so nobody was answered) from damage (bytes that were whole once).
/// Torn needs both: no later record proves that the broken one was durable, and the broken record lacks the end of some 512-byte sector,
/// which then still holds the zeros of preallocation. A flipped bit in a record that is all there is therefore damage even in the last record.
/// </summary>
internal static class TornTail
{
    private const int Sector = 512;

    /// <summary>Returns when the bytes at <paramref name="offset"/> can be the trace of a torn write; throws <see cref="StoreCorruptException"/> when not.</summary>
    public static void EnsureTorn(IStoreFile file, string path, long offset, ulong expectedIndex, RecordHeader? header)
    {
        var rest = ArrayPool<byte>.Shared.Rent((int)Math.Max(0, file.Length - offset) + RecordFormat.HeaderSize);
        try
        {
            var length = ReadFully(file, rest.AsSpan(0, (int)Math.Max(0, file.Length - offset)), offset);
            var bytes = rest.AsSpan(0, length);
            if (ProvenDurable(bytes, expectedIndex, out var proof))
                throw new StoreCorruptException(path, offset, $"record {expectedIndex} does not hold its checksum, and record {proof} proves that it was on disk");
            var extent = header is { } h ? RecordFormat.HeaderSize + h.Length + 1 : RecordFormat.HeaderSize;
            if (!LacksSectorEnd(bytes, offset, extent, headerOnly: header is null))
                throw new StoreCorruptException(path, offset, $"record {expectedIndex} is complete but does not hold its checksum");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rest);
        }
    }

    /// <summary>Fills the buffer from an offset as far as the file goes.</summary>
    public static int ReadFully(IStoreFile file, Span<byte> buffer, long offset)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = file.Read(buffer[total..], offset + total);
            if (read == 0) break;
            total += read;
        }

        return total;
    }

    private static bool ProvenDurable(ReadOnlySpan<byte> bytes, ulong index, out ulong proof)
    {
        proof = 0;
        for (var at = 8; at + RecordFormat.HeaderSize <= bytes.Length;)
        {
            var skip = bytes[at..].IndexOfAnyExcept((byte)0);
            if (skip < 0) return false;
            // A header never begins with eight zero bytes unless its payload is empty; its type byte is then at +4.
            at = (at + skip) & ~7;
            if (RecordFormat.TryReadHeader(bytes[at..], out var later) && later.Index > index && later.Durable >= index)
            {
                proof = later.Index;
                return true;
            }

            at += 8;
        }

        return false;
    }

    private static bool LacksSectorEnd(ReadOnlySpan<byte> bytes, long offset, int extent, bool headerOnly)
    {
        if (extent > bytes.Length) return true; // the file ends inside the record
        for (var at = 0; at < extent;)
        {
            var sectorEnd = (int)(Sector - ((offset + at) % Sector)) + at;
            var end = Math.Min(sectorEnd, extent);
            // With a broken header the record's true end is unknown: then only a sector that is zero to its very end counts.
            var from = Math.Max(at, end - 8);
            var to = headerOnly ? Math.Min(sectorEnd, bytes.Length) : end;
            var tail = headerOnly && end < sectorEnd ? bytes[(end - 1)..to] : bytes[from..end];
            if (end == extent && !headerOnly) tail = bytes[(end - 1)..end];
            if (tail.IndexOfAnyExcept((byte)0) < 0) return true;
            at = end;
        }

        return false;
    }
}
