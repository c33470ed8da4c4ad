using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Tests.Codecs;

/// <summary>Makes an object with every field of its schema filled, each scalar with a value of its own.</summary>
internal sealed class ObjectFiller
{
    private const int MaxRepeats = 2;

    private readonly Dictionary<TypeSchema, int> open = [];
    private int counter;

    public JsonObject Fill(KindSchema kind)
    {
        var filled = Fill(kind.Type);
        filled["kind"] = kind.Kind;
        filled["apiVersion"] = kind.ApiVersion;
        return filled;
    }

    private JsonObject Fill(TypeSchema type)
    {
        var target = new JsonObject();
        open[type] = open.GetValueOrDefault(type) + 1;
        foreach (var field in type.Fields)
        {
            // Protobuf carries apiVersion and kind in the envelope only: the items of a list have none.
            if (type.IsKind && field.Number == 0 && field.Name is ("kind" or "apiVersion"))
                continue;
            if (field.Kind == FieldKind.Object && open.GetValueOrDefault(field.Type!) >= MaxRepeats)
                continue;
            target[field.Name] = field.Shape switch
            {
                FieldShape.List => new JsonArray(Value(field), Value(field)),
                FieldShape.Map => new JsonObject { ["b" + field.Name] = Value(field), ["a" + field.Name] = Value(field) },
                _ => Value(field),
            };
        }

        open[type]--;
        return target;
    }

    private JsonNode Value(FieldSchema field)
    {
        counter++;
        return field.Kind switch
        {
            FieldKind.Object => Fill(field.Type!),
            FieldKind.Bool => JsonValue.Create(true),
            FieldKind.Int32 => JsonValue.Create(counter % 2 == 0 ? counter : -counter),
            FieldKind.Int64 => JsonValue.Create(counter * 10_000_000_000L),
            FieldKind.Double => JsonValue.Create(counter + 0.5),
            FieldKind.Bytes => JsonValue.Create(Convert.ToBase64String(BitConverter.GetBytes(counter))),
            FieldKind.Time => JsonValue.Create(KubeTime.Format(DateTime.UnixEpoch.AddDays(counter - 5000))),
            FieldKind.MicroTime => JsonValue.Create(KubeTime.FormatMicro(DateTime.UnixEpoch.AddDays(counter).AddMicroseconds(counter))),
            FieldKind.Quantity => JsonValue.Create($"{(counter * 10) + 1}m"),
            FieldKind.IntOrString => counter % 2 == 0 ? JsonValue.Create(counter) : JsonValue.Create("port" + counter.ToString(CultureInfo.InvariantCulture)),
            FieldKind.Strings => new JsonArray("s" + counter, "é€😀"),
            FieldKind.RawExtension or FieldKind.FieldsV1 or FieldKind.Json => new JsonObject { ["raw"] = counter, ["text"] = "<&>" },
            _ => JsonValue.Create($"{field.Name}-{counter}"),
        };
    }
}
