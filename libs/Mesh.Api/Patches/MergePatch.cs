using System.Text.Json.Nodes;
using Mesh.Api.Codecs;

namespace Mesh.Api.Patches;

/// <summary>RFC 7386: a document whose values replace, whose objects merge and whose nulls delete.</summary>
public static class MergePatch
{
    /// <summary>Applies a patch and answers the new document; <paramref name="document"/> is used up.</summary>
    /// <exception cref="ApiException">400 for a body that is no JSON object.</exception>
    public static JsonObject Apply(JsonObject document, ReadOnlySpan<byte> patch) => Apply(document, PatchBody.Read(patch));

    /// <summary>Applies a patch and answers the new document; <paramref name="document"/> is used up, the patch is not.</summary>
    public static JsonObject Apply(JsonObject document, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    document.Remove(name);
                    break;
                case JsonObject child:
                    if (document[name] is JsonObject existing)
                        Apply(existing, child);
                    else
                        document[name] = Apply([], child);
                    break;
                default:
                    document[name] = value.DeepClone();
                    break;
            }
        }

        return document;
    }
}

/// <summary>Reading of patch bodies.</summary>
internal static class PatchBody
{
    internal static JsonObject Read(ReadOnlySpan<byte> patch) =>
        ReadValue(patch) switch
        {
            JsonObject map => map,
            null => throw Statuses.BadRequest("Invalid JSON Patch").ToException(),
            var other => throw NoMap(other, Prefix),
        };

    /// <summary>A strategic patch, which Kubernetes reads without saying so in its errors and where null is no change.</summary>
    internal static JsonObject ReadStrategic(ReadOnlySpan<byte> patch) =>
        ReadValue(patch, "") switch
        {
            JsonObject map => map,
            null => [],
            var other => throw NoMap(other, ""),
        };

    private const string Prefix = "error decoding patch: ";

    private static ApiException NoMap(JsonNode what, string prefix) =>
        Statuses.BadRequest($"{prefix}json: cannot unmarshal {GoKinds.JsonName(what)} into Go value of type map[string]interface {{}}").ToException();

    internal static JsonNode? ReadValue(ReadOnlySpan<byte> patch, string prefix = Prefix)
    {
        try
        {
            // All of it is read here: a tree that is read as it goes would show broken text and doubled keys where nobody expects them.
            return JsonCodec.DecodeAnyValue(patch);
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.BadRequest(prefix + e.Message), e);
        }
    }
}
