using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Gateway.Http.Forms;
using Mesh.Gateway.Http.Yaml;
using Mesh.Gateway.Registry;

namespace Mesh.Gateway.Http.Lists;

/// <summary>YAML: names in order, so that some of the list's own come after the items.</summary>
internal sealed class YamlListWriter : ListWriter, IDisposable
{
    private readonly ServedForm form;
    private readonly ListPage page;
    private readonly PooledBuffer item = new();
    private readonly StringBuilder text = new();
    private readonly JsonObject before = [];
    private readonly JsonObject after = [];

    /// <summary>Writes a page.</summary>
    public YamlListWriter(ServedForm form, ListPage page)
    {
        (this.form, this.page) = (form, page);
        foreach (var (name, value) in form.ListHead(page))
            (YamlKeyOrder.Compare(name, form.ItemsName) < 0 ? before : after)[name] = value?.DeepClone();
    }

    /// <inheritdoc/>
    public override int Count => page.Items.Count;

    /// <inheritdoc/>
    public override void WriteHead(IBufferWriter<byte> writer)
    {
        writer.Write(YamlText.Write(before));
        writer.Write(Encoding.UTF8.GetBytes(Count == 0 ? form.ItemsName + ": []\n" : form.ItemsName + ":\n"));
    }

    /// <inheritdoc/>
    public override void WriteItem(IBufferWriter<byte> writer, int index)
    {
        text.Clear();
        YamlText.WriteItem(text, form.ItemTree(page.Items[index], item));
        foreach (var chunk in text.GetChunks()) Encoding.UTF8.GetBytes(chunk.Span, writer);
    }

    /// <inheritdoc/>
    public override void WriteTail(IBufferWriter<byte> writer) => writer.Write(YamlText.Write(after));

    /// <inheritdoc/>
    public void Dispose() => item.Dispose();
}
