using System.Buffers;
using System.Text.Json;

namespace Mesh.Api;

/// <summary>Typed objects from and to UTF-8 JSON.</summary>
public static class KubeJson
{
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = 512 };

    /// <summary>Reads one object. Throws JsonException when the text is no JSON object of the type.</summary>
    public static T Deserialize<T>(ReadOnlySpan<byte> utf8)
        where T : class, IKubeValue<T>
    {
        var reader = new Utf8JsonReader(utf8, ReaderOptions);
        reader.Read();
        return T.ReadJson(ref reader);
    }

    /// <summary>Writes one object.</summary>
    public static byte[] Serialize<T>(T value)
        where T : class, IKubeValue<T>
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        Serialize(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes one object into a buffer.</summary>
    public static void Serialize<T>(T value, IBufferWriter<byte> output)
        where T : class, IKubeValue<T>
    {
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        value.WriteJson(writer);
    }
}
