using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Codecs;

/// <summary>One pass over a JSON text along its schema.</summary>
internal sealed class JsonDecoder(ICollection<string>? strict)
{
    private const int MaxStrictErrors = 100;

    private readonly DecodePath path = new();
    private TypeSchema? owner;

    public JsonObject Root(ref Utf8JsonReader r, TypeSchema type) =>
        r.TokenType == JsonTokenType.StartObject ? Object(ref r, type) : throw Mismatch(ref r, GoTypes.Of(type));

    /// <summary>Any JSON value; of doubled keys the last one counts.</summary>
    public static JsonNode? Any(ref Utf8JsonReader r)
    {
        switch (r.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new JsonObject();
                while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
                {
                    var key = r.GetString()!;
                    r.Read();
                    map[key] = Any(ref r);
                }

                return map;
            case JsonTokenType.StartArray:
                var list = new JsonArray();
                while (r.Read() && r.TokenType != JsonTokenType.EndArray)
                    list.Add(Any(ref r));
                return list;
            case JsonTokenType.String:
                return JsonValue.Create(r.GetString());
            case JsonTokenType.True or JsonTokenType.False:
                return JsonValue.Create(r.GetBoolean());
            case JsonTokenType.Null:
                return null;
            default:
                // A number beyond 64 bits or with a fraction keeps its text.
                return r.TryGetInt64(out var number) ? JsonValue.Create(number) : JsonNode.Parse(ref r);
        }
    }

    private JsonObject Object(ref Utf8JsonReader r, TypeSchema type)
    {
        var target = new JsonObject();
        var lookup = type.Lookup;
        var outer = owner;
        owner = type;
        Span<char> buffer = stackalloc char[128];
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            FieldSchema? field = null;
            if (r.ValueSpan.Length <= buffer.Length && lookup.TryGetValue(buffer[..r.CopyString(buffer)], out var known))
                field = known;
            if (field is null)
                Unknown(ref r, target, type);
            else
                Known(ref r, target, field);
        }

        owner = outer;
        return target;
    }

    private void Known(ref Utf8JsonReader r, JsonObject target, FieldSchema field)
    {
        if (target.ContainsKey(field.Name))
            Report("duplicate", field.Name);
        r.Read();
        if (r.TokenType == JsonTokenType.Null)
        {
            if (field.Nullable)
                target[field.Name] = null;
            return;
        }

        path.PushField(field.Name);
        target[field.Name] = Value(ref r, field);
        path.Pop();
    }

    private void Unknown(ref Utf8JsonReader r, JsonObject target, TypeSchema type)
    {
        var name = r.GetString()!;
        if (type.AdditionalProperties is { } values)
        {
            if (target.ContainsKey(name))
                Report("duplicate", name);
            r.Read();
            path.PushKey(name);
            target[name] = r.TokenType == JsonTokenType.Null ? null : Value(ref r, values);
            path.Pop();
        }
        else if (type.PreserveUnknownFields)
        {
            r.Read();
            target[name] = Any(ref r);
        }
        else
        {
            Report("unknown", name);
            r.Skip();
        }
    }

    private JsonNode? Value(ref Utf8JsonReader r, FieldSchema field) => field.Shape switch
    {
        FieldShape.List => List(ref r, field),
        FieldShape.Map => Map(ref r, field),
        _ => Single(ref r, field),
    };

    private JsonArray List(ref Utf8JsonReader r, FieldSchema field)
    {
        if (r.TokenType != JsonTokenType.StartArray)
            throw Mismatch(ref r, GoTypes.Of(field));
        var list = new JsonArray();
        for (var i = 0; r.Read() && r.TokenType != JsonTokenType.EndArray; i++)
        {
            path.PushIndex(i);
            list.Add(r.TokenType == JsonTokenType.Null ? Zero(field) : Single(ref r, field));
            path.Pop();
        }

        return list;
    }

    private JsonObject Map(ref Utf8JsonReader r, FieldSchema field)
    {
        if (r.TokenType != JsonTokenType.StartObject)
            throw Mismatch(ref r, GoTypes.Of(field));
        var map = new JsonObject();
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            var key = r.GetString()!;
            if (map.ContainsKey(key))
                Report("duplicate", key);
            r.Read();
            path.PushKey(key);
            map[key] = r.TokenType == JsonTokenType.Null ? Zero(field) : Single(ref r, field);
            path.Pop();
        }

        return map;
    }

    private JsonNode? Single(ref Utf8JsonReader r, FieldSchema field)
    {
        switch (field.Kind)
        {
            case FieldKind.Object:
                return r.TokenType == JsonTokenType.StartObject ? Object(ref r, field.Type!) : throw Mismatch(ref r, GoTypes.Of(field.Type!));
            case FieldKind.Nested:
                return Value(ref r, field.Element!);
            case FieldKind.String:
                return JsonValue.Create(Text(ref r));
            case FieldKind.Bool:
                return r.TokenType is JsonTokenType.True or JsonTokenType.False
                    ? JsonValue.Create(r.GetBoolean())
                    : throw Mismatch(ref r, "bool");
            case FieldKind.Int32:
                return r.TokenType == JsonTokenType.Number && r.TryGetInt32(out var small) ? JsonValue.Create(small) : throw NoInteger(ref r, "int32");
            case FieldKind.Int64:
                return r.TokenType == JsonTokenType.Number && r.TryGetInt64(out var wide) ? JsonValue.Create(wide) : throw NoInteger(ref r, "int64");
            case FieldKind.Double:
                return r.TokenType == JsonTokenType.Number && r.TryGetDouble(out var real) && double.IsFinite(real)
                    ? JsonNode.Parse(ref r)
                    : throw NoInteger(ref r, "float64");
            case FieldKind.Bytes:
                return JsonValue.Create(r.TokenType == JsonTokenType.StartArray ? ByteList(ref r) : GoTypes.Base64(TextOf(ref r, "[]uint8")));
            case FieldKind.Time or FieldKind.MicroTime:
                return JsonValue.Create(Time(ref r, field.Kind == FieldKind.MicroTime));
            case FieldKind.Quantity:
                return JsonValue.Create(JsonScalars.Quantity(QuantityText(ref r)));
            case FieldKind.IntOrString:
                return IntOrStringValue(ref r);
            case FieldKind.Strings:
                return Strings(ref r);
            default:
                return Any(ref r);
        }
    }

    private JsonArray Strings(ref Utf8JsonReader r)
    {
        if (r.TokenType != JsonTokenType.StartArray)
            throw Mismatch(ref r, "[]string");
        var list = new JsonArray();
        while (r.Read() && r.TokenType != JsonTokenType.EndArray)
            list.Add(r.TokenType == JsonTokenType.Null ? JsonValue.Create("") : JsonValue.Create(Text(ref r)));
        return list;
    }

    private string Text(ref Utf8JsonReader r) => TextOf(ref r, "string");

    private string TextOf(ref Utf8JsonReader r, string goType) =>
        r.TokenType == JsonTokenType.String ? r.GetString()! : throw Mismatch(ref r, goType);

    // Bytes may be written one by one.
    private string ByteList(ref Utf8JsonReader r)
    {
        var bytes = new List<byte>();
        while (r.Read() && r.TokenType != JsonTokenType.EndArray)
        {
            byte value = 0;
            if (r.TokenType == JsonTokenType.Number && !r.TryGetByte(out value))
                throw NoInteger(ref r, "uint8");
            if (r.TokenType is not (JsonTokenType.Number or JsonTokenType.Null))
                throw Mismatch(ref r, "uint8");
            bytes.Add(value);
        }

        return Convert.ToBase64String([.. bytes]);
    }

    // metav1.Time decodes itself: its errors carry no path.
    private static string Time(ref Utf8JsonReader r, bool micro)
    {
        if (r.TokenType != JsonTokenType.String)
            throw new DecodeException($"json: cannot unmarshal {JsonErrors.ValueName(ref r)} into Go value of type string");
        var text = r.GetString()!;
        if (!KubeTime.TryParse(text, out var utc))
            throw new DecodeException(GoTypes.TimeError(text, micro));
        return micro ? KubeTime.FormatMicro(utc) : KubeTime.Format(utc);
    }

    private static string QuantityText(ref Utf8JsonReader r) => r.TokenType switch
    {
        JsonTokenType.String => r.GetString()!,
        JsonTokenType.Number => Encoding.UTF8.GetString(r.ValueSpan),
        _ => "",
    };

    private static JsonValue IntOrStringValue(ref Utf8JsonReader r)
    {
        if (r.TokenType == JsonTokenType.String)
            return JsonValue.Create(r.GetString()!)!;
        if (r.TokenType == JsonTokenType.Number && r.TryGetInt32(out var number))
            return JsonValue.Create(number);
        throw new DecodeException($"json: cannot unmarshal {Literal(ref r)} into Go value of type {(r.TokenType == JsonTokenType.Number ? "int32" : "string")}");
    }

    // Null in a list or map is the element's zero value, as Go reads it.
    private static JsonNode? Zero(FieldSchema field) => field.Kind switch
    {
        _ when field.Nullable => null,
        FieldKind.Object => new JsonObject(),
        FieldKind.Bool => JsonValue.Create(false),
        FieldKind.Int32 or FieldKind.Int64 or FieldKind.Double or FieldKind.IntOrString => JsonValue.Create(0),
        FieldKind.Quantity => JsonValue.Create("0"),
        FieldKind.Strings => new JsonArray(),
        FieldKind.RawExtension or FieldKind.Json or FieldKind.FieldsV1 or FieldKind.Nested => null,
        FieldKind.Time or FieldKind.MicroTime => null,
        _ => JsonValue.Create(""),
    };

    private void Report(string what, string name)
    {
        if (strict is null || strict.Count >= MaxStrictErrors)
            return;
        var message = $"{what} field \"{path.Strict(name)}\"";
        if (!strict.Contains(message))
            strict.Add(message);
    }

    private static string Literal(ref Utf8JsonReader r) =>
        r.TokenType == JsonTokenType.Number ? "number " + Encoding.UTF8.GetString(r.ValueSpan) : JsonErrors.ValueName(ref r);

    private DecodeException NoInteger(ref Utf8JsonReader r, string goType) => Fail(Literal(ref r), goType);

    private DecodeException Mismatch(ref Utf8JsonReader r, string goType) => Fail(JsonErrors.ValueName(ref r), goType);

    private DecodeException Fail(string value, string goType) => new(path.Depth == 0
        ? $"json: cannot unmarshal {value} into Go value of type {goType}"
        : $"json: cannot unmarshal {value} into Go struct field {owner?.Name}.{path.Fields()} of type {goType}");
}
