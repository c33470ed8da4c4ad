using System.Text.Json.Nodes;

namespace Mesh.Api.Quotas;

/// <summary>Reading of objects held as JSON; what is absent or of another type is empty.</summary>
internal static class QuotaJson
{
    public static JsonObject? Part(this JsonObject? obj, string name) => obj?[name] as JsonObject;

    public static JsonObject? Part(this JsonObject? obj, string first, string second) => obj.Part(first).Part(second);

    public static string Text(this JsonObject? obj, string name) => obj?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : string.Empty;

    public static IEnumerable<JsonObject> Each(this JsonObject? obj, string name) => obj?[name] is JsonArray list ? list.OfType<JsonObject>() : [];

    public static IEnumerable<(string Name, Quantity Amount)> Amounts(this JsonObject? list)
    {
        foreach (var (name, node) in list ?? [])
        {
            if (Quantity.TryParse(node?.ToString(), out var amount)) yield return (name, amount);
        }
    }
}
