using System.Text.Json.Nodes;

namespace Mesh.Api.Patches;

/// <summary>
/// Lists in a strategic merge. Items the patch names come in the patch's order; items only the document has keep their place
/// relative to the named ones that were there before.
/// </summary>
internal static class StrategicMergeList
{
    /// <summary>Merges a list; both arguments are used up.</summary>
    internal static JsonArray Merge(JsonArray original, JsonArray patch, PatchField field)
    {
        var before = original.DeepClone().AsArray();
        var changes = ApplySpecials(original, patch, field.MergeKey, out var replaced);
        if (replaced)
            return StrategicMergePatch.Clean(changes);
        var order = changes.DeepClone().AsArray();
        before = field.MergeKey is null ? before : Only(before, original, field.MergeKey);
        return Arrange(MergeItems(original, changes, field), order, before, field.MergeKey);
    }

    /// <summary>Merges a list that comes with $setElementOrder.</summary>
    internal static JsonArray MergeOrdered(JsonArray original, JsonArray patch, JsonArray order, PatchField field)
    {
        CheckOrder(patch, order, field.MergeKey);
        var before = original.DeepClone().AsArray();
        var changes = ApplySpecials(original, patch, field.MergeKey, out var replaced);
        var merged = replaced ? StrategicMergePatch.Clean(changes) : MergeItems(original, changes, field);
        return Arrange(merged, order, before, field.MergeKey);
    }

    /// <summary>Takes scalars out of a list.</summary>
    internal static void Delete(JsonArray? list, JsonArray? values)
    {
        for (var i = (list?.Count ?? 0) - 1; i >= 0 && values is not null; i--)
        {
            if (values.Any(v => JsonNode.DeepEquals(v, list![i])))
                list!.RemoveAt(i);
        }
    }

    // $patch items: delete takes the item of that key out, replace makes the rest of the patch the whole list.
    private static JsonArray ApplySpecials(JsonArray original, JsonArray patch, string? mergeKey, out bool replaced)
    {
        replaced = false;
        var rest = new JsonArray();
        while (patch.Count > 0)
        {
            var item = patch[0];
            patch.RemoveAt(0);
            switch (item is JsonObject map ? map[StrategicMergePatch.Directive]?.ToString() : null)
            {
                case null:
                    rest.Add(item);
                    break;
                case "delete":
                    var key = Key(item, mergeKey) ?? throw StrategicMergePatch.Bad("delete patch type with no merge key defined");
                    for (var i = original.Count - 1; i >= 0; i--)
                    {
                        if (JsonNode.DeepEquals(Key(original[i], mergeKey), key))
                            original.RemoveAt(i);
                    }

                    break;
                case "replace":
                    replaced = true;
                    break;
                case "merge":
                    throw StrategicMergePatch.Bad("merging lists cannot yet be specified in the patch");
                case var other:
                    throw StrategicMergePatch.Bad($"unknown patch type: {other} in map");
            }
        }

        return rest;
    }

    private static JsonArray MergeItems(JsonArray original, JsonArray changes, PatchField field)
    {
        while (changes.Count > 0)
        {
            var change = changes[0];
            changes.RemoveAt(0);
            var at = IndexOf(original, change, field.MergeKey, required: change is JsonObject);
            if (change is JsonObject map)
            {
                if (at >= 0 && original[at] is JsonObject was)
                {
                    // Take the item out, merge, put it back at its place.
                    original.RemoveAt(at);
                    original.Insert(at, StrategicMergePatch.Merge(was, map, field.Type));
                }
                else
                {
                    original.Add(StrategicMergePatch.Clean(map));
                }
            }
            else if (at < 0)
            {
                original.Add(change);
            }
        }

        return original;
    }

    private static JsonArray Arrange(JsonArray merged, JsonArray patchOrder, JsonArray serverOrder, string? mergeKey)
    {
        var named = new List<(int Rank, JsonNode? Item)>();
        var others = new List<JsonNode?>();
        while (merged.Count > 0)
        {
            var item = merged[0];
            merged.RemoveAt(0);
            var rank = IndexOf(patchOrder, item, mergeKey);
            if (rank >= 0)
                named.Add((rank, item));
            else
                others.Add(item);
        }

        var result = new JsonArray();
        var ordered = named.OrderBy(n => n.Rank).Select(n => n.Item).ToList();
        var (left, right) = (0, 0);
        while (left < others.Count || right < ordered.Count)
        {
            var takeLeft = right >= ordered.Count;
            if (!takeLeft && left < others.Count)
            {
                var leftRank = IndexOf(serverOrder, others[left], mergeKey);
                var rightRank = IndexOf(serverOrder, ordered[right], mergeKey);
                takeLeft = leftRank >= 0 && rightRank >= 0 && leftRank < rightRank;
            }

            result.Add(takeLeft ? others[left++] : ordered[right++]);
        }

        return result;
    }

    private static JsonArray Only(JsonArray before, JsonArray present, string mergeKey) =>
        [.. before.Where(b => IndexOf(present, b, mergeKey) >= 0).Select(b => b?.DeepClone())];

    private static void CheckOrder(JsonArray patch, JsonArray order, string? mergeKey)
    {
        var last = -1;
        foreach (var item in patch)
        {
            if (item is JsonObject map && map.ContainsKey(StrategicMergePatch.Directive))
                continue;
            var rank = IndexOf(order, item, mergeKey);
            if (rank < last)
                throw StrategicMergePatch.Bad("The order in patch list doesn't match the $setElementOrder list");
            last = rank;
        }
    }

    private static JsonNode? Key(JsonNode? item, string? mergeKey) => mergeKey is null ? null : (item as JsonObject)?[mergeKey];

    private static int IndexOf(JsonArray list, JsonNode? item, string? mergeKey, bool required = false)
    {
        var byKey = item is JsonObject && mergeKey is not null;
        var wanted = byKey ? Key(item, mergeKey) : item;
        if (required && (mergeKey is null || wanted is null))
        {
            throw StrategicMergePatch.Bad(mergeKey is null
                ? "cannot merge lists without merge key"
                : $"map: {GoText.Value(item)} does not contain declared merge key: {mergeKey}");
        }

        for (var i = 0; i < list.Count; i++)
        {
            if (JsonNode.DeepEquals(byKey ? Key(list[i], mergeKey) : list[i], wanted))
                return i;
        }

        return -1;
    }
}
