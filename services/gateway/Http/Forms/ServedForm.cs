using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Schema;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Mesh.Gateway.Tables;

namespace Mesh.Gateway.Http.Forms;

/// <summary>
/// What objects of a resource look like to who asked for them, whatever the encoding: whole, their metadata alone, or as rows of a table. What does not change
/// with time is made once per object and shared by all who are served it.
/// </summary>
internal abstract class ServedForm
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 512 };

    /// <summary>Name of a list's items.</summary>
    public virtual string ItemsName => "items";

    /// <summary>Kind and version of a list.</summary>
    public abstract (string Kind, string ApiVersion) List { get; }

    /// <summary>The form of one request.</summary>
    /// <param name="shape">What was asked for.</param>
    /// <param name="resource">The objects' resource.</param>
    /// <param name="schema">Its kind, null when it has no protobuf.</param>
    /// <param name="tables">Makes rows.</param>
    /// <param name="includeObject">The parameter of that name: how much of the object a row has.</param>
    /// <param name="watch">Whether the objects come one after another.</param>
    public static ServedForm Of(ObjectShape shape, ApiResource resource, KindSchema? schema, TableConvertor tables, string includeObject, bool watch) => shape switch
    {
        ObjectShape.Partial => MetadataForm.Instance,
        ObjectShape.Table => new TableForm(resource, tables, TableForm.Include(includeObject), watch),
        _ => new WholeForm(resource, schema),
    };

    /// <summary>One object, only to be read.</summary>
    public abstract JsonObject Tree(CacheEntry entry);

    /// <summary>One object in JSON.</summary>
    public virtual byte[] Json(CacheEntry entry) => JsonBytes.Write(Tree(entry));

    /// <summary>One object in JSON, written out.</summary>
    public virtual void WriteJson(IBufferWriter<byte> writer, CacheEntry entry) => writer.Write(Json(entry));

    /// <summary>One object of a list in JSON without blanks. What the cache has packed stays so.</summary>
    public abstract void WriteItem(IBufferWriter<byte> writer, CacheEntry entry);

    /// <summary>The same as part of JSON under construction, with or without blanks.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="entry">The object.</param>
    /// <param name="scratch">A buffer that may be used.</param>
    public virtual void WriteItem(Utf8JsonWriter writer, CacheEntry entry, PooledBuffer scratch)
    {
        scratch.Clear();
        WriteItem(scratch, entry);
        using var item = JsonDocument.Parse(scratch.Written, Deep);
        item.RootElement.WriteTo(writer);
    }

    /// <summary>The same as a tree, only to be read.</summary>
    public virtual JsonObject ItemTree(CacheEntry entry, PooledBuffer scratch)
    {
        scratch.Clear();
        WriteItem(scratch, entry);
        return CacheEntry.Parse(scratch.Written.Span);
    }

    /// <summary>A list but for its items.</summary>
    public virtual JsonObject ListHead(ListPage page) => Object(List, ListMeta(page.Revision, page.Continue, page.Remaining));

    /// <summary>The object of a bookmark.</summary>
    public abstract JsonObject Bookmark(JsonObject metadata, long revision);

    /// <summary>An object that has nothing but metadata.</summary>
    protected static JsonObject Object((string Kind, string ApiVersion) type, JsonObject metadata) =>
        new() { ["kind"] = type.Kind, ["apiVersion"] = type.ApiVersion, ["metadata"] = metadata };

    /// <summary>ListMeta.</summary>
    protected static JsonObject ListMeta(long revision, string? token, long? remaining)
    {
        var meta = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture) };
        if (token is not null) meta["continue"] = token;
        if (token is not null && remaining > 0) meta["remainingItemCount"] = remaining;
        return meta;
    }
}
