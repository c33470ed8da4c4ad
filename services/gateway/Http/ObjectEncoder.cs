using System.Buffers;
using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Http.Forms;
using Mesh.Gateway.Http.Yaml;
using Mesh.Gateway.Storage;
using Mesh.Gateway.Tables;

namespace Mesh.Gateway.Http;

/// <summary>Writes objects of one resource in one representation: a form in an encoding.</summary>
internal sealed class ObjectEncoder(ApiResource resource, KindSchema? schema, Representation representation, TableConvertor tables, string includeObject, bool watch = false)
{
    /// <summary>The representation written.</summary>
    public Representation Representation => representation;

    /// <summary>What the objects look like.</summary>
    public ServedForm Form { get; } = ServedForm.Of(representation.Shape, resource, schema, tables, includeObject, watch);

    /// <summary>The same as messages.</summary>
    /// <exception cref="ApiException">406: it has none.</exception>
    public MessageForm Messages => Form as MessageForm ?? throw new ApiException(Statuses.NotAcceptable(Representation.Offered(hasProtobuf: false)));

    /// <summary>One object.</summary>
    public byte[] Encode(CacheEntry entry) => representation.Format switch
    {
        BodyFormat.Protobuf => Messages.Protobuf(entry),
        BodyFormat.Yaml => YamlText.Write(Form.Tree(entry)),
        _ => Form.Json(entry),
    };

    /// <summary>One object, written out: JSON comes straight from the cache.</summary>
    public void Write(IBufferWriter<byte> writer, CacheEntry entry)
    {
        if (representation.Format == BodyFormat.Json) Form.WriteJson(writer, entry);
        else writer.Write(Encode(entry));
    }

    /// <summary>The object of a bookmark.</summary>
    public byte[] EncodeBookmark(long revision, bool initialEventsEnd)
    {
        var meta = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (initialEventsEnd) meta["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        if (representation.Format != BodyFormat.Protobuf) return JsonBytes.Write(Form.Bookmark(meta, revision));
        meta.Remove("creationTimestamp");
        return ProtobufCodec.Encode(Messages.Bookmark(meta, revision), Messages.Schema);
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
}
