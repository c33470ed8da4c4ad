using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;

namespace Mesh.Gateway.Registry;

/// <summary>Where a list goes on: the revision of its first page (below 0 for whatever is there now) and the first key, opaque to clients (base64url of JSON).</summary>
internal readonly record struct ContinueToken(long Revision, string Start)
{
    /// <summary>The revision of a list that goes on with what is there when it is asked, because its own is no longer kept.</summary>
    public const long Now = -1;

    private const string Version = "meta.k8s.io/v1";

    /// <summary>The text clients send back.</summary>
    public string Encode()
    {
        var json = new JsonObject { ["v"] = Version, ["rv"] = Revision, ["start"] = Start };
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString())).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    /// <summary>Reads a token.</summary>
    /// <exception cref="ApiException">400 with Kubernetes' words when it is none.</exception>
    public static ContinueToken Decode(string text)
    {
        JsonObject? json;
        try
        {
            json = JsonCodec.DecodeAnyValue(Base64Url.Decode(text)) switch
            {
                JsonObject map => map,
                null => null,
                var other => throw new DecodeException($"json: cannot unmarshal {Name(other)} into Go value of type storage.continueToken"),
            };
        }
        catch (Exception e) when (e is FormatException or DecodeException)
        {
            throw Refused(": " + e.Message);
        }

        // Kubernetes reads all fields before it looks at the version.
        var (version, revision, start) = (Text(json, "v"), Number(json, "rv"), Text(json, "start"));
        if (version != Version) throw Refused(": server does not recognize this encoded version " + version);
        if (revision == 0) throw Refused($": incorrect encoded start resourceVersion (version {Version})");
        if (start.Length == 0) throw Refused($": encoded start key empty (version {Version})");
        return IsClean(start) ? new ContinueToken(revision, start.TrimStart('/')) : throw Refused(": " + start);
    }

    private static ApiException Refused(string why) => new(Statuses.BadRequest("invalid continue token: continue key is not valid" + why));

    /// <summary>Whether a key stays below its prefix and is written the one way Go's path.Clean leaves it.</summary>
    private static bool IsClean(string key)
    {
        var parts = (key[0] == '/' ? key[1..] : key).Split('/');
        return parts is [""] || !parts.Any(static part => part is "" or "." or "..");
    }

    private static string Text(JsonObject? json, string name) => Field(json, name) switch
    {
        null => "",
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        var other => throw Misfit(name, Name(other), "string"),
    };

    private static long Number(JsonObject? json, string name) => Field(json, name) switch
    {
        null => 0,
        JsonValue value when value.TryGetValue<long>(out var number) => number,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => throw Misfit(name, "number " + value.ToJsonString(), "int64"),
        var other => throw Misfit(name, Name(other), "int64"),
    };

    private static JsonNode? Field(JsonObject? json, string name) =>
        json is null ? null : json.TryGetPropertyValue(name, out var exact) ? exact : json.FirstOrDefault(f => f.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private static ApiException Misfit(string field, string found, string type) => Refused($": json: cannot unmarshal {found} into Go struct field continueToken.{field} of type {type}");

    private static string Name(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        _ => "bool",
    };
}
