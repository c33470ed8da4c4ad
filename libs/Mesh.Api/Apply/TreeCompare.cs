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

/// <summary>Compares two trees of a kind, once, field by field.</summary>
internal static class TreeCompare
{
    /// <summary>What changed from was to now.</summary>
    public static FieldChanges Changes(ApplyPlan plan, JsonNode? was, JsonNode? now)
    {
        switch (plan.Kind)
        {
            case PlanKind.Struct or PlanKind.Map or PlanKind.Deduced when was is JsonObject left && now is JsonObject right && left.Count + right.Count > 0:
                return Objects(plan, left, right);
            case PlanKind.Set or PlanKind.Keyed when was is JsonArray left && now is JsonArray right && left.Count + right.Count > 0:
                return Lists(plan, left, right);
            default:
                return JsonNode.DeepEquals(was, now) ? FieldChanges.None : new(FieldSet.Leaf, FieldSet.Empty);
        }
    }

    private static FieldChanges Objects(ApplyPlan plan, JsonObject was, JsonObject now)
    {
        var (set, removed) = (default(FieldSetBuilder), default(FieldSetBuilder));
        var shared = 0;
        foreach (var (name, value) in now)
        {
            var had = was.TryGetPropertyValue(name, out var before);
            if (had) shared++;
            if (!Describe(plan, name, out var element, out var inner)) continue;
            if (!had)
            {
                set.Add(element ?? PathElement.Field(name), TreeFields.Whole(inner, value, fresh: true));
                continue;
            }

            var changes = Changes(inner, before, value);
            if (changes.IsEmpty) continue;
            element ??= PathElement.Field(name);
            set.Add(element, changes.Set);
            removed.Add(element, changes.Removed);
        }

        if (shared < was.Count)
        {
            foreach (var (name, value) in was)
            {
                if (now.ContainsKey(name) || !Describe(plan, name, out var element, out var inner)) continue;
                removed.Add(element ?? PathElement.Field(name), TreeFields.Whole(inner, value, fresh: true));
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

    private static FieldChanges Lists(ApplyPlan plan, JsonArray was, JsonArray now)
    {
        var (set, removed) = (default(FieldSetBuilder), default(FieldSetBuilder));
        var before = new ListIndex(plan, was);
        var after = new ListIndex(plan, now);
        foreach (var name in after.Names)
        {
            var (left, right) = (before.Find(name), after.Find(name));
            if (left is null)
            {
                set.Add(name, right!.Count > 1 ? FieldSet.Leaf : TreeFields.Whole(plan.Item, right[0], fresh: true));
            }
            else if (left.Count == 1 && right!.Count == 1)
            {
                var changes = Changes(plan.Item, left[0], right[0]);
                set.Add(name, changes.Set);
                removed.Add(name, changes.Removed);
            }
            else if (!left.SequenceEqual(right!, NodeEquality.Instance))
            {
                // Doubled items are one thing that is owned as a whole.
                set.Add(name, right!.Count > 1 ? FieldSet.Leaf : TreeFields.Whole(plan.Item, right[0], fresh: true));
                if (left.Count == 1) removed.Add(name, TreeFields.Whole(plan.Item, left[0], fresh: true));
            }
        }

        foreach (var name in before.Names)
        {
            if (after.Find(name) is null)
                removed.Add(name, before.Find(name) is [var only] ? TreeFields.Whole(plan.Item, only, fresh: true) : FieldSet.Leaf);
        }

        return Result(set, removed);
    }

    private static FieldChanges Result(FieldSetBuilder set, FieldSetBuilder removed) =>
        set.Any || removed.Any ? new(set.ToSet(member: false), removed.ToSet(member: false)) : FieldChanges.None;

    private sealed class NodeEquality : IEqualityComparer<JsonNode?>
    {
        public static NodeEquality Instance { get; } = new();

        public bool Equals(JsonNode? x, JsonNode? y) => JsonNode.DeepEquals(x, y);

        public int GetHashCode(JsonNode? obj) => 0;
    }
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
