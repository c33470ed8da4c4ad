using System.Text.Json.Nodes;

namespace Mesh.Api.Patches;

/// <summary>RFC 6901: a path into a JSON document.</summary>
internal readonly struct JsonPointer
{
    private readonly string[] parts;

    private JsonPointer(string text, string[] parts)
    {
        Text = text;
        this.parts = parts;
    }

    /// <summary>The text form.</summary>
    public string Text { get; }

    /// <summary>True for the whole document.</summary>
    public bool IsRoot => parts.Length == 0;

    /// <summary>The last part: a property's name or an array's index.</summary>
    public string Last => parts[^1];

    /// <summary>Reads the text form; null when it is none.</summary>
    public static JsonPointer? Parse(string text)
    {
        if (text.Length == 0)
            return new(text, []);
        // What stands before the first slash does not count, as in the field's patch library.
        var slash = text.IndexOf('/');
        return slash >= 0 ? new(text, [.. text[(slash + 1)..].Split('/').Select(p => p.Replace("~1", "/").Replace("~0", "~"))]) : null;
    }

    /// <summary>The node that holds the last part; null when the way there is not in the document.</summary>
    public JsonNode? Parent(JsonNode? root)
    {
        var node = root;
        for (var i = 0; i < parts.Length - 1 && node is not null; i++)
            node = Step(node, parts[i]);
        return node;
    }

    /// <summary>One step down; null when it is not there.</summary>
    public static JsonNode? Step(JsonNode node, string part) => node switch
    {
        JsonObject map => map.TryGetPropertyValue(part, out var value) ? value : null,
        JsonArray list => Index(part, list.Count, out var index) && index < list.Count ? list[index] : null,
        _ => null,
    };

    /// <summary>An array index; negative ones count from the end, as the field's patch library allows.</summary>
    public static bool Index(string part, int count, out int index)
    {
        var valid = int.TryParse(part, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out index);
        if (index < 0)
            index += count;
        return valid && index >= 0;
    }
}
