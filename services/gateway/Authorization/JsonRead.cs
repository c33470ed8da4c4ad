using System.Text.Json.Nodes;

namespace Mesh.Gateway.Authorization;

/// <summary>Reads JSON objects that may lack anything: what is absent or of another type is empty.</summary>
internal static class JsonRead
{
    /// <summary>The node at a path of members, or null.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var step in path)
        {
            if (node is not JsonObject obj || !obj.TryGetPropertyValue(step, out node)) return null;
        }

        return node;
    }

    /// <summary>The text at a path, or "".</summary>
    public static string Text(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    /// <summary>The whole number at a path, or null.</summary>
    public static long? Number(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonValue value && value.TryGetValue<long>(out var number) ? number
        : At(node, path) is JsonValue narrow && narrow.TryGetValue<int>(out var small) ? small : null;

    /// <summary>The truth value at a path, or null.</summary>
    public static bool? Flag(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;

    /// <summary>The objects in the array at a path.</summary>
    public static IEnumerable<JsonObject> Objects(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonArray array ? array.OfType<JsonObject>() : [];

    /// <summary>The texts in the array at a path.</summary>
    public static string[] Texts(this JsonNode? node, params ReadOnlySpan<string> path) =>
        At(node, path) is JsonArray array ? [.. array.OfType<JsonValue>().Select(v => v.TryGetValue<string>(out var text) ? text : "")] : [];

    /// <summary>Name in the object's metadata.</summary>
    public static string Name(this JsonNode? node) => Text(node, "metadata", "name");

    /// <summary>Namespace in the object's metadata, or "".</summary>
    public static string NamespaceOf(this JsonNode? node) => Text(node, "metadata", "namespace");

    /// <summary>Uid in the object's metadata.</summary>
    public static string Uid(this JsonNode? node) => Text(node, "metadata", "uid");

    /// <summary>A JSON array of texts.</summary>
    public static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);
}
