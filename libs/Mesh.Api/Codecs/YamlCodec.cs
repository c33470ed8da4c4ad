using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;
using YamlDotNet.Core;

namespace Mesh.Api.Codecs;

/// <summary>
/// YAML bodies, read as Kubernetes reads them: the first document becomes JSON (with YAML 1.1's scalars), which is then decoded
/// like any JSON body.
/// </summary>
public static class YamlCodec
{
    /// <summary>The media type.</summary>
    public const string ContentType = "application/yaml";

    /// <summary>Decodes a body of a known type. Doubled keys come to <paramref name="strict"/> as one message, before the unknown fields.</summary>
    /// <exception cref="DecodeException">No YAML, or what <see cref="JsonCodec.Decode"/> refuses.</exception>
    public static JsonObject Decode(ReadOnlySpan<byte> utf8, TypeSchema type, ICollection<string>? strict = null) =>
        JsonCodec.Decode(ToJson(utf8, strict), type, strict);

    /// <summary>The first document as JSON; an empty body is `null`.</summary>
    /// <param name="utf8">The body.</param>
    /// <param name="strict">When given, receives a message about keys that stand twice in a mapping; the last one counts.</param>
    /// <exception cref="DecodeException">No YAML, too deep, or aliases that grow out of bounds.</exception>
    public static byte[] ToJson(ReadOnlySpan<byte> utf8, ICollection<string>? strict = null)
    {
        var duplicates = new List<string>();
        var buffer = new ArrayBufferWriter<byte>(utf8.Length + 256);
        try
        {
            var root = new YamlReader(Encoding.UTF8.GetString(utf8), duplicates).Read();
            using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
            new YamlJsonWriter(writer, utf8.Length).Write(root);
        }
        catch (YamlException e)
        {
            throw new DecodeException($"yaml: line {Math.Max(1, e.Start.Line)}: {Reason(e)}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or NullReferenceException)
        {
            // The YAML scanner has these for a few broken inputs; they are the input's fault.
            throw new DecodeException("yaml: could not parse the document", e);
        }

        if (duplicates.Count > 0)
            strict?.Add("yaml: unmarshal errors:\n" + string.Join('\n', duplicates));
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Whether a plain scalar of this text is read as this string and not as null, a truth or a number.</summary>
    public static bool IsPlainString(string text) => YamlScalars.IsString(text);

    private static string Reason(YamlException e)
    {
        var message = e.InnerException?.Message ?? e.Message;
        return message.Length == 0 ? "could not parse the document" : char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.');
    }
}
