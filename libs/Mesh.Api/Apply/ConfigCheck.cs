using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Apply;

/// <summary>
/// Checks an applied configuration along the schema, as it was sent: unknown fields, values of another form, list items without keys or with the keys
/// of another. In the words of Kubernetes' typed values.
/// </summary>
public static class ConfigCheck
{
    /// <summary>What is wrong, one message or several lines under "errors:"; null when nothing is.</summary>
    public static string? Check(TypeSchema type, JsonObject config)
    {
        var errors = new List<string>();
        Object(ApplyPlan.Of(type), config, new StringBuilder(), errors);
        return errors.Count switch
        {
            0 => null,
            1 => errors[0],
            _ => "errors:\n  " + string.Join("\n  ", errors),
        };
    }

    private static void Object(ApplyPlan plan, JsonObject obj, StringBuilder path, List<string> errors)
    {
        foreach (var (name, value) in obj)
        {
            var length = path.Length;
            path.Append('.').Append(name);
            if (plan.Kind is PlanKind.Map) Value(plan.Item, value, path, errors);
            else if (plan.Type is null) { }
            else if (plan.Find(name) is { } field) Field(field.Plan, value, path, errors);
            else if (plan.Additional is { } other) Field(other, value, path, errors);
            else Add(errors, path, "field not declared in schema");
            path.Length = length;
        }
    }

    private static void Field(ApplyPlan plan, JsonNode? value, StringBuilder path, List<string> errors)
    {
        if (value is null || plan.Kind == PlanKind.Deduced) return;
        switch (plan.Field?.Shape ?? FieldShape.Single)
        {
            case FieldShape.List:
                if (value is JsonArray list) List(plan, list, path, errors);
                else Add(errors, path, "expected list, got " + Shown(value));
                break;
            case FieldShape.Map:
                if (value is not JsonObject map) Add(errors, path, "expected map, got " + Shown(value));
                else if (plan.Kind == PlanKind.Map) Object(plan, map, path, errors);
                break;
            default:
                Value(plan, value, path, errors);
                break;
        }
    }

    private static void Value(ApplyPlan plan, JsonNode? value, StringBuilder path, List<string> errors)
    {
        if (value is null || plan.Kind == PlanKind.Deduced) return;
        if (plan.Kind is PlanKind.Set or PlanKind.Keyed || (plan.Kind == PlanKind.Map && plan.Field is { Shape: FieldShape.Map }))
        {
            Field(plan, value, path, errors);
            return;
        }

        if (plan.Type is not null)
        {
            if (value is JsonObject obj) Object(plan, obj, path, errors);
            else Add(errors, path, "expected map, got " + Shown(value));
            return;
        }

        var kind = value.GetValueKind();
        switch (plan.Field?.Kind)
        {
            case FieldKind.String or FieldKind.Bytes when kind != JsonValueKind.String:
                Add(errors, path, "expected string, got " + Shown(value));
                break;
            case FieldKind.Int32 or FieldKind.Int64 or FieldKind.Double when kind != JsonValueKind.Number:
                Add(errors, path, "expected numeric (int or float), got " + Form(kind));
                break;
            case FieldKind.Bool when kind is not (JsonValueKind.True or JsonValueKind.False):
                Add(errors, path, "expected boolean, got " + Shown(value));
                break;
            case FieldKind.Quantity or FieldKind.IntOrString or FieldKind.Time or FieldKind.MicroTime when kind is JsonValueKind.Object or JsonValueKind.Array:
                Add(errors, path, "expected any scalar, got " + Shown(value));
                break;
        }
    }

    private static void List(ApplyPlan plan, JsonArray list, StringBuilder path, List<string> errors)
    {
        if (plan.Kind == PlanKind.Leaf)
        {
            if (plan.Type is null) return;
            var item = ApplyPlan.Of(plan.Type);
            for (var i = 0; i < list.Count; i++)
            {
                if (list[i] is JsonObject obj) At(path, $"[{i}]", () => Object(item, obj, path, errors));
            }

            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            if (plan.Name(list[i]) is not { } name)
            {
                Add(errors, path, $"element {i}: {Nameless(plan, list[i])}");
                return;
            }

            var step = new StringBuilder();
            PathElement.Print(step, name);
            if (!seen.Add(name)) Add(errors, path, "duplicate entries for key " + step);
            if (plan.Kind == PlanKind.Keyed && list[i] is JsonObject obj) At(path, step.ToString(), () => Object(plan.Item, obj, path, errors));
        }
    }

    private static string Nameless(ApplyPlan plan, JsonNode? item)
    {
        if (plan.Kind == PlanKind.Set)
        {
            return item switch
            {
                JsonObject => "associative list without keys has an element that's a map type",
                JsonArray => "not supporting lists as list element for associative list without keys", // nested list
                _ => "associative list without keys has an element that's an explicit null",
            };
        }

        if (item is not JsonObject obj)
            return item is null ? "associative list with keys may not have a null element" : "associative list with keys may not have non-map elements";
        var missing = plan.Keys.Where((k, i) => obj[k] is null && plan.KeyDefaults[i] is null).First();
        return $"associative list with keys has an element that omits key field {GoText.Quote(missing)} (and doesn't have default value)";
    }

    private static void At(StringBuilder path, string step, Action inside)
    {
        var length = path.Length;
        path.Append(step);
        inside();
        path.Length = length;
    }

    private static void Add(List<string> errors, StringBuilder path, string message) => errors.Add($"{path}: {message}");

    private static string Form(JsonValueKind kind) => kind switch
    {
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "bool",
        JsonValueKind.Object => "map[string]interface {}",
        _ => "[]interface {}",
    };

    // A value as Go prints the wrapper it is in.
    private static string Shown(JsonNode value) => $"&value.valueUnstructured{{Value:{Inner(value)}}}";

    private static string Inner(JsonNode value) => value switch
    {
        JsonObject => "map[string]interface {}{...}",
        JsonArray => "[]interface {}{...}",
        JsonValue v when v.TryGetValue<string>(out var text) => GoText.Quote(text),
        _ => value.ToJsonString(),
    };
}
