using System.Buffers;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Codecs;

/// <summary>
/// The parts of an enveloped list: its head, which says how long all items together are, the items one by one, and a tail. Together they are the bytes of
/// <see cref="ProtobufCodec.Encode"/>.
/// </summary>
/// <param name="list">The list's kind.</param>
/// <param name="item">The kind of its items.</param>
public sealed class ProtobufListEncoder(KindSchema list, KindSchema item)
{
    // In every list of every group `items` is field 2, length-delimited.
    private const int ItemsField = 2;
    private const byte ItemsTag = (ItemsField << 3) | 2;
    private readonly ProtoWriter writer = new(4096);

    /// <summary>What follows the last item.</summary>
    public static ReadOnlySpan<byte> Tail => [0x1a, 0, 0x22, 0];

    /// <summary>Bytes that a message takes as an item of a list.</summary>
    public static long FieldLength(int message) => 1 + Varint.Size((ulong)message) + message;

    /// <summary>Everything before the first item.</summary>
    /// <param name="source">The list without items.</param>
    /// <param name="items">Sum of the items' <see cref="FieldLength"/>.</param>
    /// <exception cref="DecodeException">A value does not fit its field.</exception>
    public byte[] Head(JsonObject source, long items)
    {
        writer.Clear();
        ProtobufEncoder.Encode(writer, list.Type, source);
        writer.Varint((ulong)(writer.Length + items));
        writer.Tag(2, 2);
        ProtobufCodec.WriteTypeMeta(writer, list);
        return writer.ToArray();
    }

    /// <summary>The bare message of an item, valid until the next call.</summary>
    /// <exception cref="DecodeException">A value does not fit its field.</exception>
    public ReadOnlySpan<byte> Message(JsonObject source)
    {
        writer.Clear();
        ProtobufEncoder.Encode(writer, item.Type, source);
        return writer.Written;
    }

    /// <summary>Writes a message as an item of the list.</summary>
    public static void WriteItem(IBufferWriter<byte> output, ReadOnlySpan<byte> message)
    {
        var span = output.GetSpan(message.Length + 1 + Varint.MaxSize);
        span[0] = ItemsTag;
        var at = 1 + Varint.Write(span[1..], (uint)message.Length);
        message.CopyTo(span[at..]);
        output.Advance(at + message.Length);
    }
}
