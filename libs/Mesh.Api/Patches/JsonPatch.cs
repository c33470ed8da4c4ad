using System.Text.Json.Nodes;

namespace Mesh.Api.Patches;

/// <summary>RFC 6902: a list of operations on a JSON document, applied all or not at all.</summary>
public static class JsonPatch
{
    /// <summary>More operations than this in one patch are refused.</summary>
    public const int MaxOperations = 10_000;

    /// <summary>More than this is not copied about by one patch, bytes.</summary>
    public const long MaxCopied = 3 * 1024 * 1024;

    /// <summary>Applies a patch and answers the new document; <paramref name="document"/> is used up.</summary>
    /// <exception cref="ApiException">400 for a body that is no JSON patch, 413 for too many operations, 422 for one that does not apply.</exception>
    public static JsonNode? Apply(JsonNode document, ReadOnlySpan<byte> patch)
    {
        var operations = Read(patch);
        if (operations.Count > MaxOperations)
        {
            throw Statuses.RequestEntityTooLarge(
                $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {operations.Count}").ToException();
        }

        JsonNode? root = document;
        var copied = 0L;
        foreach (var operation in operations)
        {
            var failure = operation is null ? "Unexpected kind: unknown" : ApplyOne(ref root, operation, ref copied);
            if (failure is not null)
                throw new ApiException(Statuses.Unprocessable(), new FormatException(failure));
        }

        return root;
    }

    // null is a patch of no operations, and an operation that is null one of no kind.
    private static List<JsonObject?> Read(ReadOnlySpan<byte> patch)
    {
        var node = PatchBody.ReadValue(patch);
        if (node is null)
            return [];
        if (node is not JsonArray list)
            throw Statuses.BadRequest($"error decoding patch: json: cannot unmarshal {GoKinds.JsonName(node)} into Go value of type []interface {{}}").ToException();
        var operations = new List<JsonObject?>(list.Count);
        foreach (var item in list)
        {
            if (item is not (JsonObject or null))
                throw Statuses.BadRequest($"json: cannot unmarshal {GoKinds.JsonName(item)} into Go value of type jsonpatch.Operation").ToException();
            operations.Add(item as JsonObject);
        }

        return operations;
    }

    private static string? ApplyOne(ref JsonNode? root, JsonObject operation, ref long copied)
    {
        var op = Text(operation, "op");
        if (Text(operation, "path") is not { } pathText || JsonPointer.Parse(pathText) is not { } path)
            return $"{op} operation does not apply: path is missing or wrong";

        switch (op)
        {
            case "add":
                return Add(root, path, operation["value"]?.DeepClone());
            case "remove":
                return Remove(ref root, path, out _);
            case "replace":
                return Replace(ref root, path, operation["value"]?.DeepClone());
            case "move" or "copy":
                if (Text(operation, "from") is not { } fromText || JsonPointer.Parse(fromText) is not { } from)
                    return $"{op} operation does not apply: from is missing or wrong";
                JsonNode? value;
                if (op == "move")
                {
                    if ((path.Text + "/").StartsWith(from.Text + "/", StringComparison.Ordinal) && path.Text != from.Text)
                        return "move operation does not apply: a value cannot move into itself";
                    if (Remove(ref root, from, out value) is { } failure)
                        return failure;
                }
                else if (from.IsRoot || !Find(root, from, out value))
                {
                    return $"copy operation does not apply: doc is missing from path: {from.Text}";
                }
                else
                {
                    copied += value is null ? 0 : System.Text.Encoding.UTF8.GetByteCount(value.ToJsonString(GoText.Json));
                    if (copied > MaxCopied)
                        return $"Unable to complete the copy, the accumulated size increase of the copy operations is {copied}, exceeding the limit {MaxCopied}";
                }

                return Add(root, path, value?.DeepClone());
            case "test":
                return Find(root, path, out var actual) && JsonNode.DeepEquals(actual, operation["value"]) ? null : $"testing path {path.Text} failed";
            default:
                return $"unexpected kind: {op}";
        }
    }

    private static string? Text(JsonObject operation, string name) => operation[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static bool Find(JsonNode? root, JsonPointer path, out JsonNode? value)
    {
        value = root;
        if (path.IsRoot)
            return true;
        switch (path.Parent(root))
        {
            case JsonObject map:
                // A test for null holds for an absent property too, as in Kubernetes.
                map.TryGetPropertyValue(path.Last, out value);
                return true;
            case JsonArray list when JsonPointer.Index(path.Last, list.Count, out var index) && index < list.Count:
                value = list[index];
                return true;
            default:
                return false;
        }
    }

    // The whole document has no place to be added at.
    private static string? Add(JsonNode? root, JsonPointer path, JsonNode? value)
    {
        switch (path.IsRoot ? null : path.Parent(root))
        {
            case JsonObject map:
                map[path.Last] = value;
                return null;
            case JsonArray list when path.Last == "-":
                list.Add(value);
                return null;
            case JsonArray list when JsonPointer.Index(path.Last, list.Count + 1, out var index) && index <= list.Count:
                list.Insert(index, value);
                return null;
            default:
                return $"add operation does not apply: doc is missing path: \"{path.Text}\": missing value";
        }
    }

    private static string? Replace(ref JsonNode? root, JsonPointer path, JsonNode? value)
    {
        if (path.IsRoot)
        {
            if (value is not (JsonObject or JsonArray))
                return "replace operation value must be object or array";
            root = value;
            return null;
        }

        switch (path.Parent(root))
        {
            // As in Kubernetes, what is not there is put there.
            case JsonObject map:
                map[path.Last] = value;
                return null;
            case JsonArray list when JsonPointer.Index(path.Last, list.Count, out var index) && index < list.Count:
                list[index] = value;
                return null;
            default:
                return $"replace operation does not apply: doc is missing key: {path.Text}: missing value";
        }
    }

    private static string? Remove(ref JsonNode? root, JsonPointer path, out JsonNode? removed)
    {
        removed = null;
        if (!path.IsRoot)
        {
            switch (path.Parent(root))
            {
                case JsonObject map when map.ContainsKey(path.Last):
                    removed = map[path.Last];
                    map.Remove(path.Last);
                    return null;
                case JsonArray list when JsonPointer.Index(path.Last, list.Count, out var index) && index < list.Count:
                    removed = list[index];
                    list.RemoveAt(index);
                    return null;
            }
        }

        return $"remove operation does not apply: doc is missing path: \"{path.Text}\": missing value";
    }
}
