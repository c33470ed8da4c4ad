using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api;

/// <summary>Text as Go's fmt prints it, because kubectl users see those messages.</summary>
public static class GoText
{
    /// <summary>A string in double quotes with Go's escapes (%q).</summary>
    public static string Quote(string text)
    {
        var plain = true;
        foreach (var c in text)
        {
            if (c < ' ' || c is '"' or '\\' or '\x7f')
            {
                plain = false;
                break;
            }
        }

        if (plain)
            return "\"" + text + "\"";

        var builder = new StringBuilder(text.Length + 8).Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => builder.Append("\\\""),
                '\\' => builder.Append("\\\\"),
                '\a' => builder.Append("\\a"),
                '\b' => builder.Append("\\b"),
                '\f' => builder.Append("\\f"),
                '\n' => builder.Append("\\n"),
                '\r' => builder.Append("\\r"),
                '\t' => builder.Append("\\t"),
                '\v' => builder.Append("\\v"),
                < ' ' or '\x7f' => builder.Append("\\x").Append(((int)c).ToString("x2", CultureInfo.InvariantCulture)),
                _ => builder.Append(c),
            };
        }

        return builder.Append('"').ToString();
    }

    /// <summary>JSON as encoding/json writes it for people: nothing escaped that need not be.</summary>
    public static JsonSerializerOptions Json { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A JSON value as Go prints what it decodes to (%v): <c>map[a:1 b:[x y]]</c>, keys in order.</summary>
    public static string Value(JsonNode? node) => node switch
    {
        null => "<nil>",
        JsonObject map => "map[" + string.Join(' ', map.OrderBy(static p => p.Key, StringComparer.Ordinal).Select(static p => p.Key + ":" + Value(p.Value))) + "]",
        JsonArray list => "[" + string.Join(' ', list.Select(Value)) + "]",
        _ => node.GetValueKind() switch { JsonValueKind.True => "true", JsonValueKind.False => "false", _ => node.ToString() },
    };
}
