using System.Text;

namespace Mesh.Rpc.Lean;

/// <summary>Decodes header blocks (RFC 7541) with the table of one connection.</summary>
internal sealed class HpackDecoder
{
    /// <summary>Bytes of table that we let a peer use (SETTINGS_HEADER_TABLE_SIZE, its default).</summary>
    public const int TableSize = 4096;

    private static readonly (string Name, string Value)[] s_static =
    [
        (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"),
        (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"),
        ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
        ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
        ("content-encoding", ""), ("content-language", ""), ("content-length", ""), ("content-location", ""), ("content-range", ""), ("content-type", ""),
        ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
        ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""),
        ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""),
        ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""), ("www-authenticate", ""),
    ];

    private readonly List<(string Name, string Value)> _dynamic = []; // newest last
    private int _used;
    private int _limit = TableSize;

    /// <summary>Grows with every change of the table: a block seen before means the same as long as this is the same.</summary>
    public int Generation { get; private set; }

    /// <summary>Appends the block's fields. Throws <see cref="Http2Exception"/> on anything malformed: the table is lost then, and so is the connection.</summary>
    public void Decode(ReadOnlySpan<byte> block, List<(string Name, string Value)> fields)
    {
        while (!block.IsEmpty)
        {
            var kind = block[0];
            if ((kind & 0x80) != 0)
            {
                fields.Add(At(Number(ref block, 7)));
            }
            else if ((kind & 0x40) != 0)
            {
                var field = Literal(ref block, 6);
                Add(field);
                fields.Add(field);
            }
            else if ((kind & 0x20) != 0)
            {
                var size = Number(ref block, 5);
                if (size > TableSize) throw Malformed("the table cannot be made larger than was allowed");
                _limit = size;
                Shrink(_limit);
            }
            else
            {
                fields.Add(Literal(ref block, 4)); // without indexing, or never indexed
            }
        }
    }

    private static Http2Exception Malformed(string what) => new(Http2Error.Compression, "header block: " + what);

    private static int Number(ref ReadOnlySpan<byte> block, int prefixBits)
    {
        var mask = (1 << prefixBits) - 1;
        var value = block[0] & mask;
        block = block[1..];
        if (value < mask) return value;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            if (block.IsEmpty) throw Malformed("ends within a number");
            var b = block[0];
            block = block[1..];
            value += (b & 0x7f) << shift;
            if ((b & 0x80) == 0) return value;
        }

        throw Malformed("a number is too large");
    }

    private static string Text(ref ReadOnlySpan<byte> block)
    {
        if (block.IsEmpty) throw Malformed("ends before a string");
        var huffman = (block[0] & 0x80) != 0;
        var length = Number(ref block, 7);
        if (length > block.Length) throw Malformed("ends within a string");
        var bytes = block[..length];
        block = block[length..];
        return huffman ? HuffmanCode.Decode(bytes) ?? throw Malformed("a string is not in the Huffman code") : Encoding.Latin1.GetString(bytes);
    }

    private (string Name, string Value) Literal(ref ReadOnlySpan<byte> block, int prefixBits)
    {
        var index = Number(ref block, prefixBits);
        var name = index == 0 ? Text(ref block) : At(index).Name;
        return (name, Text(ref block));
    }

    private (string Name, string Value) At(int index)
    {
        if (index == 0) throw Malformed("index 0");
        if (index <= s_static.Length) return s_static[index - 1];
        var at = _dynamic.Count - (index - s_static.Length);
        return at >= 0 ? _dynamic[at] : throw Malformed("index " + index + " is beyond the table");
    }

    private void Add((string Name, string Value) field)
    {
        var size = Size(field);
        Shrink(_limit - size);
        if (size > _limit) return; // larger than the table: it is empty now, and that is no error
        _dynamic.Add(field);
        _used += size;
        Generation++;
    }

    private void Shrink(int to)
    {
        while (_used > to && _dynamic.Count > 0)
        {
            _used -= Size(_dynamic[0]);
            _dynamic.RemoveAt(0);
            Generation++;
        }
    }

    private static int Size((string Name, string Value) field) => field.Name.Length + field.Value.Length + 32;
}
