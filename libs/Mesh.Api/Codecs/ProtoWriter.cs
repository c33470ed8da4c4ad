using System.Buffers.Binary;
using System.Text;

namespace Mesh.Api.Codecs;

/// <summary>
/// Writes a protobuf message from its end to its start, so that a length is known when it is written: last field first, and
/// each field as value, then length, then tag. The result reads forwards in ascending order.
/// </summary>
internal sealed class ProtoWriter(int capacity = 1024)
{
    private byte[] buffer = new byte[capacity];
    private int start = capacity;

    /// <summary>Bytes written so far; the difference of two readings is the length of what was written between.</summary>
    public int Length => buffer.Length - start;

    public ReadOnlySpan<byte> Written => buffer.AsSpan(start);

    public byte[] ToArray() => Written.ToArray();

    public void Tag(int number, int wireType) => Varint((ulong)(uint)((number << 3) | wireType));

    public void Varint(ulong value) => Codecs.Varint.Write(Take(Codecs.Varint.Size(value)), value);

    public void VarintField(int number, long value)
    {
        Varint((ulong)value);
        Tag(number, 0);
    }

    public void DoubleField(int number, double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);
        Tag(number, 1);
    }

    public void StringField(int number, ReadOnlySpan<char> value)
    {
        var size = Encoding.UTF8.GetByteCount(value);
        Encoding.UTF8.GetBytes(value, Take(size));
        Varint((ulong)size);
        Tag(number, 2);
    }

    public void BytesField(int number, ReadOnlySpan<byte> value)
    {
        value.CopyTo(Take(value.Length));
        Varint((ulong)value.Length);
        Tag(number, 2);
    }

    /// <summary>Closes a message whose content was written since <see cref="Length"/> was <paramref name="before"/>.</summary>
    public void Close(int number, int before)
    {
        Varint((ulong)(Length - before));
        Tag(number, 2);
    }

    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>Empties it; the buffer stays.</summary>
    public void Clear() => start = buffer.Length;

    private Span<byte> Take(int size)
    {
        if (size > start)
            Grow(size);
        start -= size;
        return buffer.AsSpan(start, size);
    }

    private void Grow(int size)
    {
        var length = Length;
        var bigger = new byte[Math.Max(buffer.Length * 2, length + size)];
        Written.CopyTo(bigger.AsSpan(bigger.Length - length));
        start = bigger.Length - length;
        buffer = bigger;
    }
}
