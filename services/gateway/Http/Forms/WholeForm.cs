using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Http.Forms;

/// <summary>Objects as they are: the cache's bytes.</summary>
internal sealed class WholeForm(ApiResource resource, KindSchema? schema) : MessageForm
{
    private static readonly object ProtobufForm = new();
    private byte[]? itemHead; // made for lists only

    /// <inheritdoc/>
    public override KindSchema Schema => schema!;

    /// <inheritdoc/>
    public override (string Kind, string ApiVersion) List => (resource.Kind + "List", resource.GroupVersion);

    /// <inheritdoc/>
    public override JsonObject Tree(CacheEntry entry) => entry.Parsed;

    /// <inheritdoc/>
    public override byte[] Json(CacheEntry entry) => entry.Json;

    /// <inheritdoc/>
    public override void WriteJson(IBufferWriter<byte> writer, CacheEntry entry) => entry.WriteJson(writer);

    /// <summary>Its kind is the list's and not said again.</summary>
    public override void WriteItem(IBufferWriter<byte> writer, CacheEntry entry) =>
        entry.WriteJsonWithout(writer, itemHead ??= Encoding.UTF8.GetBytes($"{{\"kind\":\"{resource.Kind}\",\"apiVersion\":\"{resource.GroupVersion}\","));

    /// <inheritdoc/>
    public override JsonObject Bookmark(JsonObject metadata, long revision) => Object((resource.Kind, resource.GroupVersion), metadata);

    /// <inheritdoc/>
    public override byte[] Protobuf(CacheEntry entry) => entry.Encoded(ProtobufForm, e => ProtobufCodec.Encode(e.Parsed, Schema));

    /// <inheritdoc/>
    public override JsonObject MessageTree(CacheEntry entry) => entry.Glance();

    /// <inheritdoc/>
    public override int MessageLength(CacheEntry entry) => entry.MessageLength;

    /// <inheritdoc/>
    public override void Remember(CacheEntry entry, int length) => entry.MessageLength = length;
}
