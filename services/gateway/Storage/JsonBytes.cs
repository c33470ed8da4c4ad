using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Apply;

namespace Mesh.Gateway.Storage;

/// <summary>JSON trees as the bytes that are stored and served.</summary>
internal static class JsonBytes
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = 512 };

    /// <summary>The tree, kind and apiVersion and metadata first (what comes after is in its own order).</summary>
    public static byte[] Write(JsonObject tree) => Write(tree, null, out _);

    /// <summary>The same with managedFields last in metadata; null when the tree has its own.</summary>
    public static byte[] Write(JsonObject tree, ManagedFields? owners) => Write(tree, owners, out _);

    /// <summary>The same; ownersLength: how many of the bytes are the managedFields, expected: about how many there will be.</summary>
    public static byte[] Write(JsonObject tree, ManagedFields? owners, out int ownersLength, int expected = 2048)
    {
        ownersLength = 0;
        var buffer = new ArrayBufferWriter<byte>(expected);
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            foreach (var first in Head)
            {
                if (!tree.TryGetPropertyValue(first, out var value) || value is null) continue;
                writer.WritePropertyName(first);
                if (owners is { Entries.Count: > 0 } && first == "metadata") ownersLength = WriteMetadata(writer, (JsonObject)value, owners);
                else value.WriteTo(writer);
            }

            foreach (var (name, value) in tree)
            {
                if (name is "kind" or "apiVersion" or "metadata") continue;
                writer.WritePropertyName(name);
                if (value is null) writer.WriteNullValue();
                else value.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static int WriteMetadata(Utf8JsonWriter writer, JsonObject metadata, ManagedFields owners)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in metadata)
        {
            writer.WritePropertyName(name);
            if (value is null) writer.WriteNullValue();
            else value.WriteTo(writer);
        }

        var before = writer.BytesCommitted + writer.BytesPending;
        writer.WritePropertyName("managedFields"u8);
        owners.WriteTo(writer);
        var length = (int)(writer.BytesCommitted + writer.BytesPending - before);
        writer.WriteEndObject();
        return length;
    }

    private static readonly string[] Head = ["kind", "apiVersion", "metadata"];
}
