using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Mesh.Gateway.Http;

/// <summary>Writes JSON trees as block-style YAML, keys sorted, as Kubernetes does.</summary>
internal static partial class YamlText
{
    /// <summary>The document as UTF-8.</summary>
    public static byte[] Write(JsonObject root)
    {
        var text = new StringBuilder(1024);
        Map(text, root, 0, startsLine: true);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>An object as an item of a list that is not indented.</summary>
    public static void WriteItem(StringBuilder text, JsonObject item)
    {
        text.Append("- ");
        if (item.Count > 0) Map(text, item, 2, startsLine: false);
        else text.Append("{}\n");
    }

    private static void Map(StringBuilder text, JsonObject map, int indent, bool startsLine)
    {
        foreach (var (key, value) in map.OrderBy(static p => p.Key, StringComparer.Ordinal))
        {
            if (startsLine) text.Append(' ', indent);
            startsLine = true;
            text.Append(Scalar(key)).Append(':');
            Value(text, value, indent);
        }
    }

    private static void Value(StringBuilder text, JsonNode? value, int indent)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } map:
                text.Append('\n');
                Map(text, map, indent + 2, startsLine: true);
                break;
            case JsonArray { Count: > 0 } list:
                text.Append('\n');
                List(text, list, indent);
                break;
            default:
                text.Append(' ').Append(Leaf(value)).Append('\n');
                break;
        }
    }

    private static void List(StringBuilder text, JsonArray list, int indent)
    {
        foreach (var item in list)
        {
            text.Append(' ', indent).Append("- ");
            switch (item)
            {
                case JsonObject { Count: > 0 } map:
                    Map(text, map, indent + 2, startsLine: false);
                    break;
                case JsonArray { Count: > 0 } inner:
                    text.Append('\n');
                    List(text, inner, indent + 2);
                    break;
                default:
                    text.Append(Leaf(item)).Append('\n');
                    break;
            }
        }
    }

    private static string Leaf(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        JsonValue v when v.TryGetValue<string>(out var s) => Scalar(s),
        _ => value.ToJsonString(),
    };

    /// <summary>A string plain when no reader could take it for anything else, else in double quotes (JSON's are YAML's).</summary>
    private static string Scalar(string s) => Plain().IsMatch(s) && !Special().IsMatch(s) ? s : JsonSerializer.Serialize(s, Relaxed);

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [GeneratedRegex(@"^[A-Za-z_/.$(][A-Za-z0-9_/.$()+=@,-]*( [A-Za-z0-9_/.$()+=@,-]+)*$")]
    private static partial Regex Plain();

    [GeneratedRegex(@"^(?i:y|n|yes|no|on|off|true|false|null|~|\.inf|\.nan|[-+.]?[0-9].*)$")]
    private static partial Regex Special();
}
