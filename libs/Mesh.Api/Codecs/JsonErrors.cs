using System.Text;
using System.Text.Json;

namespace Mesh.Api.Codecs;

/// <summary>Texts of Go's encoding/json.</summary>
internal static class JsonErrors
{
    private static readonly (string Sign, string Context)[] Contexts =
    [
        ("after a property name", "after object key"),
        ("start of a property", "looking for beginning of object key string"),
        ("property name", "looking for beginning of object key string"),
        ("after a single JSON value", "after top-level value"),
        ("end of data", "after top-level value"),
        ("after a value", "after object key:value pair"),
        ("within a JSON string", "in string literal"),
        ("escap", "in string literal"),
        ("digit", "in numeric literal"),
        ("number", "in numeric literal"),
    ];

    /// <summary>The kind of the value under the reader, as Go names it.</summary>
    public static string ValueName(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => "object",
        JsonTokenType.StartArray => "array",
        JsonTokenType.String => "string",
        JsonTokenType.Number => "number",
        JsonTokenType.True or JsonTokenType.False => "bool",
        _ => "null",
    };

    /// <summary>What Go says where System.Text.Json stopped: the end of the input, too deep, or the character that cannot be there.</summary>
    public static DecodeException Syntax(ReadOnlySpan<byte> utf8, JsonException e)
    {
        if (e.Message.Contains("maximum configured depth", StringComparison.Ordinal))
            return new DecodeException("json: exceeded max depth", e);
        var at = Offset(utf8, e);
        if (at >= utf8.Length)
            return new DecodeException("unexpected end of JSON input", e);
        return new DecodeException($"invalid character {Quote(utf8[at])} {Context(e.Message)}", e);
    }

    private static int Offset(ReadOnlySpan<byte> utf8, JsonException e)
    {
        var offset = 0;
        for (var line = e.LineNumber ?? 0; line > 0; line--)
        {
            var end = utf8[offset..].IndexOf((byte)'\n');
            if (end < 0)
                return utf8.Length;
            offset += end + 1;
        }

        return offset + (int)Math.Min(e.BytePositionInLine ?? 0, utf8.Length - offset);
    }

    private static string Quote(byte value) => value switch
    {
        (byte)'\'' => @"'\''",
        (byte)'\n' => @"'\n'",
        (byte)'\r' => @"'\r'",
        (byte)'\t' => @"'\t'",
        < 0x20 or 0x7F => $"'\\x{value:x2}'",
        < 0x7F => $"'{(char)value}'",
        _ => $"'{Encoding.Latin1.GetString([value])}'",
    };

    private static string Context(string message)
    {
        // "'x' is invalid after a property name. Expected a ':'. LineNumber: 0 | BytePositionInLine: 3."
        var place = message.IndexOf(" LineNumber", StringComparison.Ordinal);
        var text = place < 0 ? message : message[..place];
        foreach (var (sign, context) in Contexts)
        {
            if (text.Contains(sign, StringComparison.OrdinalIgnoreCase))
                return context;
        }

        return "looking for beginning of value";
    }
}
