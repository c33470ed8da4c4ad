using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Storage;

/// <summary>JSON trees as the bytes that are stored and served.</summary>
internal static class JsonBytes
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = 512 };

    /// <summary>The tree, kind and apiVersion and metadata first (what comes after is in its own order).</summary>
    public static byte[] Write(JsonObject tree)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            foreach (var first in Head)
            {
                if (!tree.TryGetPropertyValue(first, out var value) || value is null) continue;
                writer.WritePropertyName(first);
                value.WriteTo(writer);
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

    private static readonly string[] Head = ["kind", "apiVersion", "metadata"];
}
