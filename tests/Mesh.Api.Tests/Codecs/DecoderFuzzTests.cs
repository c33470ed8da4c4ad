using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

/// <summary>Damaged and random bodies, from fixed seeds: a decoder gives an object or a DecodeException, nothing else.</summary>
public class DecoderFuzzTests
{
    private const int Rounds = 600;
    private const string Marks = "{}[]\",:-&*!|>%@`0\n \t\\";

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

    private static void Run(int seed, byte[] sample, Action<byte[]> decode)
    {
        var random = new Random(seed);
        for (var i = 0; i < Rounds; i++)
        {
            var body = Damage(random, sample);
            try
            {
                decode(body);
            }
            catch (DecodeException)
            {
                // The declared answer.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} round {i}: {e.GetType().Name} {e.Message}\n{e.StackTrace}\nbody {Convert.ToBase64String(body.AsSpan(0, Math.Min(body.Length, 400)))}");
            }
        }
    }

    private static byte[] Damage(Random random, byte[] sample)
    {
        if (random.Next(20) == 0)
        {
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            return noise;
        }

        // Damage near the front as often as anywhere, and work on a part of a long sample now and then.
        var body = (random.Next(4) == 0 ? sample[..random.Next(sample.Length + 1)] : sample).ToList();
        for (var n = random.Next(1, 6); n > 0 && body.Count > 0; n--)
        {
            var at = random.Next(2) == 0 ? random.Next(body.Count) : random.Next(Math.Min(body.Count, 300));
            switch (random.Next(5))
            {
                case 0:
                    body[at] = (byte)random.Next(256);
                    break;
                case 1:
                    body.RemoveAt(at);
                    break;
                case 2:
                    body.Insert(at, (byte)Marks[random.Next(Marks.Length)]);
                    break;
                case 3:
                    body[at] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    var from = random.Next(body.Count);
                    body.InsertRange(at, body.Skip(from).Take(random.Next(1, 20)).ToArray());
                    break;
            }
        }

        return [.. body];
    }
}
