using System.Text.Json;

namespace Mesh.Gateway.Storage;

/// <summary>Reads metadata.labels from JSON bytes without building a tree.</summary>
internal static class LabelScan
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 512 };

    /// <summary>The labels, in the order written.</summary>
    public static KeyValuePair<string, string>[] Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, Options);
        reader.Read();
        return Descend(ref reader, "metadata"u8) && Descend(ref reader, "labels"u8) ? ReadMap(ref reader) : [];
    }

    /// <summary>From the start of an object to the start of the object in one of its fields.</summary>
    private static bool Descend(ref Utf8JsonReader reader, ReadOnlySpan<byte> field)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(field);
            reader.Read();
            if (found) return reader.TokenType == JsonTokenType.StartObject;
            reader.Skip();
        }

        return false;
    }

    private static KeyValuePair<string, string>[] ReadMap(ref Utf8JsonReader reader)
    {
        List<KeyValuePair<string, string>>? found = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType == JsonTokenType.String) (found ??= []).Add(new(key, reader.GetString()!));
            else reader.Skip();
        }

        return found is null ? [] : [.. found];
    }
}
