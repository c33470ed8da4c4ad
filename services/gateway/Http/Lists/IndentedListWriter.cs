using System.Buffers;
using System.Text.Json;
using Mesh.Gateway.Http.Forms;
using Mesh.Gateway.Registry;

namespace Mesh.Gateway.Http.Lists;

/// <summary>JSON as people read it.</summary>
internal sealed class IndentedListWriter(ServedForm form, ListPage page) : ListWriter, IDisposable
{
    private readonly PooledBuffer item = new();
    private Utf8JsonWriter? json;

    /// <inheritdoc/>
    public override int Count => page.Items.Count;

    /// <inheritdoc/>
    public override void WriteHead(IBufferWriter<byte> writer)
    {
        json = new Utf8JsonWriter(writer, ResponseWriter.Indented);
        json.WriteStartObject();
        foreach (var (name, value) in form.ListHead(page))
        {
            json.WritePropertyName(name);
            value!.WriteTo(json);
        }

        json.WriteStartArray(form.ItemsName);
        json.Flush();
    }

    /// <inheritdoc/>
    public override void WriteItem(IBufferWriter<byte> writer, int index)
    {
        form.WriteItem(json!, page.Items[index], item);
        json!.Flush();
    }

    /// <inheritdoc/>
    public override void WriteTail(IBufferWriter<byte> writer)
    {
        json!.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not the writer: disposing would write what an item that failed left behind.
        item.Dispose();
    }
}
