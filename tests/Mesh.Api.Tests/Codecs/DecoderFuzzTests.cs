using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

/// <summary>Damaged and random bodies, from fixed seeds: a decoder gives an object or a DecodeException, nothing else.</summary>
public class DecoderFuzzTests
{
    private static readonly KindSchema Pod = ApiSchema.Builtin.FindKind("v1", "Pod")!;

    [Fact]
    public void Json() => Run(1, Encoding.UTF8.GetBytes(Sample()), body =>
    {
        JsonCodec.Decode(body, Pod.Type, new List<string>()).ToJsonString();
        JsonCodec.ReadTypeMeta(body);
        JsonCodec.DecodeAny(body).ToJsonString();
    });

    [Fact]
    public void Protobuf() => Run(2, ProtobufCodec.Encode(JsonNode.Parse(Sample())!.AsObject(), Pod), body =>
    {
        var decoded = ProtobufCodec.Decode(body);

        // Whatever was decoded can be written again.
        decoded.ToJsonString();
        ProtobufCodec.Encode(decoded, ApiSchema.Builtin.FindKind(decoded["apiVersion"]!.GetValue<string>(), decoded["kind"]!.GetValue<string>())!);
    });

    [Fact]
    public void WatchEvent() => Run(3, ProtobufCodec.EncodeWatchFrame("ADDED", JsonNode.Parse(Sample())!.AsObject(), Pod)[4..], body => ProtobufCodec.DecodeWatchEvent(body));

    [Fact]
    public void Yaml() => Run(
        4,
        """
        apiVersion: v1
        kind: Pod
        metadata: &m {name: a, labels: {x: "1", "y": '2'}}
        spec:
          containers:
          - name: c # comment
            image: "a\tb\u263a"
            args: [*m, !!str 1, |, >-, ~, 0o7, .5e3]
            command:
            - |
              one
              two
          - <<: *m
            ? key
            : - 1
        ...
        """u8.ToArray(),
        body => YamlCodec.Decode(body, Pod.Type, new List<string>()));

    private static string Sample() => new ObjectFiller().Fill(Pod).ToJsonString();

    private static void Run(int seed, byte[] sample, Action<byte[]> decode) => Fuzz.Run(seed, sample, decode, e => e is DecodeException);
}
