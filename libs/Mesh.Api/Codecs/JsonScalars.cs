using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api.Codecs;

/// <summary>Scalars out of JSON nodes, whatever .NET type holds them.</summary>
internal static class JsonScalars
{
    public static bool TryLong(JsonNode? node, out long value)
    {
        value = 0;
        if (node is not JsonValue json || json.GetValueKind() != JsonValueKind.Number)
            return false;
        if (json.TryGetValue(out value))
            return true;
        if (json.TryGetValue<int>(out var small))
        {
            value = small;
            return true;
        }

        return long.TryParse(json.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    public static bool TryDouble(JsonNode? node, out double value)
    {
        value = 0;
        return node is JsonValue json && json.GetValueKind() == JsonValueKind.Number
            && double.TryParse(json.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The text of a quantity that stands as a string or as a number, or null.</summary>
    public static string? QuantityText(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.String => node.GetValue<string>(),
        JsonValueKind.Number => node.ToJsonString(),
        _ => null,
    };

    /// <summary>The canonical text of a quantity. Throws DecodeException with Kubernetes' words.</summary>
    public static string Quantity(string text)
    {
        if (Api.Quantity.TryParse(text.Trim(), out var value, out var error))
            return value.ToString();
        throw new DecodeException(error ?? "unable to parse quantity's suffix");
    }
}
