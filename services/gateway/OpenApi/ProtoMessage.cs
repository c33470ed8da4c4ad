using System.Buffers;
using System.Text;
using Mesh.Api.Codecs;

namespace Mesh.Gateway.OpenApi;

/// <summary>A protobuf message under construction: strings, truth values and nested messages are all these documents need.</summary>
internal sealed class ProtoMessage
{
    private readonly ArrayBufferWriter<byte> buffer = new();

    /// <summary>The encoded message.</summary>
    public byte[] ToArray() => buffer.WrittenSpan.ToArray();

    /// <summary>A string; the empty one is left out.</summary>
    public ProtoMessage Text(int field, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            Bytes(field, Encoding.UTF8.GetBytes(value));
        return this;
    }

    /// <summary>Several strings.</summary>
    public ProtoMessage Texts(int field, IEnumerable<string> values)
    {
        foreach (var value in values)
            Bytes(field, Encoding.UTF8.GetBytes(value));
        return this;
    }

    /// <summary>A truth value; false is left out.</summary>
    public ProtoMessage Flag(int field, bool value)
    {
        if (value)
        {
            Number((uint)field << 3);
            Number(1);
        }

        return this;
    }

    /// <summary>A nested message; null is left out.</summary>
    public ProtoMessage Message(int field, ProtoMessage? message)
    {
        if (message is not null)
            Bytes(field, message.buffer.WrittenSpan);
        return this;
    }

    private void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Number(((uint)field << 3) | 2);
        Number((uint)value.Length);
        buffer.Write(value);
    }

    private void Number(uint value) => buffer.Advance(Varint.Write(buffer.GetSpan(Varint.MaxSize), value));
}
