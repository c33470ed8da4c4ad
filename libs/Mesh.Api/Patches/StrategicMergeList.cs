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
        CheckItems(original, patch);
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
        CheckItems(original, patch);
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
            if (item is not JsonObject map || !map.TryGetPropertyValue(StrategicMergePatch.Directive, out var directive))
            {
                rest.Add(item);
                continue;
            }

            switch (directive?.ToString())
            {
                case "delete":
                    var key = Key(item, mergeKey) ?? throw Keyless(item, mergeKey);
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
                    throw StrategicMergePatch.Refuse("merging lists cannot yet be specified in the patch");
                default:
                    throw StrategicMergePatch.UnknownDirective((JsonObject)item!);
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
        if (patch.Count == 0 || order.Count == 0)
            return;
        var items = patch.Where(static item => item is not JsonObject map || !map.ContainsKey(StrategicMergePatch.Directive)).ToArray();
        var at = 0;
        for (var i = 0; i < order.Count && at < items.Length; i++)
        {
            if (IsSame(items[at], order[i], mergeKey))
                at++;
        }

        if (at < items.Length)
        {
            throw StrategicMergePatch.Refuse(
                $"The order in patch list:\n{GoText.Value(patch)}\n doesn't match {StrategicMergePatch.SetElementOrder[..^1]} list:\n{GoText.Value(order)}\n");
        }
    }

    private static bool IsSame(JsonNode? left, JsonNode? right, string? mergeKey) =>
        string.IsNullOrEmpty(mergeKey) ? JsonNode.DeepEquals(left, right) : JsonNode.DeepEquals(KeyOf(left, mergeKey), KeyOf(right, mergeKey));

    private static JsonNode? KeyOf(JsonNode? item, string mergeKey)
    {
        if (item is not JsonObject map)
            throw StrategicMergePatch.Refuse("expected a map[string]interface {}, but received a " + GoKinds.Type(item));
        return map.TryGetPropertyValue(mergeKey, out var key) ? key : throw Keyless(map, mergeKey);
    }

    private static ApiException Keyless(JsonNode? item, string? mergeKey) => StrategicMergePatch.Refuse($"map: {GoText.Value(item)} does not contain declared merge key: {mergeKey}");

    // All items are of one sort; lists in lists are nothing that merges.
    private static void CheckItems(JsonArray original, JsonArray patch)
    {
        var kind = "";
        foreach (var item in original.Concat(patch))
        {
            var next = GoKinds.Kind(item);
            if (kind.Length == 0 && next == "slice")
                throw Statuses.Unprocessable().ToException();
            if (kind.Length > 0 && next != kind)
                throw StrategicMergePatch.Refuse($"list element types are not identical: [{GoText.Value(original)} {GoText.Value(patch)}]");
            kind = next;
        }
    }

    private static JsonNode? Key(JsonNode? item, string? mergeKey) => mergeKey is null ? null : (item as JsonObject)?[mergeKey];

    private static int IndexOf(JsonArray list, JsonNode? item, string? mergeKey, bool required = false)
    {
        var byKey = item is JsonObject && mergeKey is not null;
        var wanted = byKey ? Key(item, mergeKey) : item;
        if (required && (mergeKey is null || wanted is null))
        {
            throw mergeKey is null ? StrategicMergePatch.Refuse("cannot merge lists without merge key") : Keyless(item, mergeKey);
        }

        for (var i = 0; i < list.Count; i++)
        {
            if (byKey && list[i] is not JsonObject)
                throw StrategicMergePatch.Refuse($"value for key {i} is not a map");
            if (JsonNode.DeepEquals(byKey ? Key(list[i], mergeKey) : list[i], wanted))
                return i;
        }

        return -1;
    }
}
