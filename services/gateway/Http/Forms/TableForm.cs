using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Mesh.Gateway.Tables;

namespace Mesh.Gateway.Http.Forms;

/// <summary>Rows of a meta.k8s.io/v1 Table. They hold ages and are made on the spot.</summary>
internal sealed class TableForm(ApiResource resource, TableConvertor tables, IncludeObject include, bool watch) : ServedForm
{
    private static readonly JsonWriterOptions RowOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = 512 };
    private bool columnsSent;

    /// <inheritdoc/>
    public override string ItemsName => "rows";

    /// <inheritdoc/>
    public override (string Kind, string ApiVersion) List => ("Table", "meta.k8s.io/v1");

    /// <summary>The includeObject parameter: how much of the object a row has.</summary>
    public static IncludeObject Include(string parameter) =>
        parameter switch { "Object" => IncludeObject.Object, "None" => IncludeObject.None, _ => IncludeObject.Metadata };

    /// <inheritdoc/>
    public override JsonObject Tree(CacheEntry entry) => Table([entry.Parsed], entry.Revision);

    /// <inheritdoc/>
    public override void WriteItem(IBufferWriter<byte> writer, CacheEntry entry)
    {
        using var row = new Utf8JsonWriter(writer, RowOptions);
        tables.WriteRow(row, resource, entry.Glance(), include);
    }

    /// <inheritdoc/>
    public override void WriteItem(Utf8JsonWriter writer, CacheEntry entry, PooledBuffer scratch) => tables.WriteRow(writer, resource, entry.Glance(), include);

    /// <inheritdoc/>
    public override JsonObject ItemTree(CacheEntry entry, PooledBuffer scratch) => tables.Row(resource, entry.Glance(), include);

    /// <inheritdoc/>
    public override JsonObject ListHead(ListPage page)
    {
        var head = base.ListHead(page);
        head["columnDefinitions"] = tables.Columns(resource);
        return head;
    }

    /// <summary>A row without cells.</summary>
    public override JsonObject Bookmark(JsonObject metadata, long revision)
    {
        var table = Table([], revision);
        table["rows"] = new JsonArray { new JsonObject { ["cells"] = new JsonArray(), ["object"] = Object((resource.Kind, resource.GroupVersion), metadata) } };
        return table;
    }

    private JsonObject Table(IEnumerable<JsonObject> objects, long revision)
    {
        // A watch says its columns once.
        var columns = !(watch && columnsSent);
        columnsSent = true;
        return tables.ToTable(resource, objects, ListMeta(revision, null, null), include, columns);
    }
}
