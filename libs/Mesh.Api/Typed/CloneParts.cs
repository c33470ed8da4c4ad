using System.Text.Json.Nodes;

namespace Mesh.Api;

/// <summary>What the generated Clone and SemanticEquals are made of.</summary>
internal static class CloneParts
{
    public static List<T>? Copy<T>(List<T>? list)
        where T : class, IKubeValue<T> => list?.ConvertAll(static item => item.Clone());

    public static List<string>? Copy(List<string>? list) => list is null ? null : [.. list];

    public static List<int>? Copy(List<int>? list) => list is null ? null : [.. list];

    public static List<long>? Copy(List<long>? list) => list is null ? null : [.. list];

    public static List<bool>? Copy(List<bool>? list) => list is null ? null : [.. list];

    public static List<JsonNode>? Copy(List<JsonNode>? list) => list?.ConvertAll(static item => item.DeepClone());

    public static Dictionary<string, string>? Copy(Dictionary<string, string>? map) => map is null ? null : new(map);

    public static Dictionary<string, DateTime>? Copy(Dictionary<string, DateTime>? map) => map is null ? null : new(map);

    public static Dictionary<string, byte[]>? Copy(Dictionary<string, byte[]>? map) => Map(map, static v => (byte[])v.Clone());

    public static Dictionary<string, JsonNode>? Copy(Dictionary<string, JsonNode>? map) => Map(map, static v => v.DeepClone());

    public static Dictionary<string, List<string>>? Copy(Dictionary<string, List<string>>? map) => Map(map, static v => new List<string>(v));

    public static Dictionary<string, T>? Copy<T>(Dictionary<string, T>? map)
        where T : class, IKubeValue<T> => Map(map, static v => v.Clone());

    public static byte[]? Copy(byte[]? value) => (byte[]?)value?.Clone();

    public static bool Same(string? a, string? b) => (a ?? "") == (b ?? "");

    public static bool Same(bool? a, bool? b) => (a ?? false) == (b ?? false);

    public static bool Same(int? a, int? b) => (a ?? 0) == (b ?? 0);

    public static bool Same(long? a, long? b) => (a ?? 0) == (b ?? 0);

    public static bool Same(double? a, double? b) => (a ?? 0).Equals(b ?? 0);

    public static bool Same(byte[]? a, byte[]? b) => (a ?? []).AsSpan().SequenceEqual(b ?? []);

    // Two spellings of one amount ("1" and "1000m") are the same.
    public static bool SameQuantity(string? a, string? b) =>
        a == b || (Quantity.TryParse(a ?? "0", out var x) && Quantity.TryParse(b ?? "0", out var y) && x == y);

    public static bool SameQuantities(Dictionary<string, string>? a, Dictionary<string, string>? b) => Each(a, b, SameQuantity);

    // A struct that is always there in Kubernetes' own types: absent means empty.
    public static bool SameStruct<T>(T? a, T? b)
        where T : class, IKubeValue<T>, new() => ReferenceEquals(a, b) || T.SemanticEquals(a ?? new T(), b ?? new T());

    public static bool Same(JsonNode? a, JsonNode? b) => JsonNode.DeepEquals(a, b);

    public static bool SameList<T>(List<T>? a, List<T>? b)
        where T : class, IKubeValue<T> => Each(a, b, T.SemanticEquals);

    public static bool SameList(List<string>? a, List<string>? b) => Each(a, b, static (x, y) => x == y);

    public static bool SameList(List<int>? a, List<int>? b) => Each(a, b, static (x, y) => x == y);

    public static bool SameList(List<long>? a, List<long>? b) => Each(a, b, static (x, y) => x == y);

    public static bool SameList(List<bool>? a, List<bool>? b) => Each(a, b, static (x, y) => x == y);

    public static bool SameList(List<JsonNode>? a, List<JsonNode>? b) => Each(a, b, JsonNode.DeepEquals);

    public static bool SameMap(Dictionary<string, string>? a, Dictionary<string, string>? b) => Each(a, b, static (x, y) => x == y);

    public static bool SameMap(Dictionary<string, DateTime>? a, Dictionary<string, DateTime>? b) => Each(a, b, static (x, y) => x == y);

    public static bool SameMap(Dictionary<string, byte[]>? a, Dictionary<string, byte[]>? b) =>
        Each(a, b, static (x, y) => x.AsSpan().SequenceEqual(y));

    public static bool SameMap(Dictionary<string, JsonNode>? a, Dictionary<string, JsonNode>? b) => Each(a, b, JsonNode.DeepEquals);

    public static bool SameMap(Dictionary<string, List<string>>? a, Dictionary<string, List<string>>? b) => Each(a, b, SameList);

    public static bool SameMap<T>(Dictionary<string, T>? a, Dictionary<string, T>? b)
        where T : class, IKubeValue<T> => Each(a, b, T.SemanticEquals);

    private static Dictionary<string, T>? Map<T>(Dictionary<string, T>? map, Func<T, T> copy)
    {
        if (map is null)
            return null;
        var result = new Dictionary<string, T>(map.Count);
        foreach (var (key, value) in map)
            result.Add(key, copy(value));
        return result;
    }

    private static bool Each<T>(List<T>? a, List<T>? b, Func<T, T, bool> same)
    {
        if (ReferenceEquals(a, b))
            return true;
        var count = a?.Count ?? 0;
        if (count != (b?.Count ?? 0))
            return false;
        for (var i = 0; i < count; i++)
        {
            if (!same(a![i], b![i]))
                return false;
        }

        return true;
    }

    private static bool Each<T>(Dictionary<string, T>? a, Dictionary<string, T>? b, Func<T, T, bool> same)
    {
        if (ReferenceEquals(a, b))
            return true;
        var count = a?.Count ?? 0;
        if (count != (b?.Count ?? 0))
            return false;
        if (count == 0)
            return true;
        foreach (var (key, value) in a!)
        {
            if (!b!.TryGetValue(key, out var other) || !same(value, other))
                return false;
        }

        return true;
    }
}
