using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Http.Forms;

/// <summary>Metadata alone, as meta.k8s.io/v1 PartialObjectMetadata: the same for every resource.</summary>
internal sealed class MetadataForm : MessageForm
{
    private const string Version = "meta.k8s.io/v1";
    private static readonly object JsonForm = new();
    private static readonly object ProtobufForm = new();
    private static readonly (string Kind, string ApiVersion) Type = ("PartialObjectMetadata", Version);

    private MetadataForm()
    {
    }

    /// <summary>The only one.</summary>
    public static MetadataForm Instance { get; } = new();

    /// <inheritdoc/>
    public override KindSchema Schema { get; } = ApiSchema.Builtin.FindKind(Version, Type.Kind)
        ?? new KindSchema("meta.k8s.io", "v1", Type.Kind, ApiSchema.Builtin.FindType("k8s.io.apimachinery.pkg.apis.meta.v1", Type.Kind)!);

    /// <inheritdoc/>
    public override (string Kind, string ApiVersion) List => ("PartialObjectMetadataList", Version);

    /// <inheritdoc/>
    public override JsonObject Tree(CacheEntry entry) => Object(Type, (JsonObject)entry.Parsed["metadata"]!.DeepClone());

    /// <inheritdoc/>
    public override byte[] Json(CacheEntry entry) => entry.Encoded(JsonForm, Bytes);

    /// <inheritdoc/>
    public override void WriteItem(IBufferWriter<byte> writer, CacheEntry entry) => entry.Look(writer, Write);

    /// <inheritdoc/>
    public override JsonObject Bookmark(JsonObject metadata, long revision) => Object(Type, metadata);

    /// <inheritdoc/>
    public override byte[] Protobuf(CacheEntry entry) => entry.Encoded(ProtobufForm, static e => ProtobufCodec.Encode(Instance.Tree(e), Instance.Schema));

    /// <inheritdoc/>
    public override JsonObject MessageTree(CacheEntry entry) => CacheEntry.Parse(Bytes(entry));

    /// <inheritdoc/>
    public override int MessageLength(CacheEntry entry) => entry.PartialMessageLength;

    /// <inheritdoc/>
    public override void Remember(CacheEntry entry, int length) => entry.PartialMessageLength = length;

    private static byte[] Bytes(CacheEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>();
        entry.Look(buffer, Write);
        return buffer.WrittenSpan.ToArray();
    }

    // The metadata as it stands in the object's JSON.
    private static void Write(ReadOnlySpan<byte> json, IBufferWriter<byte> writer)
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
}
