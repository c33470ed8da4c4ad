using System.Buffers.Binary;
using System.Text;

namespace Mesh.Dns.Wire;

/// <summary>Writes answers, with name compression; an answer that does not fit is cut at a record and marked truncated.</summary>
internal sealed class ResponseWriter
{
    private readonly byte[] buffer = new byte[65535];
    private readonly Dictionary<string, int> names = new(StringComparer.Ordinal);
    private int position;
    private int limit;

    /// <summary>The response as bytes, valid until the next call.</summary>
    public ReadOnlyMemory<byte> Write(in Query query, Answer answer, int maxLength, bool authoritative = true)
    {
        names.Clear();
        position = 12;
        limit = Math.Min(maxLength, buffer.Length) - (query.HasEdns ? 11 : 0);
        var truncated = false;
        var hasQuestion = query.Question.Name is not null;
        if (hasQuestion)
        {
            WriteName(query.Question.Name!);
            Write16((ushort)query.Question.Type);
            Write16(query.Question.Class);
        }

        var answers = WriteAll(answer.Records, ref truncated);
        var authorities = truncated ? 0 : WriteAll(answer.Authority, ref truncated);
        var ignored = false;
        var additional = truncated ? 0 : WriteAll(answer.Additional, ref ignored);
        limit += 11;
        if (query.HasEdns)
        {
            buffer[position++] = 0;
            Write16((ushort)RecordType.Opt);
            Write16(1232);
            Write16(0);
            Write16(0);
            Write16(0);
            additional++;
        }

        var header = buffer.AsSpan();
        BinaryPrimitives.WriteUInt16BigEndian(header, query.Id);
        var flags = 0x8000 | (query.OpCode << 11) | (authoritative ? 0x0400 : 0) | (truncated ? 0x0200 : 0) | (query.RecursionDesired ? 0x0100 : 0) | 0x0080 | (int)answer.Code;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)flags);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)(hasQuestion ? 1 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], (ushort)answers);
        BinaryPrimitives.WriteUInt16BigEndian(header[8..], (ushort)authorities);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], (ushort)additional);
        return buffer.AsMemory(0, position);
    }

    private int WriteAll(IReadOnlyList<Record> records, ref bool truncated)
    {
        for (var i = 0; i < records.Count; i++)
        {
            var start = position;
            if (TryWriteRecord(records[i]))
                continue;
            position = start;
            truncated = true;
            return i;
        }

        return records.Count;
    }

    private bool TryWriteRecord(in Record record)
    {
        // The longest name plus the longest fixed part: room enough for anything written here but text.
        if (position + 600 > buffer.Length)
            return false;
        WriteName(record.Name);
        Write16((ushort)record.Type);
        Write16(1);
        Write32(record.Ttl);
        var lengthAt = position;
        position += 2;
        switch (record.Data)
        {
            case RecordData.Address address:
                address.Value.TryWriteBytes(buffer.AsSpan(position), out var written);
                position += written;
                break;
            case RecordData.DomainName name:
                WriteName(name.Value);
                break;
            case RecordData.Service service:
                Write16(service.Priority);
                Write16(service.Weight);
                Write16(service.Port);
                WriteName(service.Target, compress: false);
                break;
            case RecordData.Text text:
                var bytes = Encoding.UTF8.GetBytes(text.Value);
                var length = Math.Min(bytes.Length, 255);
                buffer[position++] = (byte)length;
                bytes.AsSpan(0, length).CopyTo(buffer.AsSpan(position));
                position += length;
                break;
            case RecordData.StartOfAuthority soa:
                WriteName(soa.Server);
                WriteName(soa.Mailbox);
                Write32(soa.Serial);
                Write32(7200);
                Write32(1800);
                Write32(86400);
                Write32(soa.Minimum);
                break;
        }

        BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(lengthAt), (ushort)(position - lengthAt - 2));
        return position <= limit;
    }

    private void WriteName(string name, bool compress = true)
    {
        var rest = name.AsSpan().TrimEnd('.');
        while (rest.Length > 0)
        {
            var key = rest.ToString();
            if (compress && names.TryGetValue(key, out var pointer))
            {
                Write16((ushort)(0xC000 | pointer));
                return;
            }

            if (position < 0x3FFF)
                names.TryAdd(key, position);
            var dot = rest.IndexOf('.');
            var label = dot < 0 ? rest : rest[..dot];
            buffer[position++] = (byte)Math.Min(label.Length, 63);
            position += Encoding.ASCII.GetBytes(label[..Math.Min(label.Length, 63)], buffer.AsSpan(position));
            rest = dot < 0 ? default : rest[(dot + 1)..];
        }

        buffer[position++] = 0;
    }

    private void Write16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(position), value);
        position += 2;
    }

    private void Write32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(position), value);
        position += 4;
    }
}
