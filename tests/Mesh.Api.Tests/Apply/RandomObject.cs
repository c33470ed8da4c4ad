using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Tests.Apply;

/// <summary>Objects of a kind with some of their fields, from a seed: what different people might apply. Few values, so that they meet.</summary>
internal sealed class RandomObject(Random random, double density = 0.3)
{
    private const int MaxDepth = 9;

    public JsonObject Make(KindSchema kind, string name)
    {
        var made = Object(kind.Type, 0);
        made["kind"] = kind.Kind;
        made["apiVersion"] = kind.ApiVersion;
        var meta = made["metadata"] as JsonObject ?? [];
        foreach (var field in new[] { "managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink", "namespace", "generateName" }) meta.Remove(field);
        meta["name"] = name;
        made["metadata"] = meta;
        return made;
    }

    private JsonObject Object(TypeSchema type, int depth)
    {
        var made = new JsonObject();
        foreach (var field in type.Fields)
        {
            if (random.NextDouble() > density || (field.Kind == FieldKind.Object && depth >= MaxDepth)) continue;
            var value = field.Shape switch
            {
                FieldShape.List => List(field, depth),
                FieldShape.Map => Map(field, depth),
                _ => Value(field, depth),
            };
            if (value is not (JsonObject { Count: 0 } or JsonArray { Count: 0 })) made[field.Name] = value;
        }

        return made;
    }

    private JsonNode List(FieldSchema field, int depth)
    {
        var list = new JsonArray();
        var seen = new HashSet<string>();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var item = Value(field, depth);
            var identity = field.ListType == ListType.Set ? item.ToJsonString() : i.ToString();
            if (field.ListType == ListType.Map)
            {
                foreach (var key in field.ListMapKeys)
                {
                    var inner = field.Type!.Field(key)!;
                    if (inner.Default is null || random.Next(2) == 0) ((JsonObject)item)[key] = Value(inner, depth);
                    else ((JsonObject)item).Remove(key);
                }

                identity = string.Join("/", field.ListMapKeys.Select(k => item[k]?.ToJsonString() ?? field.Type!.Field(k)!.Default));
            }

            if (seen.Add(identity)) list.Add(item);
        }

        return list;
    }

    private JsonObject Map(FieldSchema field, int depth)
    {
        var map = new JsonObject();
        for (var i = random.Next(1, 3); i > 0; i--)
        {
            if (Value(field, depth) is var value and not (JsonObject { Count: 0 } or JsonArray { Count: 0 })) map["key" + random.Next(3)] = value;
        }

        return map;
    }

    private JsonNode Value(FieldSchema field, int depth) => field.Kind switch
    {
        FieldKind.Object => Object(field.Type!, depth + 1),
        FieldKind.Bool => random.Next(2) == 0,
        FieldKind.Int32 or FieldKind.Int64 => random.Next(1, 4),
        FieldKind.Double => random.Next(1, 4) + 0.5,
        FieldKind.Strings => new JsonArray("s" + random.Next(3)),
        FieldKind.RawExtension => new JsonObject { ["raw" + random.Next(2)] = random.Next(3), ["deep"] = new JsonObject { ["list"] = new JsonArray(random.Next(2)) } },
        FieldKind.FieldsV1 or FieldKind.Json => new JsonObject { ["raw"] = random.Next(3) },
        FieldKind.IntOrString => random.Next(2) == 0 ? random.Next(1, 4) : "port" + random.Next(3),
        _ => "v" + random.Next(3),
    };
}
