using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

public class FilledObjectTests
{
    public static TheoryData<string> Packages => [.. ApiSchema.Builtin.GroupVersions.Select(g => g.Package)];

    [Theory]
    [MemberData(nameof(Packages))]
    public void Every_kind_survives_json_and_protobuf(string package)
    {
        var gv = ApiSchema.Builtin.GroupVersions.Single(g => g.Package == package);
        foreach (var type in ApiSchema.Builtin.TypesOf(package).Where(t => t.IsKind))
        {
            // The kinds of metav1 that are no options live in group meta.k8s.io.
            var kind = package == "meta.v1"
                ? ApiSchema.Builtin.FindKind("meta.k8s.io", "v1", type.Name)!
                : ApiSchema.Builtin.FindKind(gv.Group, gv.Version, type.Name)!;
            Assert.Same(type, kind.Type);
            var filled = new ObjectFiller().Fill(kind);

            var strict = new List<string>();
            var decoded = JsonCodec.Decode(Encoding.UTF8.GetBytes(filled.ToJsonString()), type, strict);
            Assert.Empty(strict);
            AssertSame(filled, decoded);

            if (type.ProtoFields.Length == 0)
                continue;
            var pb = ProtobufCodec.Encode(filled, kind);
            AssertSame(filled, ProtobufCodec.Decode(pb));
            Assert.Equal(pb, ProtobufCodec.Encode(ProtobufCodec.Decode(pb), kind));
        }
    }

    [Fact]
    public void Every_type_resolves_and_has_sane_numbers()
    {
        foreach (var gv in ApiSchema.Builtin.GroupVersions)
        {
            foreach (var type in ApiSchema.Builtin.TypesOf(gv.Package))
            {
                Assert.All(type.Fields, f => Assert.Equal(f.Kind == FieldKind.Object, f.Type is not null));
                Assert.Equal(type.Fields.Count, type.Fields.Select(f => f.Name).Distinct().Count());
                Assert.Equal(type.ProtoFields.Length, type.ProtoFields.Select(p => p.Number).Distinct().Count());
                Assert.All(type.Fields, f => Assert.All(f.ListMapKeys, key => Assert.NotNull(f.Type!.Field(key))));
                Assert.All(type.Fields.Where(f => f.PatchMergeKey is not null), f => Assert.NotNull(f.Type!.Field(f.PatchMergeKey!)));
            }
        }
    }

    private static void AssertSame(JsonObject expected, JsonObject actual)
    {
        if (!JsonNode.DeepEquals(expected, actual))
            Assert.Equal(expected.ToJsonString(), actual.ToJsonString());
        Assert.True(JsonNode.DeepEquals(expected, actual));
    }
}
