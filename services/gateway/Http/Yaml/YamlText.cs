using System.Text;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Http.Yaml;

/// <summary>Writes JSON trees as block-style YAML, as Kubernetes does: keys in the order of people (a2 before a10), lists not indented.</summary>
internal static class YamlText
{
    // A key longer than this does not fit on one line with its value.
    private const int LongestSimpleKey = 128;

    /// <summary>The document as UTF-8.</summary>
    public static byte[] Write(JsonObject root)
    {
        var text = new StringBuilder(1024);
        Map(new YamlScalarWriter(text), root, 0, startsLine: true);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>An object as an item of a list that is not indented.</summary>
    public static void WriteItem(StringBuilder text, JsonObject item)
    {
        text.Append("- ");
        if (item.Count > 0) Map(new YamlScalarWriter(text), item, 2, startsLine: false);
        else text.Append("{}\n");
    }

    private static void Map(YamlScalarWriter scalars, JsonObject map, int indent, bool startsLine)
    {
        foreach (var (key, value) in YamlKeyOrder.Sort(map))
        {
            if (startsLine) scalars.Text.Append(' ', indent);
            startsLine = true;
            if (Encoding.UTF8.GetByteCount(key) > LongestSimpleKey)
            {
                scalars.Text.Append("? ");
                scalars.Write(key, indent, isKey: false);
                scalars.Text.Append('\n').Append(' ', indent);
            }
            else
            {
                scalars.Write(key, indent, isKey: true);
            }

            scalars.Text.Append(':');
            Value(scalars, value, indent);
        }
    }

    private static void Value(YamlScalarWriter scalars, JsonNode? value, int indent)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } map:
                scalars.Text.Append('\n');
                Map(scalars, map, indent + 2, startsLine: true);
                break;
            case JsonArray { Count: > 0 } list:
                scalars.Text.Append('\n');
                List(scalars, list, indent, startsLine: true);
                break;
            default:
                scalars.Text.Append(' ');
                Leaf(scalars, value, indent);
                break;
        }
    }

    private static void List(YamlScalarWriter scalars, JsonArray list, int indent, bool startsLine)
    {
        foreach (var item in list)
        {
            if (startsLine) scalars.Text.Append(' ', indent);
            startsLine = true;
            scalars.Text.Append("- ");
            switch (item)
            {
                case JsonObject { Count: > 0 } map:
                    Map(scalars, map, indent + 2, startsLine: false);
                    break;
                case JsonArray { Count: > 0 } inner:
                    List(scalars, inner, indent + 2, startsLine: false);
                    break;
                default:
                    Leaf(scalars, item, indent);
                    break;
            }
        }
    }

    private static void Leaf(YamlScalarWriter scalars, JsonNode? value, int indent)
    {
        if (value is JsonValue text && text.TryGetValue<string>(out var s))
        {
            scalars.Write(s, indent, isKey: false);
            // A block of lines ends with its own.
            if (scalars.Text[^1] == '\n') return;
        }
        else
        {
            scalars.Text.Append(value switch { null => "null", JsonObject => "{}", JsonArray => "[]", _ => value.ToJsonString() });
        }

        scalars.Text.Append('\n');
    }
}
