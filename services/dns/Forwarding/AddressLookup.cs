using System.Buffers.Binary;
using System.Net;
using System.Text;
using Mesh.Dns.Wire;

namespace Mesh.Dns.Forwarding;

/// <summary>An address question of our own (to follow an ExternalName) and the records of its answer.</summary>
internal static class AddressLookup
{
    public static byte[] Write(Question question, ushort id)
    {
        var packet = new List<byte>(64) { (byte)(id >> 8), (byte)id, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in question.Name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            var bytes = Encoding.ASCII.GetBytes(label.Length > 63 ? label[..63] : label);
            packet.Add((byte)bytes.Length);
            packet.AddRange(bytes);
        }

        packet.AddRange((byte[])[0, (byte)((int)question.Type >> 8), (byte)question.Type, 0, 1]);
        return [.. packet];
    }

    /// <summary>The CNAME, A and AAAA records; what cannot be read ends the list.</summary>
    public static IReadOnlyList<Record> Read(ReadOnlySpan<byte> packet)
    {
        var records = new List<Record>();
        if (packet.Length < 12)
            return records;
        var questions = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        var answers = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        var offset = 12;
        for (var i = 0; i < questions; i++)
        {
            if (!QueryReader.TryReadName(packet, ref offset, out _))
                return records;
            offset += 4;
        }

        for (var i = 0; i < answers; i++)
        {
            if (!QueryReader.TryReadName(packet, ref offset, out var name) || offset + 10 > packet.Length)
                return records;
            var type = (RecordType)BinaryPrimitives.ReadUInt16BigEndian(packet[offset..]);
            var ttl = BinaryPrimitives.ReadUInt32BigEndian(packet[(offset + 4)..]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(packet[(offset + 8)..]);
            offset += 10;
            if (offset + length > packet.Length)
                return records;
            var dataAt = offset;
            if ((type == RecordType.A && length == 4) || (type == RecordType.Aaaa && length == 16))
                records.Add(new Record(name, type, ttl, new RecordData.Address(new IPAddress(packet.Slice(offset, length)))));
            else if (type == RecordType.Cname && QueryReader.TryReadName(packet, ref dataAt, out var target))
                records.Add(new Record(name, type, ttl, new RecordData.DomainName(target)));
            offset += length;
        }

        return records;
    }
}
