using System.Buffers;
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

    private byte[]? itemHead; // made for lists only
    private bool columnsSent;

    /// <summary>The representation written.</summary>
    public Representation Representation => representation;

    /// <summary>One object.</summary>
    public byte[] Encode(CacheEntry entry) => (representation.Format, representation.Shape) switch
    {
        (BodyFormat.Json, ObjectShape.Full) => entry.Json,
        (BodyFormat.Protobuf, ObjectShape.Full) => entry.Encoded(ProtobufForm, e => ProtobufCodec.Encode(e.Parsed, schema!)),
        (BodyFormat.Json, ObjectShape.Partial) => entry.Encoded(PartialForm, static e => JsonBytes.Write(Partial(e))),
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

    /// <summary>One object of a list in JSON: its kind is the list's and not said again.</summary>
    public void WriteItem(IBufferWriter<byte> writer, CacheEntry entry)
    {
        if (representation.Shape == ObjectShape.Full) entry.WriteJsonWithout(writer, itemHead ??= System.Text.Encoding.UTF8.GetBytes($"{{\"kind\":\"{resource.Kind}\",\"apiVersion\":\"{resource.GroupVersion}\","));
        else writer.Write(Encode(entry));
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

    /// <summary>A page as a tree: for tables, YAML and protobuf. JSON lists are streamed instead (<see cref="ResponseWriter"/>).</summary>
    public byte[] EncodeList(ListPage page)
    {
        var tree = representation.Shape == ObjectShape.Table
            ? Table(page.Items, page.Revision, page.Continue, page.Remaining)
            : ListTree(page);
        return representation.Format switch
        {
            BodyFormat.Yaml => YamlText.Write(tree),
            BodyFormat.Protobuf => ProtobufCodec.Encode(tree, ListSchema()),
            _ => JsonBytes.Write(tree),
        };
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

    private KindSchema ListSchema()
    {
        var (kind, version) = ListKind();
        return ApiSchema.Builtin.FindKind(version, kind)
            ?? throw new ApiException(Statuses.NotAcceptable(Representation.Offered(hasProtobuf: false)));
    }

    private JsonObject ListTree(ListPage page)
    {
        var (kind, version) = ListKind();
        var items = new JsonArray();
        foreach (var entry in page.Items)
        {
            var item = representation.Shape == ObjectShape.Partial ? Partial(entry) : entry.Parsed.DeepClone().AsObject();
            if (representation.Shape != ObjectShape.Partial)
            {
                item.Remove("kind");
                item.Remove("apiVersion");
            }

            items.Add(item);
        }

        return new JsonObject { ["kind"] = kind, ["apiVersion"] = version, ["metadata"] = ListMeta(page.Revision, page.Continue, page.Remaining), ["items"] = items };
    }

    private JsonObject Table(IReadOnlyList<CacheEntry> entries, long revision, string? token, long? remaining)
    {
        var include = includeObject switch { "Object" => IncludeObject.Object, "None" => IncludeObject.None, _ => IncludeObject.Metadata };
        // A watch says its columns once.
        var columns = !(watch && columnsSent);
        columnsSent = true;
        return tables.ToTable(resource, entries.Select(static e => e.Parsed), ListMeta(revision, token, remaining), include, columns);
    }

    private static JsonObject Partial(CacheEntry entry) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = entry.Parsed["metadata"]!.DeepClone(),
    };
}
