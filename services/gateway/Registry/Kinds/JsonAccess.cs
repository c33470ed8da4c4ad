using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds;

/// <summary>Reading and defaulting of fields of an object held as JSON. A field of another JSON type reads as absent: the decoder has refused it before.</summary>
internal static class JsonAccess
{
    public static JsonObject? Obj(this JsonObject? obj, string name) => obj?[name] as JsonObject;

    public static JsonObject? Obj(this JsonObject? obj, string first, string second) => obj.Obj(first).Obj(second);

    public static JsonArray? Arr(this JsonObject? obj, string name) => obj?[name] as JsonArray;

    /// <summary>A string; "" when absent.</summary>
    public static string Str(this JsonObject? obj, string name) => obj?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : string.Empty;

    public static bool Bool(this JsonObject? obj, string name) => obj?[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    public static long? Num(this JsonObject? obj, string name) => Num(obj?[name]);

    public static long? Num(JsonNode? node)
    {
        if (node is not JsonValue value)
            return null;
        if (value.TryGetValue<long>(out var wide))
            return wide;
        return value.TryGetValue<int>(out var narrow) ? narrow : null;
    }

    public static IntOrString? IntStr(this JsonObject? obj, string name) => IntOrString.FromNode(obj?[name]);

    public static bool Has(this JsonObject? obj, string name) => obj?[name] is not null;

    /// <summary>The object items of a list, with their places.</summary>
    public static IEnumerable<(int Index, JsonObject Item)> Items(this JsonObject? obj, string name)
    {
        if (obj?[name] is not JsonArray list)
            yield break;
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is JsonObject item)
                yield return (i, item);
        }
    }

    /// <summary>The strings of a list.</summary>
    public static List<string> Strings(this JsonObject? obj, string name) =>
        obj?[name] is JsonArray list ? [.. list.Select(n => n?.ToString() ?? string.Empty)] : [];

    /// <summary>The entries of a map of strings.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Map(this JsonObject? obj, string name) =>
        obj?[name] is JsonObject map ? map.Select(p => new KeyValuePair<string, string>(p.Key, p.Value?.ToString() ?? string.Empty)) : [];

    /// <summary>Gives an absent (or empty) string a value.</summary>
    public static void Default(this JsonObject obj, string name, string value)
    {
        if (obj[name] is null || (obj[name] is JsonValue given && given.TryGetValue<string>(out var text) && text.Length == 0))
            obj[name] = value;
    }

    /// <summary>Gives an absent string a value; an empty one stays, to be refused (pointers in Kubernetes' own types).</summary>
    public static void DefaultAbsent(this JsonObject obj, string name, string value)
    {
        if (obj[name] is null)
            obj[name] = value;
    }

    /// <summary>Gives an absent number a value.</summary>
    public static void Default(this JsonObject obj, string name, int value)
    {
        if (obj[name] is null)
            obj[name] = value;
    }

    /// <summary>Gives an absent or zero number a value (fields where Kubernetes cannot tell the two apart).</summary>
    public static void DefaultZero(this JsonObject obj, string name, int value)
    {
        if (obj.Num(name) is null or 0)
            obj[name] = value;
    }

    /// <summary>Gives an absent flag a value.</summary>
    public static void Default(this JsonObject obj, string name, bool value)
    {
        if (obj[name] is null)
            obj[name] = value;
    }

    /// <summary>The object in a field, made when absent.</summary>
    public static JsonObject Ensure(this JsonObject obj, string name)
    {
        if (obj[name] is JsonObject existing)
            return existing;
        var made = new JsonObject();
        obj[name] = made;
        return made;
    }

    /// <summary>The name in an object's metadata.</summary>
    public static string Name(this JsonObject obj) => obj.Obj("metadata").Str("name");

    /// <summary>The namespace in an object's metadata.</summary>
    public static string Namespace(this JsonObject obj) => obj.Obj("metadata").Str("namespace");

    /// <summary>Equal, where null and absent and empty mean the same at the top.</summary>
    public static bool Same(JsonNode? a, JsonNode? b) => JsonNode.DeepEquals(EmptyIsNull(a), EmptyIsNull(b));

    private static JsonNode? EmptyIsNull(JsonNode? node) => node is JsonObject { Count: 0 } or JsonArray { Count: 0 } ? null : node;
}
