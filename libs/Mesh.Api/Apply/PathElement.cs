using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api.Apply;

/// <summary>
/// One step of a path as FieldsV1 writes it, which is also its identity: `f:name` a field or map key, `k:{"name":"x"}` a list item by its
/// keys (sorted, compact), `v:"x"` an item of a set, `i:0` an index.
/// </summary>
internal static class PathElement
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>A field or a key of a map.</summary>
    public static string Field(string name) => "f:" + name;

    /// <summary>An item of a set.</summary>
    public static string Value(JsonNode? value) => "v:" + Scalar(value);

    /// <summary>A list item by one key, the usual case.</summary>
    public static string Key(string name, JsonNode? value) => string.Concat("k:{\"", name, "\":", Scalar(value), "}");

    /// <summary>A list item by several keys: names sorted, values in the same order.</summary>
    public static string Key(ReadOnlySpan<string> names, ReadOnlySpan<JsonNode?> values)
    {
        var text = new StringBuilder("k:{", 64);
        for (var i = 0; i < names.Length; i++)
        {
            if (i > 0) text.Append(',');
            text.Append('"').Append(names[i]).Append("\":").Append(Scalar(values[i]));
        }

        return text.Append('}').ToString();
    }

    /// <summary>
    /// An element from outside in the one form that is compared: keys sorted, no blanks. Null when it is none, or of a kind that nobody knows yet.
    /// </summary>
    public static string? Canonical(string text)
    {
        if (text.StartsWith("f:", StringComparison.Ordinal)) return text;
        if (text.Length < 3 || text[1] != ':') return null; // a value of no text is none
        try
        {
            switch (text[0])
            {
                case 'v':
                    return Value(JsonNode.Parse(text[2..]));
                case 'i':
                    return int.TryParse(text.AsSpan(2), out _) ? text : null;
                case 'k' when JsonNode.Parse(text[2..]) is JsonObject keys:
                    var sorted = keys.OrderBy(static k => k.Key, StringComparer.Ordinal).ToArray();
                    return Key([.. sorted.Select(static k => k.Key)], [.. sorted.Select(static k => k.Value)]);
                default:
                    return null;
            }
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether an element is well formed but of a kind that a later version may know: such are left out, others refused.</summary>
    public static bool IsOfUnknownKind(string text) => text.Length >= 2 && text[1] == ':' && text[0] is not ('f' or 'v' or 'k' or 'i');

    /// <summary>
    /// Order in which elements are written: by text, but unquoted numbers (which follow a colon) by their size, so that port 80 stands before 443.
    /// </summary>
    public static int Compare(string a, string b)
    {
        var shared = a.AsSpan().CommonPrefixLength(b);
        if (shared == a.Length || shared == b.Length) return a.Length - b.Length;
        if (char.IsAsciiDigit(a[shared]) || char.IsAsciiDigit(b[shared]))
        {
            var start = shared;
            while (start > 0 && char.IsAsciiDigit(a[start - 1])) start--;
            if (start > 0 && a[start - 1] == ':' && a[0] is 'k' or 'v')
            {
                var (left, right) = (Digits(a, start), Digits(b, start));
                if (left != right && left > 0 && right > 0) return left - right;
            }
        }

        return a[shared] - b[shared];
    }

    /// <summary>The element as people are shown it: `.name`, `[name="x"]`, `[="x"]`, `[0]`.</summary>
    public static void Print(StringBuilder text, string element)
    {
        switch (element[0])
        {
            case 'f':
                text.Append('.').Append(element, 2, element.Length - 2);
                break;
            case 'v':
                text.Append("[=").Append(Shown(JsonNode.Parse(element[2..]))).Append(']');
                break;
            case 'k':
                text.Append('[').AppendJoin(',', ((JsonObject)JsonNode.Parse(element[2..])!).Select(static k => k.Key + "=" + Shown(k.Value))).Append(']');
                break;
            default:
                text.Append('[').Append(element, 2, element.Length - 2).Append(']');
                break;
        }
    }

    private static string Shown(JsonNode? value) => value is JsonValue v && v.TryGetValue<string>(out var text) ? GoText.Quote(text) : Scalar(value);

    private static int Digits(string text, int start)
    {
        var end = start;
        while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
        return end - start;
    }

    private static string Scalar(JsonNode? value)
    {
        if (value is null) return "null";
        if (value is JsonValue scalar && scalar.TryGetValue<string>(out var text)) return Quoted(text);
        var buffer = new ArrayBufferWriter<byte>(32);
        using (var writer = new Utf8JsonWriter(buffer, Compact)) value.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string Quoted(string text)
    {
        foreach (var c in text)
        {
            if (c is < ' ' or '"' or '\\' or > '~') return '"' + JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text) + '"';
        }

        return string.Concat("\"", text, "\"");
    }
}
