using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Patches;

/// <summary>
/// Whether a merged tree fits its type, in the words of the converter that Kubernetes uses after a strategic merge (it reads no JSON text there). What the
/// converter hands to a type's own reader (times, quantities) is not looked at.
/// </summary>
public static class UnstructuredCheck
{
    /// <summary>The first value that does not fit, field by field as the type declares them; null when all do.</summary>
    public static string? Check(TypeSchema type, JsonObject obj)
    {
        foreach (var field in type.Fields)
        {
            if (obj.TryGetPropertyValue(field.Name, out var value) && Field(field, value) is { } wrong) return wrong;
        }

        return null;
    }

    private static string? Field(FieldSchema field, JsonNode? value) => (field.Shape, value) switch
    {
        (_, null) => null,
        (FieldShape.List, JsonArray list) => First(field, list),
        (FieldShape.List, _) => "cannot restore slice from " + GoKinds.Kind(value),
        (FieldShape.Map, JsonObject map) => First(field, map.Select(static p => p.Value)),
        (FieldShape.Map, _) => "cannot restore map from " + GoKinds.Kind(value),
        _ => Value(field, value),
    };

    private static string? First(FieldSchema field, IEnumerable<JsonNode?> values) => values.Select(v => v is null ? null : Value(field, v)).FirstOrDefault(static wrong => wrong is not null);

    private static string? Value(FieldSchema field, JsonNode value)
    {
        var kind = GoKinds.Kind(value);
        return (field.Kind, kind) switch
        {
            (FieldKind.Object, "map") => field.Type is { } type ? Check(type, (JsonObject)value) : null,
            (FieldKind.Object, _) => "cannot restore struct from: " + kind,
            (FieldKind.String, "string") or (FieldKind.Bool, "bool") or (FieldKind.Bytes, "string") => null,
            (FieldKind.String, "int64") => "cannot convert int64 to string",
            (FieldKind.String, _) => "unrecognized type: string",
            (FieldKind.Bool, _) => "unrecognized type: bool",
            (FieldKind.Bytes, _) => "cannot restore slice from " + kind,
            (FieldKind.Int32 or FieldKind.Int64, "int64") or (FieldKind.Double, "int64" or "float64") => null,
            (FieldKind.Int32 or FieldKind.Int64, "float64") => IsWhole(value) ? null : "cannot convert float64 to " + Go(field.Kind),
            (FieldKind.Int32 or FieldKind.Int64 or FieldKind.Double, _) => "unrecognized type: " + Go(field.Kind),
            _ => null,
        };
    }

    private static bool IsWhole(JsonNode value) => value is JsonValue number && number.TryGetValue<double>(out var d) && d == Math.Truncate(d);

    private static string Go(FieldKind kind) => kind switch { FieldKind.Int32 => "int32", FieldKind.Int64 => "int64", _ => "float64" };
}
