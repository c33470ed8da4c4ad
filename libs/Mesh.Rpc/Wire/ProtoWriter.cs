using System.Text;
using Mesh.Api.Codecs;

namespace Mesh.Rpc.Wire;

/// <summary>Writes protobuf fields into a span that was measured before. Fields with the default value are left out.</summary>
public ref struct ProtoWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;

    /// <summary>Bytes written.</summary>
    public int Written { get; private set; }

    /// <summary>Size of an integer field with a one-byte tag.</summary>
    public static int Int64Size(long value) => value == 0 ? 0 : 1 + Varint.Size((ulong)value);

    /// <summary>Size of a bool field with a one-byte tag.</summary>
    public static int BoolSize(bool value) => value ? 2 : 0;

    /// <summary>Size of a bytes field with a one-byte tag, left out when empty.</summary>
    public static int BytesSize(int length) => length == 0 ? 0 : MessageSize(length);

    /// <summary>Size of a string field with a one-byte tag, left out when empty.</summary>
    public static int TextSize(string value) => BytesSize(Encoding.UTF8.GetByteCount(value));

    /// <summary>Size of a message field with a one-byte tag; an empty message is there.</summary>
    public static int MessageSize(int length) => 1 + Varint.Size((ulong)length) + length;

    /// <summary>An integer or enum field.</summary>
    public void Int64(int field, long value)
    {
        if (value != 0) Int64Present(field, value);
    }

    /// <summary>An integer field that is there even when it is 0 (a choice of a oneof).</summary>
    public void Int64Present(int field, long value)
    {
        Byte((byte)(field << 3));
        Number((ulong)value);
    }

    /// <summary>A bool field.</summary>
    public void Bool(int field, bool value)
    {
        if (!value) return;
        Byte((byte)(field << 3));
        Byte(1);
    }

    /// <summary>A bytes field.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (value.Length == 0) return;
        Message(field, value.Length);
        value.CopyTo(_target[Written..]);
        Written += value.Length;
    }

    /// <summary>A bytes field that the caller fills; nothing when it is empty.</summary>
    public Span<byte> Bytes(int field, int length)
    {
        if (length == 0) return default;
        Message(field, length);
        var content = _target.Slice(Written, length);
        Written += length;
        return content;
    }

    /// <summary>Begins a message field whose content, of exactly this length, is written next.</summary>
    public void Message(int field, int length)
    {
        Byte((byte)(field << 3 | 2));
        Number((ulong)length);
    }

    /// <summary>A string field.</summary>
    public void Text(int field, string value)
    {
        if (value.Length == 0) return;
        Message(field, Encoding.UTF8.GetByteCount(value));
        Written += Encoding.UTF8.GetBytes(value, _target[Written..]);
    }

    private void Byte(byte value) => _target[Written++] = value;

    private void Number(ulong value) => Written += Varint.Write(_target[Written..], value);
}
