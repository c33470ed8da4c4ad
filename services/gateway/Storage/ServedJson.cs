using System.Buffers.Text;
using System.Text.Json;

namespace Mesh.Gateway.Storage;

/// <summary>Makes served JSON (with metadata.resourceVersion) from stored JSON (without it), byte for byte, without building a tree.</summary>
internal static class ServedJson
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 512 };

    /// <summary>The stored bytes with the revision written first in metadata.</summary>
    public static byte[] WithResourceVersion(ReadOnlySpan<byte> stored, long revision)
    {
        var (at, empty) = FindMetadata(stored);
        Span<byte> field = stackalloc byte[48];
        "\"resourceVersion\":\""u8.CopyTo(field);
        Utf8Formatter.TryFormat(revision, field[19..], out var digits);
        var length = 19 + digits;
        field[length++] = (byte)'"';
        if (!empty) field[length++] = (byte)',';
        var served = new byte[stored.Length + length];
        stored[..at].CopyTo(served);
        field[..length].CopyTo(served.AsSpan(at));
        stored[at..].CopyTo(served.AsSpan(at + length));
        return served;
    }

    /// <summary>Where the first field of the top-level metadata object would begin, and whether that object has no fields.</summary>
    /// <exception cref="JsonException">The bytes are no object with metadata.</exception>
    private static (int At, bool Empty) FindMetadata(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, Options);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isMetadata = reader.ValueTextEquals("metadata"u8);
            reader.Read();
            if (isMetadata && reader.TokenType == JsonTokenType.StartObject)
            {
                var at = (int)reader.TokenStartIndex + 1;
                reader.Read();
                return (at, reader.TokenType == JsonTokenType.EndObject);
            }

            reader.Skip();
        }

        throw new JsonException("stored object has no metadata");
    }
}
