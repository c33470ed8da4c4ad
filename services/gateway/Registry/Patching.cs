using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Patches;
using Mesh.Api.Schema;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>The form of a patch.</summary>
internal enum PatchKind
{
    /// <summary>RFC 6902.</summary>
    Json,

    /// <summary>RFC 7386.</summary>
    Merge,

    /// <summary>Strategic merge.</summary>
    Strategic,

    /// <summary>Server-side apply.</summary>
    Apply,
}

/// <summary>Turns patches into mutations: patch the served tree, then decode the result along the schema like a body.</summary>
internal static class Patching
{
    /// <summary>The mutation of a patch on objects of a kind.</summary>
    /// <exception cref="ApiException">The mutation refuses what does not apply (422) or decode (400, 422).</exception>
    public static Mutation ToMutation(PatchKind kind, ReadOnlyMemory<byte> patch, KindSchema schema, RequestContext request) => (current, _) =>
    {
        // Half of many objects: not merged, written and decoded again by patches that are not about it.
        if (!(patch.Span.IndexOf("managedFields"u8) >= 0)) Apply.FieldOwners.Take(current);
        JsonNode? patched;
        IReadOnlyList<string> doubled;
        try
        {
            doubled = request.FieldValidation == FieldValidation.Ignore ? [] : kind == PatchKind.Json ? JsonDoubles.OfJsonPatch(patch.Span) : JsonDoubles.OfDocument(patch.Span);
            patched = kind switch
            {
                PatchKind.Json => JsonPatch.Apply(current, patch.Span),
                PatchKind.Merge => MergePatch.Apply(current, patch.Span),
                _ => StrategicMergePatch.Apply(current, patch.Span, PatchSchema.Of(schema.Type)),
            };
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.BadRequest((kind == PatchKind.Strategic ? "" : "error decoding patch: ") + e.Message), e);
        }

        if (patched is not JsonObject obj)
            throw Refused(patched?.ToJsonString(GoText.Json) ?? "null", Headless("array into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }"));
        return new(Decode(obj, schema, request, kind == PatchKind.Strategic ? patch : default, doubled));
    };

    /// <summary>Brings a tree into the schema's form; unknown fields, and what was doubled in the patch, as the request wants them treated.</summary>
    public static JsonObject Decode(JsonObject obj, KindSchema schema, RequestContext request, ReadOnlyMemory<byte> strategic = default, IReadOnlyList<string>? doubled = null)
    {
        // A strategic patch is merged into the object's own type: what it says of its kind does not count.
        if (strategic.IsEmpty)
        {
            var (version, kind) = (Word(obj, "apiVersion"), Word(obj, "kind"));
            // Kubernetes then reads into its version without JSON names, and finds nothing at all.
            if (version.Length == 0)
                throw new ApiException(Statuses.BadRequest($"the name of the object ({request.Name} based on URL) was undeterminable: name must be provided"));
            if (kind.Length == 0) kind = schema.Kind;
            if (version != schema.ApiVersion || kind != schema.Kind)
                throw Refused(BodyKinds.Mismatch(version, kind, schema) ?? $"the API version in the data ({version}) does not match the expected API version ({schema.ApiVersion})");
        }
        else if (UnstructuredCheck.Check(schema.Type, obj) is { } misfit)
        {
            throw Refused(misfit);
        }

        var strict = request.FieldValidation == FieldValidation.Ignore ? null : new List<string>();
        JsonObject decoded;
        try
        {
            decoded = JsonCodec.Decode(JsonBytes.Write(obj), schema.Type, strict);
        }
        catch (DecodeException e)
        {
            throw Refused(e.Message);
        }

        // Go's maps come sorted, whatever the order in the patch and in the object.
        string[] found = strict is null ? [] : [.. doubled ?? [], .. strict.OrderBy(static e => e.Replace('.', '\u0001'), StringComparer.Ordinal)];
        if (found.Length > 0)
        {
            if (request.FieldValidation == FieldValidation.Strict) throw Refused(StrictErrors.Text(found));
            StrictErrors.Warn(request, found);
        }

        decoded["kind"] = schema.Kind;
        decoded["apiVersion"] = schema.ApiVersion;
        return decoded;

        // Names no kind, and shows the patched document, or the strategic patch as Go prints a map.
        ApiException Refused(string why) => Patching.Refused(strategic.IsEmpty ? obj.ToJsonString(GoText.Json) : GoText.Value(JsonCodec.DecodeAnyValue(strategic.Span)), why);

        string Word(JsonObject map, string name) => map[name] switch
        {
            null => "",
            JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
            var other => throw Refused(Headless($"{Name(other)} into Go struct field .{name} of type string")),
        };
    }

    private static ApiException Refused(string shown, string why) => new(Statuses.Invalid("", "", "", [FieldError.Invalid("patch", shown, why)]));

    private static string Headless(string what) => "couldn't get version/kind; json parse error: json: cannot unmarshal " + what;

    private static string Name(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.Number => "number",
        _ => "bool",
    };
}
