using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api.Apply;

/// <summary>What a change did to the fields of an object.</summary>
/// <param name="Set">Fields that are new or have another value.</param>
/// <param name="Removed">Fields that are gone.</param>
public readonly record struct FieldChanges(FieldSet Set, FieldSet Removed)
{
    /// <summary>Nothing changed.</summary>
    public static FieldChanges None { get; } = new(FieldSet.Empty, FieldSet.Empty);

    /// <summary>Whether nothing changed.</summary>
    public bool IsEmpty => Set.IsEmpty && Removed.IsEmpty;

    /// <summary>Without the given paths and what is below them.</summary>
    internal FieldChanges Except(FieldSet paths) => paths.IsEmpty ? this : new(Set.ExceptBelow(paths), Removed.ExceptBelow(paths));
}

/// <summary>
/// Compares two states of an object, once, field by field. The old one is read in place from its bytes: a tree of it would cost more than
/// the comparison.
/// </summary>
internal static class TreeCompare
{
    /// <summary>What changed from one tree to another.</summary>
    public static FieldChanges Changes(ApplyPlan plan, JsonObject was, JsonObject now)
    {
        using var document = JsonSerializer.SerializeToDocument(was, Deep);
        return Changes(plan, document.RootElement, now);
    }

    /// <summary>What changed from was to now.</summary>
    public static FieldChanges Changes(ApplyPlan plan, JsonElement was, JsonNode? now)
    {
        switch (plan.Kind)
        {
            case PlanKind.Struct or PlanKind.Map or PlanKind.Deduced when was.ValueKind == JsonValueKind.Object && now is JsonObject right:
                return Objects(plan, was, right);
            case PlanKind.Set or PlanKind.Keyed when was.ValueKind == JsonValueKind.Array && now is JsonArray right:
                if (SamePlaces(plan, was, right)) return FieldChanges.None;
                return Lists(plan, was, right);
            case PlanKind.Set or PlanKind.Keyed when was.ValueKind == JsonValueKind.Null && now is JsonArray:
                return new(TreeFields.Whole(plan, now, fresh: false), FieldSet.Empty);
            case PlanKind.Set or PlanKind.Keyed when was.ValueKind == JsonValueKind.Array && now is null:
                return new(FieldSet.Empty, TreeFields.Whole(plan, Tree(was), fresh: false));
            default:
                return Same(was, now) ? FieldChanges.None : new(FieldSet.Leaf, FieldSet.Empty);
        }
    }

    /// <summary>Whether a value in bytes and a tree are equal.</summary>
    public static bool Same(JsonElement was, JsonNode? now)
    {
        switch (now)
        {
            case null:
                return was.ValueKind == JsonValueKind.Null;
            case JsonObject obj:
                if (was.ValueKind != JsonValueKind.Object || was.GetPropertyCount() != obj.Count) return false;
                foreach (var (name, value) in obj)
                {
                    if (!was.TryGetProperty(name, out var before) || !Same(before, value)) return false;
                }

                return true;
            case JsonArray list:
                if (was.ValueKind != JsonValueKind.Array || was.GetArrayLength() != list.Count) return false;
                var i = 0;
                foreach (var item in was.EnumerateArray())
                {
                    if (!Same(item, list[i++])) return false;
                }

                return true;
            default:
                return SameScalar(was, (JsonValue)now);
        }
    }

    private static bool SameScalar(JsonElement was, JsonValue now)
    {
        switch (was.ValueKind)
        {
            case JsonValueKind.String:
                return now.TryGetValue<string>(out var text) ? was.ValueEquals(text) : JsonNode.DeepEquals(JsonValue.Create(was), now);
            case JsonValueKind.True or JsonValueKind.False:
                return now.GetValueKind() == was.ValueKind;
            case JsonValueKind.Number when was.TryGetInt64(out var left) && now.TryGetValue<long>(out var right):
                return left == right;
            default:
                return JsonNode.DeepEquals(JsonValue.Create(was), now);
        }
    }

    private static FieldChanges Objects(ApplyPlan plan, JsonElement was, JsonObject now)
    {
        var (set, removed) = (default(FieldSetBuilder), default(FieldSetBuilder));
        var shared = 0;
        foreach (var (name, value) in now)
        {
            var had = was.TryGetProperty(name, out var before);
            if (had) shared++;
            if (!Describe(plan, name, out var element, out var inner)) continue;
            if (!had)
            {
                if (value is null && plan.Kind == PlanKind.Struct) continue; // a field of a struct that is null is not set
                set.Add(element ?? PathElement.Field(name), TreeFields.Whole(inner, value, fresh: true));
                continue;
            }

            var changes = Changes(inner, before, value);
            if (changes.IsEmpty) continue;
            element ??= PathElement.Field(name);
            set.Add(element, changes.Set);
            removed.Add(element, changes.Removed);
        }

        if (shared < was.GetPropertyCount())
        {
            foreach (var property in was.EnumerateObject())
            {
                var name = property.Name;
                if (now.ContainsKey(name) || !Describe(plan, name, out var element, out var inner)) continue;
                if (property.Value.ValueKind == JsonValueKind.Null && plan.Kind == PlanKind.Struct) continue;
                removed.Add(element ?? PathElement.Field(name), TreeFields.Whole(inner, Tree(property.Value), fresh: true));
            }
        }

        return Result(set, removed);
    }

    private static bool Describe(ApplyPlan plan, string name, out string? element, out ApplyPlan inner)
    {
        if (plan.Kind != PlanKind.Struct)
        {
            (element, inner) = (null, plan.Item);
            return true;
        }

        if (plan.Find(name) is { } field)
        {
            (element, inner) = (field.Element, field.Plan);
            return field.Tracked;
        }

        (element, inner) = (null, plan.Additional ?? ApplyPlan.Deduced);
        return plan.Additional is not null;
    }

    /// <summary>Whether the items are the same, one by one: the usual case, told without names.</summary>
    private static bool SamePlaces(ApplyPlan plan, JsonElement was, JsonArray now)
    {
        if (was.GetArrayLength() != now.Count) return false;
        var i = 0;
        foreach (var before in was.EnumerateArray())
        {
            var after = now[i++];
            if (plan.Kind == PlanKind.Set ? !Same(before, after) : !SameKeys(plan, before, after) || !Changes(plan.Item, before, after).IsEmpty) return false;
        }

        return true;
    }

    private static bool SameKeys(ApplyPlan plan, JsonElement was, JsonNode? now)
    {
        if (was.ValueKind != JsonValueKind.Object || now is not JsonObject obj) return false;
        foreach (var key in plan.Keys)
        {
            var (before, after) = (was.TryGetProperty(key, out var left), obj[key]);
            if (before != after is not null || (before && !Same(left, after))) return false;
        }

        return true;
    }

    private static FieldChanges Lists(ApplyPlan plan, JsonElement was, JsonArray now)
    {
        var (set, removed) = (default(FieldSetBuilder), default(FieldSetBuilder));
        var before = new Dictionary<string, List<JsonElement>>(was.GetArrayLength(), StringComparer.Ordinal);
        foreach (var item in was.EnumerateArray())
        {
            if (plan.Name(item) is not { } name) continue;
            if (before.TryGetValue(name, out var same)) same.Add(item);
            else before.Add(name, [item]);
        }

        var after = new ListIndex(plan, now);
        foreach (var name in after.Names)
        {
            var right = after.Find(name)!;
            if (!before.TryGetValue(name, out var left))
            {
                set.Add(name, right.Count > 1 ? FieldSet.Leaf : TreeFields.Whole(plan.Item, right[0], fresh: true));
            }
            else if (left.Count == 1 && right.Count == 1)
            {
                var changes = Changes(plan.Item, left[0], right[0]);
                set.Add(name, changes.Set);
                removed.Add(name, changes.Removed);
            }
            else if (left.Count != right.Count || !left.Zip(right, Same).All(static same => same))
            {
                // Doubled items are one thing that is owned as a whole.
                set.Add(name, right.Count > 1 ? FieldSet.Leaf : TreeFields.Whole(plan.Item, right[0], fresh: true));
                if (left.Count == 1) removed.Add(name, TreeFields.Whole(plan.Item, Tree(left[0]), fresh: true));
            }
        }

        foreach (var (name, left) in before)
        {
            if (after.Find(name) is null) removed.Add(name, left is [var only] ? TreeFields.Whole(plan.Item, Tree(only), fresh: true) : FieldSet.Leaf);
        }

        return Result(set, removed);
    }

    private static FieldChanges Result(FieldSetBuilder set, FieldSetBuilder removed) =>
        set.Any || removed.Any ? new(set.ToSet(member: false), removed.ToSet(member: false)) : FieldChanges.None;

    private static JsonNode? Tree(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(value.Clone()),
        JsonValueKind.Array => JsonArray.Create(value.Clone()),
        JsonValueKind.Null => null,
        _ => JsonValue.Create(value.Clone()),
    };

    private static readonly JsonSerializerOptions Deep = new() { MaxDepth = 512 };
}

/// <summary>The items of a set or keyed list by name, in their order. Items without a name (they are refused elsewhere) are left out.</summary>
internal readonly struct ListIndex
{
    private readonly Dictionary<string, List<JsonNode?>> byName;

    public ListIndex(ApplyPlan plan, JsonArray list)
    {
        byName = new(list.Count, StringComparer.Ordinal);
        Names = new(list.Count);
        foreach (var item in list)
        {
            if (plan.Name(item) is not { } name) continue;
            if (byName.TryGetValue(name, out var same))
            {
                same.Add(item);
                continue;
            }

            byName.Add(name, [item]);
            Names.Add(name);
        }
    }

    /// <summary>The names, each once, in the order of their first items.</summary>
    public List<string> Names { get; }

    /// <summary>The items of a name; null when there are none.</summary>
    public List<JsonNode?>? Find(string name) => byName.GetValueOrDefault(name);
}
