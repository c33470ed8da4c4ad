using System.Text.Json.Nodes;

namespace Mesh.Api.Patches;

/// <summary>
/// Kubernetes' strategic merge: as a merge patch, but lists whose items have a name merge by it, and directives in the patch say
/// more: $patch (replace, delete), $retainKeys, $setElementOrder/LIST, $deleteFromPrimitiveList/LIST.
/// </summary>
public static class StrategicMergePatch
{
    internal const string Directive = "$patch";
    internal const string RetainKeys = "$retainKeys";
    internal const string DeleteFromPrimitiveList = "$deleteFromPrimitiveList/";
    internal const string SetElementOrder = "$setElementOrder/";

    /// <summary>Applies a patch and answers the new document; <paramref name="document"/> is used up.</summary>
    /// <exception cref="ApiException">400 for a body that is no object or directives of another form, 500 (Kubernetes' own) for directives that make no sense.</exception>
    public static JsonObject Apply(JsonObject document, ReadOnlySpan<byte> patch, IPatchSchema? schema) => Merge(document, PatchBody.ReadStrategic(patch), schema);

    /// <summary>Merges <paramref name="patch"/> into <paramref name="original"/>; both are used up.</summary>
    internal static JsonObject Merge(JsonObject original, JsonObject patch, IPatchSchema? schema)
    {
        if (patch.TryGetPropertyValue(Directive, out var directive))
        {
            switch (directive?.ToString())
            {
                case "replace":
                    patch.Remove(Directive);
                    return Clean(patch);
                case "delete":
                    return [];
                default:
                    throw UnknownDirective(patch);
            }
        }

        Retain(original, patch);
        MergeOrderedLists(original, patch, schema);

        foreach (var (name, value) in patch.ToArray())
        {
            if (name.StartsWith(DeleteFromPrimitiveList, StringComparison.Ordinal))
                StrategicMergeList.Delete(original[name[DeleteFromPrimitiveList.Length..]] as JsonArray, value as JsonArray);
            else
                MergeField(original, patch, name, value, schema?.Field(name) ?? default);
        }

        return original;
    }

    /// <summary>A value of the patch that is new to the document: without directives and nulls.</summary>
    internal static T Clean<T>(T node)
        where T : JsonNode
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (name, value) in map.ToArray())
                {
                    if (value is null || name is Directive or RetainKeys || name.StartsWith(SetElementOrder, StringComparison.Ordinal)
                        || name.StartsWith(DeleteFromPrimitiveList, StringComparison.Ordinal))
                        map.Remove(name);
                    else
                        Clean(value);
                }

                break;
            case JsonArray list:
                for (var i = list.Count - 1; i >= 0; i--)
                {
                    if (list[i] is JsonObject item && item[Directive] is not null && (item.Count <= 1 || item[Directive]!.ToString() == "delete"))
                        list.RemoveAt(i);
                    else if (list[i] is { } child)
                        Clean(child);
                }

                break;
        }

        return node;
    }

    internal static ApiException Bad(string message) => Statuses.BadRequest(message).ToException();

    /// <summary>A refusal that Kubernetes has no class for.</summary>
    internal static ApiException Refuse(string message) => Statuses.Unclassified(message).ToException();

    internal static ApiException UnknownDirective(JsonObject map) => Refuse($"unknown patch type: {GoKinds.Text(map[Directive])} in map: {GoText.Value(map)}");

    internal static ApiException NoList(JsonNode? found) => Refuse("expected a []interface {}, but received a " + GoKinds.Type(found));

    private static void MergeField(JsonObject original, JsonObject patch, string name, JsonNode? value, PatchField field)
    {
        if (value is null)
        {
            original.Remove(name);
            return;
        }

        patch.Remove(name);
        switch (original[name], value)
        {
            case (JsonObject was, JsonObject change) when !field.Replace:
                original.Remove(name);
                original[name] = Merge(was, change, field.Type);
                break;
            case (JsonArray was, JsonArray change) when field.Merge:
                original.Remove(name);
                original[name] = StrategicMergeList.Merge(was, change, field);
                break;
            default:
                original[name] = Clean(value);
                break;
        }
    }

    // Only the listed keys of the original stay; the patch may not speak of others.
    private static void Retain(JsonObject original, JsonObject patch)
    {
        if (patch[RetainKeys] is not { } node)
            return;
        if (node is not JsonArray list)
            throw Bad("invalid patch format of retainKeys");
        patch.Remove(RetainKeys);
        var keep = list.Select(n => n?.ToString()).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, value) in patch)
        {
            if (value is not null && !name.StartsWith('$') && !keep.Contains(name))
                throw Bad("invalid patch format of retainKeys");
        }

        foreach (var (name, _) in original.ToArray())
        {
            if (!keep.Contains(name))
                original.Remove(name);
        }
    }

    private static void MergeOrderedLists(JsonObject original, JsonObject patch, IPatchSchema? schema)
    {
        foreach (var (marker, order) in patch.ToArray())
        {
            if (!marker.StartsWith(SetElementOrder, StringComparison.Ordinal))
                continue;
            var name = marker[SetElementOrder.Length..];
            patch.Remove(marker);
            if (order is not JsonArray orderList)
                throw NoList(order);
            if (original[name] is { } present and not JsonArray)
                throw NoList(present);
            if (patch.TryGetPropertyValue(name, out var change) && change is not JsonArray)
                throw NoList(change);
            if (schema?.Lacks(name) is { } owner)
                throw Refuse($"unable to find api field in struct {owner} for the json field {GoText.Quote(name)}");

            var deleteMarker = DeleteFromPrimitiveList + name;
            if (patch[deleteMarker] is JsonArray deleted)
            {
                patch.Remove(deleteMarker);
                StrategicMergeList.Delete(original[name] as JsonArray, deleted);
            }

            var was = original[name] as JsonArray;
            if (was is null && change is null)
                continue;

            patch.Remove(name);
            original.Remove(name);
            original[name] = StrategicMergeList.MergeOrdered(was ?? [], change as JsonArray ?? [], orderList, schema?.Field(name) ?? default);
        }
    }
}
