using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api.Patches;

/// <summary>How Go names what a JSON value decodes to, in the messages of its patch and conversion libraries.</summary>
internal static class GoKinds
{
    /// <summary>reflect.Kind: map, slice, string, bool, int64, float64.</summary>
    public static string Kind(JsonNode? node) => node switch
    {
        null => "invalid",
        JsonObject => "map",
        JsonArray => "slice",
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.Number => IsInteger(node) ? "int64" : "float64",
            _ => "bool",
        },
    };

    /// <summary>reflect.Type, as %s prints it.</summary>
    public static string Type(JsonNode? node) => Kind(node) switch
    {
        "invalid" => "%!s(<nil>)",
        "map" => "map[string]interface {}",
        "slice" => "[]interface {}",
        var kind => kind,
    };

    /// <summary>A value printed by %s, which only strings are made for.</summary>
    public static string Text(JsonNode? node) => Kind(node) switch
    {
        "invalid" => "%!s(<nil>)",
        "map" or "slice" or "string" => GoText.Value(node),
        var kind => $"%!s({kind}={GoText.Value(node)})",
    };

    /// <summary>What a JSON value is called where it does not fit.</summary>
    public static string JsonName(JsonNode? node) => Kind(node) switch
    {
        "map" => "object",
        "slice" => "array",
        "int64" or "float64" => "number",
        var kind => kind,
    };

    private static bool IsInteger(JsonNode node) => node.ToJsonString().AsSpan().IndexOfAny('.', 'e', 'E') < 0;
}
