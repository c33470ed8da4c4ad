using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Api.Codecs;
using Mesh.Api.Meta.V1;
using Mesh.Api.Schema;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry.Apply;

/// <summary>The body of a server-side apply: what the applier wants, checked and decoded.</summary>
/// <param name="Schema">Kind of the body.</param>
/// <param name="Sent">The body as it was sent.</param>
/// <param name="Object">The same decoded along the schema.</param>
/// <param name="StrictError">What a strict reader would have refused (doubled keys), or null.</param>
internal sealed record ApplyConfig(KindSchema Schema, JsonObject Sent, JsonObject Object, string? StrictError)
{
    /// <summary>Reads a body, YAML or JSON.</summary>
    /// <exception cref="ApiException">400, or 500 for what does not fit the schema, as Kubernetes answers it.</exception>
    public static ApplyConfig Read(ReadOnlyMemory<byte> body, KindSchema schema, RequestContext request)
    {
        CheckOptions(request);
        var (sent, strict) = Parse(body);
        var (version, kind) = (Text(sent, "apiVersion"), Text(sent, "kind"));
        if (version != schema.ApiVersion || kind != schema.Kind) throw new ApiException(Statuses.BadRequest("invalid object type: " + Gvk(version, kind)));
        var meta = sent["metadata"] as JsonObject;
        if (meta?["managedFields"] is JsonArray) throw new ApiException(Statuses.BadRequest("metadata.managedFields must be nil"));
        var who = $"{Text(meta, "namespace")}/{Text(meta, "name")}; {Gvk(version, kind)}";
        if (ConfigCheck.Check(schema.Type, sent) is { } wrong) throw Failure($"failed to create typed patch object ({who}): {wrong}");
        try
        {
            return new ApplyConfig(schema, sent, JsonCodec.Decode(JsonBytes.Write(sent), schema.Type), strict);
        }
        catch (DecodeException e)
        {
            throw Failure($"failed to convert new object ({who}) to proper version ({schema.ApiVersion}): {e.Message}", e);
        }
    }

    /// <summary>Refuses or warns about what was doubled, as the request wants it.</summary>
    public void CheckStrict(RequestContext request)
    {
        if (StrictError is null || request.FieldValidation == FieldValidation.Ignore) return;
        if (request.FieldValidation == FieldValidation.Strict) throw new ApiException(Statuses.BadRequest("error strict decoding YAML: " + StrictError));
        StrictErrors.Warn(request, [StrictError]);
    }

    private static (JsonObject Sent, string? Strict) Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            // kubectl sends JSON as YAML: what begins like JSON is tried as JSON first, that is a tenth of the work.
            if (body.Span.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] && TryJson(body) is { } json) return (json, null);
            var strict = new List<string>();
            var bytes = YamlCodec.ToJson(body.Span, strict);
            return (Map(JsonCodec.DecodeAnyValue(bytes)), strict.Count > 0 ? "error converting YAML to JSON: " + strict[0] : null);
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.BadRequest("error decoding YAML: error converting YAML to JSON: " + e.Message), e);
        }
    }

    /// <summary>The map of a document; one of nothing is an empty one.</summary>
    private static JsonObject Map(JsonNode? document) => document switch
    {
        null => [],
        JsonObject map => map,
        _ => throw new ApiException(Statuses.BadRequest($"error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {Name(document)} into Go value of type map[string]interface {{}}")),
    };

    private static string Name(JsonNode document) => document.GetValueKind() switch
    {
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        _ => "bool",
    };

    /// <summary>The body as JSON; null when it is none, or has doubled keys (which are told by line, as YAML).</summary>
    private static JsonObject? TryJson(ReadOnlyMemory<byte> body)
    {
        try
        {
            // The document finds doubled keys; the decoder finds strings that are none.
            using (JsonDocument.Parse(body, NoDoubles)) return JsonCodec.DecodeAny(body.Span);
        }
        catch (Exception e) when (e is JsonException or DecodeException or InvalidOperationException)
        {
            return null;
        }
    }

    private static readonly JsonDocumentOptions NoDoubles = new() { MaxDepth = JsonCodec.MaxDepth, AllowDuplicateProperties = false };

    private static void CheckOptions(RequestContext request)
    {
        if (request.FieldManager.Length == 0)
            throw new ApiException(Statuses.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.Required("fieldManager", "is required for apply patch")]));
    }

    private static string Gvk(string version, string kind)
    {
        var slash = version.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? $"/{version}, Kind={kind}" : $"{version}, Kind={kind}";
    }

    private static string Text(JsonObject? obj, string field) => obj?[field] is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";

    // Kubernetes has no reason for these: the typed converter's error goes out as it is.
    private static ApiException Failure(string message, Exception? cause = null)
    {
        var status = new Status { StatusValue = "Failure", Message = message, Code = 500 };
        return cause is null ? new ApiException(status) : new ApiException(status, cause);
    }
}
