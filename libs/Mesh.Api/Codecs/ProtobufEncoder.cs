using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Codecs;

/// <summary>A JSON object to one protobuf message, driven by its schema. Written backwards: the last field first.</summary>
internal static class ProtobufEncoder
{
    public static void Encode(ProtoWriter writer, TypeSchema type, JsonObject source)
    {
        var fields = type.ProtoFields;
        for (var i = fields.Length - 1; i >= 0; i--)
        {
            var field = fields[i];
            if (field.Inline is { } inline)
            {
                var before = writer.Length;
                Encode(writer, inline(), source);
                writer.Close(field.Number, before);
            }
            else if (source[field.Field!.Name] is { } value)
            {
                EncodeField(writer, field.Number, field.Field, value);
            }
        }
    }

    private static void EncodeField(ProtoWriter writer, int number, FieldSchema field, JsonNode value)
    {
        switch (field.Shape)
        {
            case FieldShape.List:
                var list = Cast<JsonArray>(field, value);
                for (var i = list.Count - 1; i >= 0; i--)
                    EncodeElement(writer, number, field, list[i]);
                break;
            case FieldShape.Map:
                EncodeMap(writer, number, field, Cast<JsonObject>(field, value));
                break;
            default:
                EncodeValue(writer, number, field, value);
                break;
        }
    }

    // Entries in the order of their keys, as Go writes them.
    private static void EncodeMap(ProtoWriter writer, int number, FieldSchema field, JsonObject map)
    {
        var entries = map.ToArray();
        Array.Sort(entries, static (a, b) => CompareUtf8(b.Key, a.Key));
        foreach (var (key, value) in entries)
        {
            var before = writer.Length;
            EncodeElement(writer, 2, field, value);
            writer.StringField(1, key);
            writer.Close(number, before);
        }
    }

    // A zero time is null in JSON and an empty message in protobuf.
    private static void EncodeElement(ProtoWriter writer, int number, FieldSchema field, JsonNode? value)
    {
        if (value is not null)
            EncodeValue(writer, number, field, value);
        else if (field.Kind is FieldKind.Time or FieldKind.MicroTime or FieldKind.RawExtension or FieldKind.Json)
            writer.BytesField(number, []);
        else
            throw Mismatch(field, null);
    }

    private static void EncodeValue(ProtoWriter writer, int number, FieldSchema field, JsonNode value)
    {
        switch (field.Kind)
        {
            case FieldKind.Object:
                var before = writer.Length;
                Encode(writer, field.Type!, Cast<JsonObject>(field, value));
                writer.Close(number, before);
                break;
            case FieldKind.String:
                writer.StringField(number, Text(field, value));
                break;
            case FieldKind.Bool:
                writer.VarintField(number, value.GetValueKind() switch
                {
                    JsonValueKind.True => 1,
                    JsonValueKind.False => 0,
                    _ => throw Mismatch(field, value),
                });
                break;
            case FieldKind.Int32 or FieldKind.Int64:
                writer.VarintField(number, Integer(field, value));
                break;
            case FieldKind.Double:
                writer.DoubleField(number, JsonScalars.TryDouble(value, out var real) ? real : throw Mismatch(field, value));
                break;
            case FieldKind.Bytes:
                writer.BytesField(number, Base64(field, value));
                break;
            case FieldKind.Time or FieldKind.MicroTime:
                WellKnownProto.WriteTime(writer, number, Text(field, value), field.Kind == FieldKind.MicroTime);
                break;
            case FieldKind.Quantity:
                WellKnownProto.WriteQuantity(writer, number, JsonScalars.QuantityText(value) ?? throw Mismatch(field, value));
                break;
            case FieldKind.IntOrString:
                WellKnownProto.WriteIntOrString(writer, number, IntOrString.FromNode(value) ?? throw Mismatch(field, value));
                break;
            case FieldKind.Strings:
                EncodeStrings(writer, number, field, Cast<JsonArray>(field, value));
                break;
            default:
                WellKnownProto.WriteRaw(writer, number, value);
                break;
        }
    }

    private static void EncodeStrings(ProtoWriter writer, int number, FieldSchema field, JsonArray list)
    {
        var before = writer.Length;
        for (var i = list.Count - 1; i >= 0; i--)
            writer.StringField(1, Text(field, list[i]));
        writer.Close(number, before);
    }

    private static string Text(FieldSchema field, JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : throw Mismatch(field, value);

    private static long Integer(FieldSchema field, JsonNode value)
    {
        if (!JsonScalars.TryLong(value, out var number) || (field.Kind == FieldKind.Int32 && number != (int)number))
            throw Mismatch(field, value);
        return number;
    }

    private static byte[] Base64(FieldSchema field, JsonNode value)
    {
        try
        {
            return Convert.FromBase64String(Text(field, value));
        }
        catch (FormatException e)
        {
            throw new DecodeException($"{field.Name}: illegal base64 data", e);
        }
    }

    private static T Cast<T>(FieldSchema field, JsonNode value)
        where T : JsonNode => value as T ?? throw Mismatch(field, value);

    private static DecodeException Mismatch(FieldSchema field, JsonNode? value) =>
        new($"json: cannot encode {value?.GetValueKind().ToString().ToLowerInvariant() ?? "null"} as field {field.Name}");

    // Go sorts strings by bytes; UTF-16 order differs from it only beyond the basic plane.
    private static int CompareUtf8(string a, string b)
    {
        var n = Math.Min(a.Length, b.Length);
        for (var i = 0; i < n; i++)
        {
            if (a[i] == b[i])
                continue;
            var x = char.IsSurrogate(a[i]);
            var y = char.IsSurrogate(b[i]);
            return x == y ? a[i].CompareTo(b[i]) : x ? 1 : -1;
        }

        return a.Length.CompareTo(b.Length);
    }
}
