using System.Buffers.Binary;

namespace Mesh.Api.Codecs;

/// <summary>Reads the fields of one protobuf message. Throws DecodeException with gogo's words at a broken one.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> data = data;
    private int position;

    public int Number { get; private set; }

    public int WireType { get; private set; }

    public readonly bool AtEnd => position >= data.Length;

    /// <summary>Moves to the next field; false at the end.</summary>
    public bool Next()
    {
        if (AtEnd)
            return false;
        var tag = Varint();
        if (tag >> 3 is 0 or > 0x1FFFFFFF)
            throw new DecodeException($"proto: illegal tag {tag >> 3} (wire type {tag & 7})");
        Number = (int)(tag >> 3);
        WireType = (int)(tag & 7);
        return true;
    }

    public ulong Varint()
    {
        var size = Codecs.Varint.Read(data[position..], out var value);
        if (size <= 0)
            throw size == 0 ? UnexpectedEnd() : new DecodeException("proto: integer overflow");
        position += size;
        return value;
    }

    public double Double()
    {
        if (data.Length - position < 8)
            throw UnexpectedEnd();
        var value = BinaryPrimitives.ReadDoubleLittleEndian(data[position..]);
        position += 8;
        return value;
    }

    public ReadOnlySpan<byte> Bytes()
    {
        var length = Varint();
        if (length > (ulong)(data.Length - position))
            throw UnexpectedEnd();
        var value = data.Slice(position, (int)length);
        position += (int)length;
        return value;
    }

    /// <summary>Throws unless the field has the wire type that its declaration wants.</summary>
    public readonly void Expect(int wireType, string name)
    {
        if (WireType != wireType)
            throw new DecodeException($"proto: wrong wireType = {WireType} for field {name}");
    }

    /// <summary>Passes over the value of a field that is not known. Groups are not supported, as in every Kubernetes message.</summary>
    public void Skip()
    {
        switch (WireType)
        {
            case 0:
                Varint();
                break;
            case 1:
                Advance(8);
                break;
            case 2:
                Bytes();
                break;
            case 5:
                Advance(4);
                break;
            default:
                throw new DecodeException($"proto: illegal wireType {WireType}");
        }
    }

    private static DecodeException UnexpectedEnd() => new("unexpected EOF");

    private void Advance(int count)
    {
        if (data.Length - position < count)
            throw UnexpectedEnd();
        position += count;
    }
}
