using System.Buffers;
using System.Text;
using Mesh.Gateway.Http.Forms;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Http.Lists;

/// <summary>JSON without blanks: full objects are the cache's bytes.</summary>
internal sealed class JsonListWriter(ServedForm form, ListPage page) : ListWriter
{
    /// <inheritdoc/>
    public override int Count => page.Items.Count;

    /// <inheritdoc/>
    public override void WriteHead(IBufferWriter<byte> writer)
    {
        var head = JsonBytes.Write(form.ListHead(page));
        writer.Write(head.AsSpan(0, head.Length - 1));
        writer.Write(Encoding.UTF8.GetBytes($",\"{form.ItemsName}\":["));
    }

    /// <inheritdoc/>
    public override void WriteItem(IBufferWriter<byte> writer, int index)
    {
        if (index > 0) writer.Write(","u8);
        form.WriteItem(writer, page.Items[index]);
    }

    /// <inheritdoc/>
    public override void WriteTail(IBufferWriter<byte> writer) => writer.Write("]}\n"u8);
}
