using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Mesh.Gateway.Tables;

namespace Mesh.Gateway.Http;

/// <summary>
/// Writes objects of one resource in one representation. What does not change with time is encoded once per object and shared by all
/// who are served it (JSON as it is in the cache, protobuf and metadata kept beside it); tables hold ages and are made on the spot.
/// </summary>
internal sealed class ObjectEncoder(ApiResource resource, KindSchema? schema, Representation representation, TableConvertor tables, string includeObject, bool watch = false)
{
    private static readonly object ProtobufForm = new();
    private static readonly object PartialForm = new();
    private static readonly object PartialProtobufForm = new();
    private static readonly KindSchema PartialSchema = ApiSchema.Builtin.FindKind("meta.k8s.io/v1", "PartialObjectMetadata")
        ?? new KindSchema("meta.k8s.io", "v1", "PartialObjectMetadata", ApiSchema.Builtin.FindType("k8s.io.apimachinery.pkg.apis.meta.v1", "PartialObjectMetadata")!);

    private static readonly JsonWriterOptions RowOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = 512 };

    private byte[]? itemHead; // made for lists only
    private bool columnsSent;

    /// <summary>The representation written.</summary>
    public Representation Representation => representation;

    /// <summary>One object.</summary>
    public byte[] Encode(CacheEntry entry) => (representation.Format, representation.Shape) switch
    {
        (BodyFormat.Json, ObjectShape.Full) => entry.Json,
        (BodyFormat.Protobuf, ObjectShape.Full) => entry.Encoded(ProtobufForm, e => ProtobufCodec.Encode(e.Parsed, schema!)),
        (BodyFormat.Json, ObjectShape.Partial) => entry.Encoded(PartialForm, PartialJson),
        (BodyFormat.Protobuf, ObjectShape.Partial) => entry.Encoded(PartialProtobufForm, static e => ProtobufCodec.Encode(Partial(e), PartialSchema)),
        (BodyFormat.Yaml, ObjectShape.Full) => YamlText.Write(entry.Parsed),
        (BodyFormat.Yaml, ObjectShape.Partial) => YamlText.Write(Partial(entry)),
        (BodyFormat.Yaml, _) => YamlText.Write(Table([entry], entry.Revision, null, null)),
        _ => JsonBytes.Write(Table([entry], entry.Revision, null, null)),
    };

    /// <summary>One object, written out: JSON comes straight from the cache.</summary>
    public void Write(IBufferWriter<byte> writer, CacheEntry entry)
    {
        if (representation is { Format: BodyFormat.Json, Shape: ObjectShape.Full }) entry.WriteJson(writer);
        else writer.Write(Encode(entry));
    }

    /// <summary>One object of a list in JSON without blanks: its kind is the list's and not said again. What the cache has packed stays so.</summary>
    public void WriteItem(IBufferWriter<byte> writer, CacheEntry entry)
    {
        switch (representation.Shape)
        {
            case ObjectShape.Full:
                entry.WriteJsonWithout(writer, itemHead ??= System.Text.Encoding.UTF8.GetBytes($"{{\"kind\":\"{resource.Kind}\",\"apiVersion\":\"{resource.GroupVersion}\","));
                break;
            case ObjectShape.Partial:
                entry.Look(writer, WritePartial);
                break;
            default:
                using (var row = new Utf8JsonWriter(writer, RowOptions)) tables.WriteRow(row, resource, entry.Glance(), Include);
                break;
        }
    }

    /// <summary>A list but for its items.</summary>
    public JsonObject ListHead(ListPage page)
    {
        var table = representation.Shape == ObjectShape.Table;
        var (kind, version) = table ? ("Table", "meta.k8s.io/v1") : ListKind();
        var head = new JsonObject { ["kind"] = kind, ["apiVersion"] = version, ["metadata"] = ListMeta(page.Revision, page.Continue, page.Remaining) };
        if (table) head["columnDefinitions"] = tables.Columns(resource);
        return head;
    }

    /// <summary>Name of a list's items.</summary>
    public string ItemsName => representation.Shape == ObjectShape.Table ? "rows" : "items";

    /// <summary>What an item of a protobuf list is made of.</summary>
    public JsonObject ItemTree(CacheEntry entry) => representation.Shape == ObjectShape.Partial ? CacheEntry.Parse(PartialJson(entry)) : entry.Glance();

    /// <summary>Kind of a list's items.</summary>
    public KindSchema ItemSchema => representation.Shape == ObjectShape.Partial ? PartialSchema : schema!;

    /// <summary>Length of an item's protobuf message, 0 when nobody has encoded it yet.</summary>
    public int MessageLength(CacheEntry entry) => representation.Shape == ObjectShape.Partial ? entry.PartialMessageLength : entry.MessageLength;

    /// <summary>Says how long an item's protobuf message is.</summary>
    public void Remember(CacheEntry entry, int length)
    {
        if (representation.Shape == ObjectShape.Partial) entry.PartialMessageLength = length;
        else entry.MessageLength = length;
    }

    /// <summary>An object that is no entry of the resource (a Scale, a review) in the format asked for.</summary>
    public static byte[] Encode(JsonObject obj, Representation representation)
    {
        if (representation.Format == BodyFormat.Yaml) return YamlText.Write(obj);
        if (representation.Format == BodyFormat.Protobuf
            && ApiSchema.Builtin.FindKind(obj["apiVersion"]?.ToString() ?? "", obj["kind"]?.ToString() ?? "") is { } kind)
        {
            return ProtobufCodec.Encode(obj, kind);
        }

        return JsonBytes.Write(obj);
    }

    /// <summary>The object of a bookmark.</summary>
    public byte[] EncodeBookmark(long revision, bool initialEventsEnd)
    {
        var meta = new JsonObject { ["resourceVersion"] = revision.ToString(System.Globalization.CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (initialEventsEnd) meta["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        var (kind, version) = representation.Shape == ObjectShape.Partial ? ("PartialObjectMetadata", "meta.k8s.io/v1") : (resource.Kind, resource.GroupVersion);
        var bookmark = new JsonObject { ["kind"] = kind, ["apiVersion"] = version, ["metadata"] = meta };
        if (representation.Format == BodyFormat.Protobuf)
        {
            meta.Remove("creationTimestamp");
            return ProtobufCodec.Encode(bookmark, representation.Shape == ObjectShape.Partial ? PartialSchema : schema!);
        }

        if (representation.Shape != ObjectShape.Table) return JsonBytes.Write(bookmark);
        var table = Table([], revision, null, null);
        table["rows"] = new JsonArray { new JsonObject { ["cells"] = new JsonArray(), ["object"] = bookmark } };
        return JsonBytes.Write(table);
    }

    /// <summary>Kind and version of a list in this representation.</summary>
    public (string Kind, string ApiVersion) ListKind() =>
        representation.Shape == ObjectShape.Partial ? ("PartialObjectMetadataList", "meta.k8s.io/v1") : (resource.Kind + "List", resource.GroupVersion);

    /// <summary>ListMeta.</summary>
    public static JsonObject ListMeta(long revision, string? token, long? remaining)
    {
        var meta = new JsonObject { ["resourceVersion"] = revision.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        if (token is not null) meta["continue"] = token;
        if (token is not null && remaining > 0) meta["remainingItemCount"] = remaining;
        return meta;
    }

    /// <summary>Schema of a protobuf list.</summary>
    /// <exception cref="ApiException">406: there is none.</exception>
    public KindSchema ListSchema()
    {
        var (kind, version) = ListKind();
        return ApiSchema.Builtin.FindKind(version, kind)
            ?? throw new ApiException(Statuses.NotAcceptable(Representation.Offered(hasProtobuf: false)));
    }

    private JsonObject Table(IReadOnlyList<CacheEntry> entries, long revision, string? token, long? remaining)
    {
        // A watch says its columns once.
        var columns = !(watch && columnsSent);
        columnsSent = true;
        return tables.ToTable(resource, entries.Select(static e => e.Parsed), ListMeta(revision, token, remaining), Include, columns);
    }

    private IncludeObject Include => includeObject switch { "Object" => IncludeObject.Object, "None" => IncludeObject.None, _ => IncludeObject.Metadata };

    private static byte[] PartialJson(CacheEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>();
        entry.Look(buffer, WritePartial);
        return buffer.WrittenSpan.ToArray();
    }

    // The metadata as it stands in the object's JSON.
    private static void WritePartial(ReadOnlySpan<byte> json, IBufferWriter<byte> writer)
    {
        writer.Write("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":"u8);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 512 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals("metadata"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!found) continue;
            writer.Write(json[start..(int)reader.BytesConsumed]);
            break;
        }

        writer.Write("}"u8);
    }

    private static JsonObject Partial(CacheEntry entry) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = entry.Parsed["metadata"]!.DeepClone(),
    };
}
