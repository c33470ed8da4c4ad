using System.Text;
using Mesh.Api.Apply;
using Xunit;

namespace Mesh.Api.Tests.Apply;

public class FieldSetTests
{
    [Theory]
    [InlineData("""{"f:spec":{"f:replicas":{}}}""", ".spec.replicas")]
    [InlineData("""{"f:metadata":{"f:labels":{".":{},"f:app":{}}}}""", ".metadata.labels, .metadata.labels.app")]
    [InlineData("""{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{}}}}}""", ".spec.containers[name=\"web\"], .spec.containers[name=\"web\"].image")]
    [InlineData("""{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{}}}""", ".ports[containerPort=80,protocol=\"TCP\"]")]
    [InlineData("""{"f:finalizers":{"v:\"a/b\"":{},"v:1":{}}}""", ".finalizers[=\"a/b\"], .finalizers[=1]")]
    [InlineData("""{"f:list":{"i:0":{}}}""", ".list[0]")]
    [InlineData("{}", "")]
    public void The_json_form_is_read_printed_and_written_back(string json, string paths)
    {
        var set = FieldsV1.Decode(Encoding.UTF8.GetBytes(json))!;
        Assert.Equal(paths, set.ToString());
        Assert.Equal(json, Encoding.UTF8.GetString(FieldsV1.Encode(set)));
    }

    [Fact]
    public void Foreign_spellings_of_a_key_are_one()
    {
        var spaced = FieldsV1.Decode(Encoding.UTF8.GetBytes("""{"k:{ \"protocol\": \"TCP\", \"containerPort\": 80 }":{"f:name":{}},"x:unknown":{}}"""))!;
        Assert.Equal("""{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{"f:name":{}}}""", Encoding.UTF8.GetString(FieldsV1.Encode(spaced)));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"f:a\":1}")]
    [InlineData("{\"f:a\":{}")]
    [InlineData("nonsense")]
    public void What_is_no_set_is_none(string json) => Assert.Null(FieldsV1.Decode(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Numbers_in_keys_are_ordered_by_size()
    {
        var set = FieldsV1.Decode(Encoding.UTF8.GetBytes("""{"k:{\"p\":8080}":{},"k:{\"p\":443}":{},"k:{\"p\":80}":{},"f:b":{},"f:a10":{},"f:a9":{}}"""))!;
        Assert.Equal(".a10, .a9, .b, [p=80], [p=443], [p=8080]", set.ToString());
    }

    [Fact]
    public void Sets_behave_like_sets()
    {
        var random = new Random(7);
        for (var i = 0; i < 500; i++)
        {
            var (a, b) = (Make(random, 4), Make(random, 4));
            var (inA, inB) = (a.Paths().ToHashSet(), b.Paths().ToHashSet());
            Assert.Equal(inA.Count, a.Count);
            Assert.Equal(inA.Union(inB).Order(), a.Union(b).Paths().Order());
            Assert.Equal(inA.Intersect(inB).Order(), a.Intersect(b).Paths().Order());
            Assert.Equal(inA.Except(inB).Order(), a.Except(b).Paths().Order());
            Assert.Equal(inA.Where(p => !inB.Any(q => p == q || p.StartsWith(q + ".", StringComparison.Ordinal))).Order(), a.ExceptBelow(b).Paths().Order());
            Assert.Equal(inB.IsSubsetOf(inA), a.Contains(b));
            Assert.True(a.Union(b).Contains(a));
            Assert.Equal(a.Union(b), b.Union(a));
            Assert.Same(a, a.Union(a.Intersect(b)));
            var bytes = FieldsV1.Encode(a);
            Assert.Equal(a, FieldsV1.Decode(bytes));
            Assert.Equal(!a.Intersect(b).IsEmpty, FieldsV1.Overlaps(bytes, b));
            Assert.Equal(a.Contains(b), FieldsV1.Covers(bytes, b));
            Assert.True(FieldsV1.Covers(bytes, a.Intersect(b)));
        }
    }

    private static FieldSet Make(Random random, int depth)
    {
        var set = FieldSet.Empty;
        for (var i = random.Next(6); i >= 0; i--)
            set = set.Union(FieldSet.Of([.. Enumerable.Range(0, random.Next(1, depth)).Select(_ => "f:" + (char)('a' + random.Next(3)))]));
        return set;
    }
}
