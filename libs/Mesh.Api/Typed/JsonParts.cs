using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api;

/// <summary>What the generated ReadJson and WriteJson are made of. A JSON null reads as null.</summary>
internal static class JsonParts
{
    public static void ExpectObject(ref Utf8JsonReader r)
    {
        if (r.TokenType != JsonTokenType.StartObject)
            throw new JsonException($"expected an object, found {r.TokenType}");
    }

    /// <summary>The property name the reader stands on, unescaped, and moves to its value.</summary>
    public static ReadOnlySpan<byte> Name(ref Utf8JsonReader r)
    {
        var name = r.ValueIsEscaped ? Encoding.UTF8.GetBytes(r.GetString()!) : r.ValueSpan;
        r.Read();
        return name;
    }

    public static string? String(ref Utf8JsonReader r) => r.GetString();

    public static bool? Bool(ref Utf8JsonReader r) => r.TokenType == JsonTokenType.Null ? null : r.GetBoolean();

    public static int? Int(ref Utf8JsonReader r) => r.TokenType == JsonTokenType.Null ? null : r.GetInt32();

    public static long? Long(ref Utf8JsonReader r) => r.TokenType == JsonTokenType.Null ? null : r.GetInt64();

    public static double? Double(ref Utf8JsonReader r) => r.TokenType == JsonTokenType.Null ? null : r.GetDouble();

    public static byte[]? Bytes(ref Utf8JsonReader r) => r.TokenType == JsonTokenType.Null ? null : r.GetBytesFromBase64();

    /// <summary>A quantity may be written as a bare number.</summary>
    public static string? Quantity(ref Utf8JsonReader r) =>
        r.TokenType == JsonTokenType.Number ? Encoding.UTF8.GetString(r.ValueSpan) : r.GetString();

    public static IntOrString? IntOrString(ref Utf8JsonReader r) =>
        r.TokenType == JsonTokenType.Null ? default(IntOrString?) : Api.IntOrString.ReadJson(ref r);

    public static DateTime? Time(ref Utf8JsonReader r)
    {
        if (r.TokenType == JsonTokenType.Null)
            return null;
        if (r.TryGetDateTimeOffset(out var time))
            return time.UtcDateTime;
        throw new JsonException("not an RFC 3339 time");
    }

    public static JsonNode? Node(ref Utf8JsonReader r) => JsonNode.Parse(ref r);

    public static T? Object<T>(ref Utf8JsonReader r)
        where T : class, IKubeValue<T> => r.TokenType == JsonTokenType.Null ? null : T.ReadJson(ref r);

    public static List<T>? Objects<T>(ref Utf8JsonReader r)
        where T : class, IKubeValue<T> => List(ref r, static (ref Utf8JsonReader x) => T.ReadJson(ref x));

    public static List<string>? Strings(ref Utf8JsonReader r) => List(ref r, static (ref Utf8JsonReader x) => x.GetString() ?? "");

    public static List<int>? Ints(ref Utf8JsonReader r) => List(ref r, static (ref Utf8JsonReader x) => x.GetInt32());

    public static List<long>? Longs(ref Utf8JsonReader r) => List(ref r, static (ref Utf8JsonReader x) => x.GetInt64());

    public static List<bool>? Bools(ref Utf8JsonReader r) => List(ref r, static (ref Utf8JsonReader x) => x.GetBoolean());

    public static List<string>? Quantities(ref Utf8JsonReader r) => List(ref r, static (ref Utf8JsonReader x) => Quantity(ref x) ?? "0");

    public static List<JsonNode>? Nodes(ref Utf8JsonReader r) => List(ref r, static (ref Utf8JsonReader x) => JsonNode.Parse(ref x)!);

    public static Dictionary<string, string>? StringMap(ref Utf8JsonReader r) => Map(ref r, static (ref Utf8JsonReader x) => x.GetString() ?? "");

    public static Dictionary<string, string>? QuantityMap(ref Utf8JsonReader r) => Map(ref r, static (ref Utf8JsonReader x) => Quantity(ref x) ?? "0");

    public static Dictionary<string, byte[]>? BytesMap(ref Utf8JsonReader r) => Map(ref r, static (ref Utf8JsonReader x) => Bytes(ref x) ?? []);

    public static Dictionary<string, List<string>>? StringsMap(ref Utf8JsonReader r) =>
        Map(ref r, static (ref Utf8JsonReader x) => Strings(ref x) ?? []);

    public static Dictionary<string, DateTime>? TimeMap(ref Utf8JsonReader r) =>
        Map(ref r, static (ref Utf8JsonReader x) => Time(ref x) ?? default);

    public static Dictionary<string, JsonNode>? NodeMap(ref Utf8JsonReader r) => Map(ref r, static (ref Utf8JsonReader x) => JsonNode.Parse(ref x)!);

    public static Dictionary<string, T>? ObjectMap<T>(ref Utf8JsonReader r)
        where T : class, IKubeValue<T> => Map(ref r, static (ref Utf8JsonReader x) => T.ReadJson(ref x));

    public static void Write(Utf8JsonWriter w, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
            w.WriteString(name, value);
    }

    public static void Write(Utf8JsonWriter w, ReadOnlySpan<byte> name, bool? value)
    {
        if (value is { } v)
            w.WriteBoolean(name, v);
    }

    public static void Write(Utf8JsonWriter w, ReadOnlySpan<byte> name, int? value)
    {
        if (value is { } v)
            w.WriteNumber(name, v);
    }

    public static void Write(Utf8JsonWriter w, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } v)
            w.WriteNumber(name, v);
    }

    public static void Write(Utf8JsonWriter w, ReadOnlySpan<byte> name, double? value)
    {
        if (value is { } v)
            w.WriteNumber(name, v);
    }

    public static void Write(Utf8JsonWriter w, ReadOnlySpan<byte> name, byte[]? value)
    {
        if (value is not null)
            w.WriteBase64String(name, value);
    }

    public static void Write(Utf8JsonWriter w, ReadOnlySpan<byte> name, IntOrString? value)
    {
        if (value is not { } v)
            return;
        w.WritePropertyName(name);
        v.WriteJson(w);
    }

    public static void WriteTime(Utf8JsonWriter w, ReadOnlySpan<byte> name, DateTime? value)
    {
        if (value is { } v)
            w.WriteString(name, KubeTime.Format(v));
    }

    public static void WriteMicroTime(Utf8JsonWriter w, ReadOnlySpan<byte> name, DateTime? value)
    {
        if (value is { } v)
            w.WriteString(name, KubeTime.FormatMicro(v));
    }

    public static void Write(Utf8JsonWriter w, ReadOnlySpan<byte> name, JsonNode? value)
    {
        if (value is null)
            return;
        w.WritePropertyName(name);
        value.WriteTo(w);
    }

    public static void Write<T>(Utf8JsonWriter w, ReadOnlySpan<byte> name, T? value)
        where T : class, IKubeValue<T>
    {
        if (value is null)
            return;
        w.WritePropertyName(name);
        value.WriteJson(w);
    }

    public static void WriteList<T>(Utf8JsonWriter w, ReadOnlySpan<byte> name, List<T>? list)
        where T : class, IKubeValue<T> => WriteEach(w, name, list, static (x, item) => item.WriteJson(x));

    public static void WriteList(Utf8JsonWriter w, ReadOnlySpan<byte> name, List<string>? list) =>
        WriteEach(w, name, list, static (x, item) => x.WriteStringValue(item));

    public static void WriteList(Utf8JsonWriter w, ReadOnlySpan<byte> name, List<int>? list) =>
        WriteEach(w, name, list, static (x, item) => x.WriteNumberValue(item));

    public static void WriteList(Utf8JsonWriter w, ReadOnlySpan<byte> name, List<long>? list) =>
        WriteEach(w, name, list, static (x, item) => x.WriteNumberValue(item));

    public static void WriteList(Utf8JsonWriter w, ReadOnlySpan<byte> name, List<bool>? list) =>
        WriteEach(w, name, list, static (x, item) => x.WriteBooleanValue(item));

    public static void WriteList(Utf8JsonWriter w, ReadOnlySpan<byte> name, List<JsonNode>? list) =>
        WriteEach(w, name, list, static (x, item) => item.WriteTo(x));

    public static void WriteMap(Utf8JsonWriter w, ReadOnlySpan<byte> name, Dictionary<string, string>? map) =>
        WriteEach(w, name, map, static (x, item) => x.WriteStringValue(item));

    public static void WriteMap(Utf8JsonWriter w, ReadOnlySpan<byte> name, Dictionary<string, byte[]>? map) =>
        WriteEach(w, name, map, static (x, item) => x.WriteBase64StringValue(item));

    public static void WriteMap(Utf8JsonWriter w, ReadOnlySpan<byte> name, Dictionary<string, DateTime>? map) =>
        WriteEach(w, name, map, static (x, item) => x.WriteStringValue(KubeTime.Format(item)));

    public static void WriteMap(Utf8JsonWriter w, ReadOnlySpan<byte> name, Dictionary<string, JsonNode>? map) =>
        WriteEach(w, name, map, static (x, item) => item.WriteTo(x));

    public static void WriteMap(Utf8JsonWriter w, ReadOnlySpan<byte> name, Dictionary<string, List<string>>? map) =>
        WriteEach(w, name, map, static (x, item) =>
        {
            x.WriteStartArray();
            foreach (var text in item)
                x.WriteStringValue(text);
            x.WriteEndArray();
        });

    public static void WriteMap<T>(Utf8JsonWriter w, ReadOnlySpan<byte> name, Dictionary<string, T>? map)
        where T : class, IKubeValue<T> => WriteEach(w, name, map, static (x, item) => item.WriteJson(x));

    private delegate T Reader<T>(ref Utf8JsonReader r);

    private static List<T>? List<T>(ref Utf8JsonReader r, Reader<T> read)
    {
        if (r.TokenType == JsonTokenType.Null)
            return null;
        if (r.TokenType != JsonTokenType.StartArray)
            throw new JsonException($"expected an array, found {r.TokenType}");
        var list = new List<T>();
        while (r.Read() && r.TokenType != JsonTokenType.EndArray)
            list.Add(read(ref r));
        return list;
    }

    private static Dictionary<string, T>? Map<T>(ref Utf8JsonReader r, Reader<T> read)
    {
        if (r.TokenType == JsonTokenType.Null)
            return null;
        ExpectObject(ref r);
        var map = new Dictionary<string, T>();
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            var key = r.GetString()!;
            r.Read();
            map[key] = read(ref r);
        }

        return map;
    }

    private static void WriteEach<T>(Utf8JsonWriter w, ReadOnlySpan<byte> name, List<T>? list, Action<Utf8JsonWriter, T> write)
    {
        if (list is null)
            return;
        w.WriteStartArray(name);
        foreach (var item in list)
            write(w, item);
        w.WriteEndArray();
    }

    // Keys in ordinal order, as Go writes maps: equal objects have equal bytes.
    private static void WriteEach<T>(Utf8JsonWriter w, ReadOnlySpan<byte> name, Dictionary<string, T>? map, Action<Utf8JsonWriter, T> write)
    {
        if (map is null)
            return;
        w.WriteStartObject(name);
        if (map.Count > 1)
        {
            var keys = new string[map.Count];
            map.Keys.CopyTo(keys, 0);
            Array.Sort(keys, string.CompareOrdinal);
            foreach (var key in keys)
            {
                w.WritePropertyName(key);
                write(w, map[key]);
            }
        }
        else
        {
            foreach (var (key, item) in map)
            {
                w.WritePropertyName(key);
                write(w, item);
            }
        }

        w.WriteEndObject();
    }
}
