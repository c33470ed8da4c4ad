using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Codecs;

/// <summary>One protobuf message to a JSON object, driven by its schema.</summary>
internal static class ProtobufDecoder
{
    private const int MaxDepth = 200;

    public static void DecodeInto(JsonObject target, TypeSchema type, ReadOnlySpan<byte> data, int depth)
    {
        if (depth > MaxDepth)
            throw new DecodeException("proto: exceeded max depth");
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            var field = Find(type.ProtoFields, reader.Number);
            if (field is null)
            {
                reader.Skip();
            }
            else if (field.Inline is { } inline)
            {
                reader.Expect(2, type.Name);
                DecodeInto(target, inline(), reader.Bytes(), depth + 1);
            }
            else
            {
                DecodeField(target, field.Field!, ref reader, depth);
            }
        }
    }

    private static ProtoField? Find(ProtoField[] fields, int number)
    {
        // Numbers are dense and start at 1 in almost every message: look where it should be first.
        if (number <= fields.Length && fields[number - 1].Number == number)
            return fields[number - 1];
        foreach (var field in fields)
        {
            if (field.Number == number)
                return field;
        }

        return null;
    }

    private static void DecodeField(JsonObject target, FieldSchema field, ref ProtoReader reader, int depth)
    {
        switch (field.Shape)
        {
            case FieldShape.Map:
                reader.Expect(2, field.Name);
                DecodeMapEntry(Child(target, field.Name), field, reader.Bytes(), depth);
                break;
            case FieldShape.List:
                DecodeListItems(target, field, ref reader, depth);
                break;
            default:
                if (field.Kind == FieldKind.Object)
                {
                    // A message field seen twice merges, as protobuf says.
                    reader.Expect(2, field.Name);
                    DecodeInto(Child(target, field.Name), field.Type!, reader.Bytes(), depth + 1);
                }
                else if (Value(field, ref reader, depth) is { } value && !IsDroppedZero(field, value))
                {
                    target[field.Name] = value;
                }
                else
                {
                    target.Remove(field.Name);
                }

                break;
        }
    }

    private static void DecodeListItems(JsonObject target, FieldSchema field, ref ProtoReader reader, int depth)
    {
        if (target[field.Name] is not JsonArray list)
            target[field.Name] = list = [];
        if (reader.WireType == 2 && field.Kind is (FieldKind.Int32 or FieldKind.Int64 or FieldKind.Bool))
        {
            // Packed: legal for any writer, though gogo does not write it.
            var packed = new ProtoReader(reader.Bytes());
            while (!packed.AtEnd)
                list.Add(Integer(field, packed.Varint()));
            return;
        }

        list.Add(Value(field, ref reader, depth) ?? EmptyValue(field));
    }

    private static void DecodeMapEntry(JsonObject map, FieldSchema field, ReadOnlySpan<byte> data, int depth)
    {
        var key = "";
        JsonNode? value = null;
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                reader.Expect(2, field.Name);
                key = Text(reader.Bytes());
            }
            else if (reader.Number == 2)
            {
                value = Value(field, ref reader, depth);
            }
            else
            {
                reader.Skip();
            }
        }

        map[key] = value ?? EmptyValue(field);
    }

    /// <summary>One value; null for a zero Time, which JSON leaves out.</summary>
    private static JsonNode? Value(FieldSchema field, ref ProtoReader reader, int depth)
    {
        switch (field.Kind)
        {
            case FieldKind.Bool or FieldKind.Int32 or FieldKind.Int64:
                reader.Expect(0, field.Name);
                return Integer(field, reader.Varint());
            case FieldKind.Double:
                reader.Expect(1, field.Name);
                return Finite(reader.Double());
        }

        reader.Expect(2, field.Name);
        var bytes = reader.Bytes();
        switch (field.Kind)
        {
            case FieldKind.String:
                return JsonValue.Create(Text(bytes));
            case FieldKind.Bytes:
                return JsonValue.Create(Convert.ToBase64String(bytes));
            case FieldKind.Time:
                return WellKnownProto.ReadTime(bytes, micro: false);
            case FieldKind.MicroTime:
                return WellKnownProto.ReadTime(bytes, micro: true);
            case FieldKind.Quantity:
                return WellKnownProto.ReadQuantity(bytes);
            case FieldKind.IntOrString:
                return WellKnownProto.ReadIntOrString(bytes);
            case FieldKind.RawExtension:
            case FieldKind.FieldsV1:
            case FieldKind.Json:
                return WellKnownProto.ReadRaw(bytes, depth);
            case FieldKind.Strings:
                return WellKnownProto.ReadStrings(bytes);
            default:
                var child = new JsonObject();
                DecodeInto(child, field.Type!, bytes, depth + 1);
                return child;
        }
    }

    internal static string Text(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return Utf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw new DecodeException("proto: string field contains invalid UTF-8");
        }
    }

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static JsonValue Integer(FieldSchema field, ulong value) => field.Kind switch
    {
        FieldKind.Bool => JsonValue.Create(value != 0),
        FieldKind.Int32 => JsonValue.Create((int)value),
        _ => JsonValue.Create((long)value),
    };

    private static JsonValue Finite(double value) =>
        double.IsFinite(value) ? JsonValue.Create(value) : throw new DecodeException($"json: unsupported value: {value.ToString(CultureInfo.InvariantCulture)}");

    private static JsonNode? EmptyValue(FieldSchema field) => field.Kind switch
    {
        FieldKind.Bool => JsonValue.Create(false),
        FieldKind.Int32 or FieldKind.Int64 or FieldKind.Double => JsonValue.Create(0),
        FieldKind.Quantity => JsonValue.Create("0"),
        FieldKind.IntOrString => JsonValue.Create(0),
        FieldKind.Strings => new JsonArray(),
        FieldKind.Time or FieldKind.MicroTime => null,
        FieldKind.Object or FieldKind.RawExtension or FieldKind.FieldsV1 or FieldKind.Json => new JsonObject(),
        _ => JsonValue.Create(""),
    };

    // Writers in Go always write scalars that are no pointers; zero means absent there, unless JSON always shows the field.
    private static bool IsDroppedZero(FieldSchema field, JsonNode value)
    {
        if (field.KeepsZero)
            return false;
        return field.Kind switch
        {
            FieldKind.String or FieldKind.Bytes => value.GetValue<string>().Length == 0,
            FieldKind.Bool => !value.GetValue<bool>(),
            FieldKind.Int32 => value.GetValue<int>() == 0,
            FieldKind.Int64 => value.GetValue<long>() == 0,
            FieldKind.Double => value.GetValue<double>() == 0,
            _ => false,
        };
    }

    private static JsonObject Child(JsonObject target, string name)
    {
        if (target[name] is not JsonObject child)
            target[name] = child = [];
        return child;
    }
}
