using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Discovery;

/// <summary>A document made once and served many times.</summary>
/// <param name="Body">The bytes.</param>
/// <param name="Hash">SHA-256 of the bytes in upper-case hexadecimal; quoted it is the ETag.</param>
internal sealed record ServedDocument(byte[] Body, string Hash)
{
    /// <summary>The entity tag of the answer.</summary>
    public string ETag => "\"" + Hash + "\"";

    /// <summary>A document of these bytes.</summary>
    public static ServedDocument Of(byte[] body) => new(body, Convert.ToHexString(SHA256.HashData(body)));

    /// <summary>A document of this JSON.</summary>
    public static ServedDocument Of(JsonNode json) => Of(JsonSerializer.SerializeToUtf8Bytes(json));
}
