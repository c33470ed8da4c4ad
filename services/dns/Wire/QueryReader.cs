using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Mesh.Dns.Wire;

/// <summary>Reads queries (RFC 1035 §4). Anything malformed is a refusal by value, never an exception.</summary>
internal static class QueryReader
{
    private const int HeaderLength = 12;

    /// <summary>False when the packet is not a query with exactly one question; Id is set when there was a header.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out Query query)
    {
        query = default;
        if (packet.Length < HeaderLength)
            return false;
        var id = BinaryPrimitives.ReadUInt16BigEndian(packet);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        var questions = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        query = new Query(id, (byte)((flags >> 11) & 0xF), (flags & 0x0100) != 0, default, false, 512);
        if ((flags & 0x8000) != 0 || questions != 1)
            return false;
        var offset = HeaderLength;
        if (!TryReadName(packet, ref offset, out var name) || offset + 4 > packet.Length)
            return false;
        var question = new Question(
            name, (RecordType)BinaryPrimitives.ReadUInt16BigEndian(packet[offset..]), BinaryPrimitives.ReadUInt16BigEndian(packet[(offset + 2)..]));
        offset += 4;
        query = query with { Question = question };
        return TryReadEdns(packet, offset, ref query);
    }

    /// <summary>Reads a possibly compressed name; lower case, dots between labels, no trailing dot.</summary>
    public static bool TryReadName(ReadOnlySpan<byte> packet, ref int offset, [NotNullWhen(true)] out string? name)
    {
        name = null;
        Span<char> text = stackalloc char[256];
        var length = 0;
        var at = offset;
        var end = -1;
        for (var hops = 0; ;)
        {
            if (at >= packet.Length)
                return false;
            var size = packet[at];
            if (size == 0)
            {
                offset = end >= 0 ? end : at + 1;
                name = new string(text[..length]);
                return true;
            }

            if ((size & 0xC0) == 0xC0)
            {
                if (at + 1 >= packet.Length || ++hops > 16)
                    return false;
                if (end < 0)
                    end = at + 2;
                at = ((size & 0x3F) << 8) | packet[at + 1];
                continue;
            }

            if ((size & 0xC0) != 0 || at + 1 + size > packet.Length || length + size + 1 > 254)
                return false;
            if (length > 0)
                text[length++] = '.';
            foreach (var b in packet.Slice(at + 1, size))
                text[length++] = char.ToLowerInvariant((char)b);
            at += 1 + size;
        }
    }

    // An OPT record among the additional ones says how large an answer may be (RFC 6891).
    private static bool TryReadEdns(ReadOnlySpan<byte> packet, int offset, ref Query query)
    {
        var records = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) + BinaryPrimitives.ReadUInt16BigEndian(packet[8..])
            + BinaryPrimitives.ReadUInt16BigEndian(packet[10..]);
        for (var i = 0; i < records; i++)
        {
            if (!TryReadName(packet, ref offset, out _) || offset + 10 > packet.Length)
                return false;
            var type = (RecordType)BinaryPrimitives.ReadUInt16BigEndian(packet[offset..]);
            var size = BinaryPrimitives.ReadUInt16BigEndian(packet[(offset + 2)..]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(packet[(offset + 8)..]);
            offset += 10 + length;
            if (offset > packet.Length)
                return false;
            if (type == RecordType.Opt)
                query = query with { HasEdns = true, UdpSize = Math.Clamp(size, (ushort)512, (ushort)4096) };
        }

        return true;
    }
}
