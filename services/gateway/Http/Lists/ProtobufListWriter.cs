using System.Buffers;
using Mesh.Api.Codecs;
using Mesh.Gateway.Http.Forms;
using Mesh.Gateway.Registry;

namespace Mesh.Gateway.Http.Lists;

/// <summary>
/// Protobuf, whose envelope says how long it will be before it begins. An item's length is remembered by the cache once it is known; the first list that meets an
/// object encodes it to know, keeps what it then has as long as that is little, and encodes the rest again when its turn comes.
/// </summary>
internal sealed class ProtobufListWriter(MessageForm form, ListPage page) : ListWriter
{
    /// <summary>Most bytes of encoded items that are kept from the first look to the second.</summary>
    public const int MaxKept = 4 << 20;

    private readonly ProtobufListEncoder list = new(form.ListSchema(), form.Schema);
    private readonly Dictionary<int, byte[]> kept = [];
    private byte[] head = [];
    private long? length;

    /// <inheritdoc/>
    public override long? Length => length;

    /// <inheritdoc/>
    public override int Count => page.Items.Count;

    /// <summary>Bytes of encoded items that are kept at the moment.</summary>
    public int Kept { get; private set; }

    /// <inheritdoc/>
    public override void Prepare(CancellationToken ct)
    {
        var items = 0L;
        for (var i = 0; i < page.Items.Count; i++)
        {
            ct.ThrowIfCancellationRequested();
            items += ProtobufListEncoder.FieldLength(MessageLength(i));
        }

        head = list.Head(form.ListHead(page), items);
        length = head.Length + items + ProtobufListEncoder.Tail.Length;
    }

    /// <inheritdoc/>
    public override void WriteHead(IBufferWriter<byte> writer) => writer.Write(head);

    /// <inheritdoc/>
    public override void WriteItem(IBufferWriter<byte> writer, int index)
    {
        if (kept.Remove(index, out var message))
        {
            Kept -= message.Length;
            ProtobufListEncoder.WriteItem(writer, message);
            return;
        }

        var encoded = Encode(index);
        // The lengths before it have been told already.
        if (encoded.Length != form.MessageLength(page.Items[index])) throw new InvalidOperationException($"{page.Items[index].Key} was encoded in another length than before");
        ProtobufListEncoder.WriteItem(writer, encoded);
    }

    /// <inheritdoc/>
    public override void WriteTail(IBufferWriter<byte> writer) => writer.Write(ProtobufListEncoder.Tail);

    private int MessageLength(int index)
    {
        var entry = page.Items[index];
        if (form.MessageLength(entry) is var known and > 0) return known;
        var message = Encode(index);
        if (Kept + message.Length <= MaxKept)
        {
            kept[index] = message.ToArray();
            Kept += message.Length;
        }

        form.Remember(entry, message.Length);
        return message.Length;
    }

    private ReadOnlySpan<byte> Encode(int index) => list.Message(form.MessageTree(page.Items[index]));
}
