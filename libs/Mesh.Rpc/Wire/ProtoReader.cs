using Mesh.Api.Codecs;

namespace Mesh.Rpc.Wire;

/// <summary>Reads protobuf fields from one array; byte fields come out as slices of it. Throws <see cref="FormatException"/> on bad input.</summary>
public ref struct ProtoReader(ReadOnlyMemory<byte> memory)
{
    private readonly ReadOnlySpan<byte> _span = memory.Span;
    private int _at;

    /// <summary>Number of the field just begun.</summary>
    public int Field { get; private set; }

    /// <summary>What has not been read.</summary>
    public readonly ReadOnlyMemory<byte> Rest => memory[_at..];

    private int WireType { get; set; }

    /// <summary>Begins the next field; false at the end.</summary>
    public bool Next()
    {
        if (_at >= _span.Length) return false;
        var tag = RawVarint();
        Field = (int)(tag >> 3);
        WireType = (int)(tag & 7);
        if (Field == 0) throw Bad();
        return true;
    }

    /// <summary>An integer, bool or enum field.</summary>
    public long Int64()
    {
        if (WireType != 0) throw Bad();
        return (long)RawVarint();
    }

    /// <summary>A bool field.</summary>
    public bool Bool() => Int64() != 0;

    /// <summary>A bytes, string or message field.</summary>
    public ReadOnlyMemory<byte> Bytes()
    {
        if (WireType != 2) throw Bad();
        var length = RawVarint();
        if (length > (ulong)(_span.Length - _at)) throw Bad();
        var slice = memory.Slice(_at, (int)length);
        _at += (int)length;
        return slice;
    }

    /// <summary>Passes over a field this build does not know.</summary>
    public void Skip()
    {
        switch (WireType)
        {
            case 0: _ = RawVarint(); break;
            case 1: Advance(8); break;
            case 2: _ = Bytes(); break;
            case 5: Advance(4); break;
            default: throw Bad();
        }
    }

    private void Advance(int count)
    {
        if (_span.Length - _at < count) throw Bad();
        _at += count;
    }

    private ulong RawVarint()
    {
        var size = Varint.Read(_span[_at..], out var value);
        if (size <= 0) throw Bad();
        _at += size;
        return value;
    }

    private static FormatException Bad() => new("the message is not valid protobuf");
}
