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
        try
        {
            patched = kind switch
            {
                PatchKind.Json => JsonPatch.Apply(current, patch.Span),
                PatchKind.Merge => MergePatch.Apply(current, patch.Span),
                _ => StrategicMergePatch.Apply(current, patch.Span, PatchSchema.Of(schema.Type)),
            };
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.BadRequest("error decoding patch: " + e.Message), e);
        }

        if (patched is not JsonObject obj)
            throw new ApiException(Statuses.BadRequest("the patched document is not an object"));
        return new(Decode(obj, schema, request));
    };

    /// <summary>Brings a tree into the schema's form; unknown fields as the request wants them treated.</summary>
    public static JsonObject Decode(JsonObject obj, KindSchema schema, RequestContext request)
    {
        var (version, kind) = (obj["apiVersion"]?.ToString() ?? "", obj["kind"]?.ToString() ?? "");
        if (version != schema.ApiVersion || kind != schema.Kind)
        {
            throw new ApiException(Statuses.BadRequest(
                $"the API version in the data ({version}, Kind={kind}) does not match the expected API version ({schema.ApiVersion}, Kind={schema.Kind})"));
        }

        var strict = request.FieldValidation == FieldValidation.Ignore ? null : new List<string>();
        JsonObject decoded;
        try
        {
            decoded = JsonCodec.Decode(JsonBytes.Write(obj), schema.Type, strict);
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.Invalid(schema.Group, schema.Kind, request.Name, [FieldError.Invalid("patch", "", e.Message)]), e);
        }

        if (strict is { Count: > 0 })
        {
            if (request.FieldValidation == FieldValidation.Strict)
            {
                throw new ApiException(Statuses.Invalid(
                    schema.Group, schema.Kind, request.Name, [FieldError.Invalid("patch", "", "strict decoding error: " + string.Join(", ", strict))]));
            }

            foreach (var warning in strict)
            {
                if (!request.Warnings.Contains(warning)) request.Warnings.Add(warning);
            }
        }

        decoded["kind"] = schema.Kind;
        decoded["apiVersion"] = schema.ApiVersion;
        return decoded;
    }
}
