using System.Text.Json.Nodes;
using Mesh.Api.Patches;

namespace Mesh.Api.Tests.Patches;

/// <summary>Makes patches that lead from one object to another, as a client does that knows both.</summary>
internal static class PatchDiff
{
    /// <summary>RFC 6902; lists are replaced whole.</summary>
    public static JsonArray Json(JsonNode from, JsonNode to, string path = "")
    {
        var steps = new JsonArray();
        if (JsonNode.DeepEquals(from, to)) return steps;
        if (from is not JsonObject before || to is not JsonObject after)
        {
            steps.Add(Step("replace", path, to));
            return steps;
        }

        foreach (var (name, value) in before)
        {
            var at = $"{path}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
            if (!after.TryGetPropertyValue(name, out var now)) steps.Add(Step("remove", at, null));
            else foreach (var step in Json(value!, now!, at)) steps.Add(step!.DeepClone());
        }

        foreach (var (name, value) in after.Where(p => !before.ContainsKey(p.Key)))
            steps.Add(Step("add", $"{path}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}", value));
        return steps;
    }

    /// <summary>RFC 7386.</summary>
    public static JsonObject Merge(JsonObject from, JsonObject to) => Strategic(from, to, null);

    /// <summary>Kubernetes' strategic merge with $patch, $setElementOrder and $deleteFromPrimitiveList where the schema has lists that merge; without a schema a merge patch.</summary>
    public static JsonObject Strategic(JsonObject from, JsonObject to, IPatchSchema? schema)
    {
        var patch = new JsonObject();
        foreach (var (name, _) in from.Where(p => !to.ContainsKey(p.Key))) patch[name] = null;
        foreach (var (name, now) in to)
        {
            var was = from[name];
            if (JsonNode.DeepEquals(was, now)) continue;
            var field = schema?.Field(name) ?? default;
            switch (was, now)
            {
                case (JsonObject before, JsonObject after) when !field.Replace:
                    patch[name] = Strategic(before, after, field.Type);
                    break;
                case (JsonArray before, JsonArray after) when field.Merge && field.MergeKey is { } key:
                    patch["$setElementOrder/" + name] = new JsonArray([.. after.Select(i => new JsonObject { [key] = i![key]!.DeepClone() })]);
                    patch[name] = Items(before, after, key, field.Type);
                    break;
                case (JsonArray before, JsonArray after) when field.Merge:
                    patch["$setElementOrder/" + name] = after.DeepClone();
                    patch["$deleteFromPrimitiveList/" + name] = new JsonArray([.. before.Where(b => !Has(after, b)).Select(b => b!.DeepClone())]);
                    patch[name] = new JsonArray([.. after.Where(a => !Has(before, a)).Select(a => a!.DeepClone())]);
                    break;
                default:
                    patch[name] = now!.DeepClone();
                    break;
            }
        }

        return patch;
    }

    private static JsonArray Items(JsonArray before, JsonArray after, string key, IPatchSchema? type)
    {
        var changes = new JsonArray();
        foreach (var item in after.Cast<JsonObject>())
        {
            var was = before.Cast<JsonObject>().FirstOrDefault(b => JsonNode.DeepEquals(b[key], item[key]));
            if (was is null)
            {
                changes.Add(item.DeepClone());
                continue;
            }

            var change = Strategic(was, item, type);
            if (change.Count == 0) continue;
            change[key] = item[key]!.DeepClone();
            changes.Add(change);
        }

        foreach (var gone in before.Cast<JsonObject>().Where(b => !after.Any(a => JsonNode.DeepEquals(a![key], b[key]))))
            changes.Add(new JsonObject { ["$patch"] = "delete", [key] = gone[key]!.DeepClone() });
        return changes;
    }

    private static bool Has(JsonArray list, JsonNode? value) => list.Any(v => JsonNode.DeepEquals(v, value));

    private static JsonObject Step(string op, string path, JsonNode? value)
    {
        var step = new JsonObject { ["op"] = op, ["path"] = path };
        if (value is not null) step["value"] = value.DeepClone();
        return step;
    }
}
