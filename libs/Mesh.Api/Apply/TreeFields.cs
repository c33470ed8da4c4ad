using System.Text.Json.Nodes;

namespace Mesh.Api.Apply;

/// <summary>The fields a tree has: as an applier's configuration names them, and as a new object's creator comes to own them.</summary>
internal static class TreeFields
{
    /// <summary>What an applier of the tree owns: its leaves, the items of its lists and maps, and what it says is empty.</summary>
    public static FieldSet Applied(ApplyPlan plan, JsonObject tree) => Applied(plan, (JsonNode?)tree);

    /// <summary>What the creator of an object owns: everything that an empty object of the kind does not have.</summary>
    public static FieldSet Created(ApplyPlan plan, JsonObject tree) => Whole(plan, tree, fresh: false);

    /// <summary>Every path of a value that was not there before, or is not there any more.</summary>
    /// <param name="plan">Plan of the value.</param>
    /// <param name="value">The value.</param>
    /// <param name="fresh">Whether the value itself is one of them; else it was there, empty.</param>
    public static FieldSet Whole(ApplyPlan plan, JsonNode? value, bool fresh)
    {
        var build = default(FieldSetBuilder);
        switch (value)
        {
            case JsonObject obj when plan.Kind == PlanKind.Struct:
                build = new FieldSetBuilder(obj.Count);
                foreach (var (name, child) in obj)
                {
                    if (plan.Find(name) is { } field)
                    {
                        // A null that an empty object shows too is no news either.
                        if (field.Tracked && (child is not null || fresh || !field.InEmpty)) build.Add(field.Element, Whole(field.Plan, child, fresh || !field.InEmpty));
                    }
                    else if (plan.Additional is { } other)
                    {
                        build.Add(PathElement.Field(name), Whole(other, child, fresh: true));
                    }
                }

                // `status: {}` beside nothing is no news.
                return build.ToSet(fresh);
            case JsonObject map when plan.Kind is PlanKind.Map or PlanKind.Deduced:
                build = new FieldSetBuilder(map.Count);
                foreach (var (key, child) in map) build.Add(PathElement.Field(key), Whole(plan.Item, child, fresh: true));
                return build.ToSet(fresh || map.Count == 0);
            case JsonArray list when plan.Kind is PlanKind.Set or PlanKind.Keyed:
                build = new FieldSetBuilder(list.Count);
                foreach (var child in list)
                {
                    if (plan.Name(child) is { } name) build.Add(name, Whole(plan.Item, child, fresh: true));
                }

                return build.ToSet(fresh || list.Count == 0);
            default:
                return FieldSet.Leaf;
        }
    }

    private static FieldSet Applied(ApplyPlan plan, JsonNode? value)
    {
        var build = default(FieldSetBuilder);
        switch (value)
        {
            case JsonObject obj when plan.Kind == PlanKind.Struct:
                build = new FieldSetBuilder(obj.Count);
                foreach (var (name, child) in obj)
                {
                    if (plan.Find(name) is { } field)
                    {
                        if (!field.Tracked) continue;
                        var below = Applied(field.Plan, child);
                        // The metadata itself is nobody's, like the names in it.
                        build.Add(field.Element, child is null or JsonObject { Count: 0 } && !field.Plan.IsObjectMeta ? below.AsMember() : below);
                    }
                    else if (plan.Additional is { } other)
                    {
                        build.Add(PathElement.Field(name), Applied(other, child).AsMember());
                    }
                }

                return build.ToSet(member: false);
            case JsonObject map when plan.Kind is PlanKind.Map or PlanKind.Deduced:
                build = new FieldSetBuilder(map.Count);
                foreach (var (key, child) in map) build.Add(PathElement.Field(key), Applied(plan.Item, child).AsMember());
                return build.ToSet(member: false);
            case JsonArray list when plan.Kind is PlanKind.Set or PlanKind.Keyed:
                build = new FieldSetBuilder(list.Count);
                foreach (var child in list)
                {
                    if (plan.Name(child) is { } name) build.Add(name, Applied(plan.Item, child).AsMember());
                }

                return build.ToSet(member: false);
            default:
                return FieldSet.Leaf;
        }
    }
}
