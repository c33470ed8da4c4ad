using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api.Codecs;

/// <summary>The messages whose JSON form is not an object of their fields.</summary>
internal static class WellKnownProto
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // 0001-01-01 .. 9999-12-31, what RFC 3339 can say.
    private const long MinSeconds = -62135596800;
    private const long MaxSeconds = 253402300799;

    /// <summary>An empty message is Go's zero time: absent in JSON.</summary>
    public static JsonNode? ReadTime(ReadOnlySpan<byte> data, bool micro)
    {
        if (data.IsEmpty)
            return null;
        long seconds = 0;
        var nanos = 0;
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (reader.Number is not (1 or 2))
            {
                reader.Skip();
                continue;
            }

            reader.Expect(0, "Time");
            if (reader.Number == 1)
                seconds = (long)reader.Varint();
            else
                nanos = (int)reader.Varint();
        }

        if (seconds is < MinSeconds or > MaxSeconds || nanos is < 0 or > 999_999_999)
            throw new DecodeException("proto: time out of range");
        var time = DateTime.UnixEpoch.AddTicks(seconds * TimeSpan.TicksPerSecond + (micro ? nanos / 1000 * 10 : 0));
        return JsonValue.Create(micro ? KubeTime.FormatMicro(time) : KubeTime.Format(time));
    }

    public static void WriteTime(ProtoWriter writer, int number, string text, bool micro)
    {
        if (!KubeTime.TryParse(text, out var utc))
            throw new DecodeException(GoTypes.TimeError(text, micro));
        var before = writer.Length;
        var sinceEpoch = utc.Ticks - DateTime.UnixEpoch.Ticks;
        var seconds = (long)Math.Floor(sinceEpoch / (double)TimeSpan.TicksPerSecond);
        var ticks = sinceEpoch - seconds * TimeSpan.TicksPerSecond;
        writer.VarintField(2, micro ? ticks / 10 * 1000 : 0);
        writer.VarintField(1, seconds);
        writer.Close(number, before);
    }

    public static JsonNode ReadQuantity(ReadOnlySpan<byte> data)
    {
        var text = "";
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                reader.Expect(2, "Quantity");
                text = ProtobufDecoder.Text(reader.Bytes());
            }
            else
            {
                reader.Skip();
            }
        }

        return JsonValue.Create(JsonScalars.Quantity(text.Length == 0 ? "0" : text));
    }

    public static void WriteQuantity(ProtoWriter writer, int number, string text)
    {
        var before = writer.Length;
        writer.StringField(1, text);
        writer.Close(number, before);
    }

    public static JsonNode ReadIntOrString(ReadOnlySpan<byte> data)
    {
        ulong type = 0;
        var number = 0;
        var text = "";
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    reader.Expect(0, "IntOrString");
                    type = reader.Varint();
                    break;
                case 2:
                    reader.Expect(0, "IntOrString");
                    number = (int)reader.Varint();
                    break;
                case 3:
                    reader.Expect(2, "IntOrString");
                    text = ProtobufDecoder.Text(reader.Bytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return type switch
        {
            0 => JsonValue.Create(number),
            1 => JsonValue.Create(text)!,
            _ => throw new DecodeException("impossible IntOrString.Type"),
        };
    }

    public static void WriteIntOrString(ProtoWriter writer, int number, IntOrString value)
    {
        var before = writer.Length;
        writer.StringField(3, value.StringValue ?? "");
        writer.VarintField(2, value.IsString ? 0 : value.IntValue);
        writer.VarintField(1, value.IsString ? 1 : 0);
        writer.Close(number, before);
    }

    /// <summary>RawExtension and FieldsV1: a message with the JSON text as field 1; null when there is none.</summary>
    public static JsonNode? ReadRaw(ReadOnlySpan<byte> data, int depth)
    {
        ReadOnlySpan<byte> raw = default;
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                reader.Expect(2, "Raw");
                raw = reader.Bytes();
            }
            else
            {
                reader.Skip();
            }
        }

        if (raw.IsEmpty)
            return null;
        if (ProtobufCodec.IsEnvelope(raw))
            return ProtobufCodec.DecodeEnvelope(raw, depth + 1);
        try
        {
            return JsonNode.Parse(raw, documentOptions: new JsonDocumentOptions { MaxDepth = JsonCodec.MaxDepth });
        }
        catch (JsonException e)
        {
            throw new DecodeException("json: raw extension is not JSON", e);
        }
        catch (InvalidOperationException e)
        {
            throw new DecodeException("json: raw extension is not UTF-8", e);
        }
    }

    public static void WriteRaw(ProtoWriter writer, int number, JsonNode value)
    {
        var before = writer.Length;
        writer.BytesField(1, JsonSerializer.SerializeToUtf8Bytes(value, Relaxed));
        writer.Close(number, before);
    }

    public static JsonNode ReadStrings(ReadOnlySpan<byte> data)
    {
        var list = new JsonArray();
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (reader.Number == 1)
            {
                reader.Expect(2, "Items");
                list.Add(JsonValue.Create(ProtobufDecoder.Text(reader.Bytes())));
            }
            else
            {
                reader.Skip();
            }
        }

        return list;
    }
}
