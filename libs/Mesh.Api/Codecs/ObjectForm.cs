using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Codecs;

/// <summary>
/// The form an object has once it went through Kubernetes' own types: structs that are no pointers are always there
/// (`status: {}`, `resources: {}`), so are some times and lists (`lastProbeTime: null`), the schema's static defaults are set,
/// and what means the same as absent is left out (`hostNetwork: false`, `args: []`).
/// </summary>
public static class ObjectForm
{
    private static readonly ConcurrentDictionary<string, JsonNode> Defaults = new();

    /// <summary>Brings an object into that form, in place.</summary>
    public static void Complete(JsonObject target, TypeSchema type)
    {
        foreach (var field in type.Fields)
        {
            if (!target.TryGetPropertyValue(field.Name, out var value))
            {
                if (field.Default is { } text && !field.OmitsZero)
                    AddDefault(target, field, text);
                else if (field.ShowsNull)
                    target[field.Name] = null;
            }
            else if (value is null)
            {
                if (!field.Nullable && !field.ShowsNull)
                    target.Remove(field.Name);
            }
            else if (field.ShowsNull && value is JsonArray { Count: 0 })
            {
                target[field.Name] = null; // what is stored cannot tell empty from not set
            }
            else if (MeansAbsent(field, value))
            {
                target.Remove(field.Name);
            }
            else if (field.Kind == FieldKind.Object)
            {
                CompleteInside(field, value);
            }
        }
    }

    private static void AddDefault(JsonObject target, FieldSchema field, string text)
    {
        if (!field.IsValueStruct)
        {
            target[field.Name] = Defaults.GetOrAdd(text, static t => JsonNode.Parse(t)!).DeepClone();
            return;
        }

        var child = new JsonObject();
        Complete(child, field.Type!);
        target[field.Name] = child;
    }

    private static void CompleteInside(FieldSchema field, JsonNode value)
    {
        switch (value)
        {
            case JsonObject child when field.Shape == FieldShape.Single:
                Complete(child, field.Type!);
                break;
            case JsonObject map when field.Shape == FieldShape.Map:
                foreach (var (_, item) in map)
                {
                    if (item is JsonObject each)
                        Complete(each, field.Type!);
                }

                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    if (item is JsonObject each)
                        Complete(each, field.Type!);
                }

                break;
        }
    }

    // Go's omitempty: only what JSON always shows, and pointers, keep a zero.
    private static bool MeansAbsent(FieldSchema field, JsonNode value)
    {
        if (field.KeepsZero)
            return false;
        if (field.Shape != FieldShape.Single)
            return value is JsonArray { Count: 0 } or JsonObject { Count: 0 };
        return field.Kind switch
        {
            FieldKind.String or FieldKind.Bytes => value.GetValueKind() == JsonValueKind.String && value.GetValue<string>().Length == 0,
            FieldKind.Bool => value.GetValueKind() == JsonValueKind.False,
            FieldKind.Int32 or FieldKind.Int64 => JsonScalars.TryLong(value, out var number) && number == 0,
            _ => false,
        };
    }
}
