using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;

namespace Mesh.Gateway.Registry;

/// <summary>Where a list goes on: the revision of its first page (<see cref="Now"/> for whatever is there now) and the first key, opaque to clients (base64url of JSON).</summary>
internal readonly record struct ContinueToken(long Revision, string Start)
{
    /// <summary>The revision of a list that goes on with what is there when it is asked, because its own is no longer kept.</summary>
    public const long Now = -1;

    /// <summary>The text clients send back.</summary>
    public string Encode()
    {
        var json = new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = Revision, ["start"] = Start };
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString())).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    /// <summary>Reads a token.</summary>
    /// <exception cref="ApiException">400 when it is none of ours.</exception>
    public static ContinueToken Decode(string text)
    {
        try
        {
            var base64 = text.Replace('-', '+').Replace('_', '/');
            var bytes = Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='));
            if (JsonCodec.DecodeAnyValue(bytes) is JsonObject json && json["rv"] is JsonValue rv && rv.TryGetValue<long>(out var revision) && revision is > 0 or Now
                && json["start"] is JsonValue start && start.TryGetValue<string>(out var key) && !key.Contains("..", StringComparison.Ordinal))
            {
                return new ContinueToken(revision, key);
            }
        }
        catch (Exception e) when (e is FormatException or DecodeException)
        {
        }

        throw new ApiException(Statuses.BadRequest("invalid continue token: continue key is not valid: it is not a token of this server"));
    }
}
