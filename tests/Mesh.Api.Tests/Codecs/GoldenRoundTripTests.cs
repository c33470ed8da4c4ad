using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

/// <summary>
/// Objects with every field filled, as JSON and as protobuf, written by Kubernetes itself: both directions must be exact. They are
/// not part of this repository; the check runs where the folder shared/roundtrip is beside the checkout. FilledObjectTests
/// covers every kind without it.
/// </summary>
public class GoldenRoundTripTests
{
    [Fact]
    public void Json_and_protobuf_agree_in_both_directions()
    {
        var folder = FindFolder();
        if (folder is null)
            return;
        var failures = new List<string>();
        var files = Directory.GetFiles(folder, "*.json");
        foreach (var file in files)
        {
            if (Check(File.ReadAllBytes(file), File.ReadAllBytes(Path.ChangeExtension(file, ".pb"))) is { } failure)
                failures.Add($"{Path.GetFileNameWithoutExtension(file)}: {failure}");
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.NotEmpty(files);
    }

    private static string? Check(byte[] json, byte[] pb)
    {
        var meta = JsonCodec.ReadTypeMeta(json);
        if (ApiSchema.Builtin.FindKind(meta.ApiVersion, meta.Kind) is not { } kind)
            return "unknown kind";
        var strict = new List<string>();
        var decoded = JsonCodec.Decode(json, kind.Type, strict);
        if (strict.Count > 0)
            return string.Join(", ", strict);
        if (!JsonNode.DeepEquals(decoded, JsonNode.Parse(json)))
            return "JSON changed: " + decoded.ToJsonString();
        var fromPb = ProtobufCodec.Decode(pb);
        if (!JsonNode.DeepEquals(decoded, fromPb))
            return "protobuf to JSON differs: " + fromPb.ToJsonString();
        var toPb = ProtobufCodec.Encode(decoded, kind);
        return toPb.AsSpan().SequenceEqual(pb) ? null : $"JSON to protobuf differs at byte {toPb.AsSpan().CommonPrefixLength(pb)}";
    }

    private static string? FindFolder()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var candidate = Path.Combine(at.FullName, "shared", "roundtrip");
            if (Directory.Exists(candidate))
                return candidate;
        }

        return null;
    }
}
