using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Http;
using Mesh.Gateway.Http.Yaml;

namespace Mesh.Gateway.Discovery;

/// <summary>A document made once and served many times.</summary>
/// <param name="Body">The bytes.</param>
/// <param name="Hash">SHA-256 of the bytes in upper-case hexadecimal; quoted it is the ETag.</param>
internal sealed record ServedDocument(byte[] Body, string Hash)
{
    private byte[]? yaml;
    private byte[]? protobuf;

    /// <summary>The entity tag of the answer, whatever its encoding: the answer varies by Accept.</summary>
    public string ETag => "\"" + Hash + "\"";

    /// <summary>A document of these bytes.</summary>
    public static ServedDocument Of(byte[] body) => new(body, Convert.ToHexString(SHA256.HashData(body)));

    /// <summary>A document of this JSON.</summary>
    public static ServedDocument Of(JsonNode json) => Of(JsonSerializer.SerializeToUtf8Bytes(json));

    /// <summary>The document, an object of a kind of Kubernetes, in an encoding; made when it is first asked for.</summary>
    public byte[] In(BodyFormat format) => format switch
    {
        BodyFormat.Yaml => yaml ??= YamlText.Write(Tree()),
        BodyFormat.Protobuf => protobuf ??= ToProtobuf(Tree()),
        _ => Body,
    };

    private JsonObject Tree() => JsonNode.Parse(Body)!.AsObject();

    private static byte[] ToProtobuf(JsonObject tree)
    {
        var (version, kind) = ((string?)tree["apiVersion"] ?? "v1", (string)tree["kind"]!);
        var schema = ApiSchema.Builtin.FindKind(version, kind) ?? throw new InvalidOperationException($"{version} {kind} has no protobuf");
        return ProtobufCodec.Encode(tree, schema);
    }
}
