using System.Text;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

public class YamlCodecTests
{
    [Theory]
    [InlineData("a: 1", """{"a":1}""")]
    [InlineData("a: 0644", """{"a":420}""")]
    [InlineData("a: 0x1F", """{"a":31}""")]
    [InlineData("a: 0b101", """{"a":5}""")]
    [InlineData("a: 1_000", """{"a":1000}""")]
    [InlineData("a: -12", """{"a":-12}""")]
    [InlineData("a: 1.5", """{"a":1.5}""")]
    [InlineData("a: 1.0", """{"a":1}""")]
    [InlineData("a: 1e3", """{"a":1000}""")]
    [InlineData("a: 1.2.3", """{"a":"1.2.3"}""")]
    [InlineData("a: 10.0.0.1", """{"a":"10.0.0.1"}""")]
    [InlineData("a: 100m", """{"a":"100m"}""")]
    [InlineData("a: yes", """{"a":true}""")]
    [InlineData("a: Off", """{"a":false}""")]
    [InlineData("a: \"yes\"", """{"a":"yes"}""")]
    [InlineData("a: '1'", """{"a":"1"}""")]
    [InlineData("a: ~", """{"a":null}""")]
    [InlineData("a:", """{"a":null}""")]
    [InlineData("a: !!str 12", """{"a":"12"}""")]
    [InlineData("a: 2001-01-01", """{"a":"2001-01-01"}""")]
    [InlineData("1: x\ntrue: z\ny: z", """{"1":"x","true":"z"}""")]
    [InlineData("a: |\n  one\n  two\n", """{"a":"one\ntwo\n"}""")]
    [InlineData("a: [1, {b: c}]", """{"a":[1,{"b":"c"}]}""")]
    [InlineData("x: &x {b: 1}\nz: *x", """{"x":{"b":1},"z":{"b":1}}""")]
    [InlineData("x: &x {b: 1, c: 2}\nz:\n  <<: *x\n  b: 3", """{"x":{"b":1,"c":2},"z":{"b":3,"c":2}}""")]
    [InlineData("a: 1\n---\na: 2", """{"a":1}""")]
    [InlineData("", "null")]
    [InlineData("a: 18446744073709551615", """{"a":18446744073709551615}""")]
    public void Scalars_are_those_of_YAML_1_1(string yaml, string json) =>
        Assert.Equal(json, Encoding.UTF8.GetString(YamlCodec.ToJson(Encoding.UTF8.GetBytes(yaml))));

    [Fact]
    public void Doubled_keys_are_reported_with_their_line_and_the_last_one_counts()
    {
        var strict = new List<string>();
        var type = ApiSchema.Builtin.FindKind("apps/v1", "Deployment")!.Type;
        var decoded = YamlCodec.Decode("apiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: 1\n  replicas: 2\n  foo: x\n"u8, type, strict);

        Assert.Equal(["yaml: unmarshal errors:\n  line 5: key \"replicas\" already set in map", "unknown field \"spec.foo\""], strict);
        Assert.Equal(2, decoded["spec"]!["replicas"]!.GetValue<int>());
    }

    [Fact]
    public void Alias_bombs_are_refused()
    {
        var text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 12; i++)
            text.Append($"a{i}: &a{i} [").AppendJoin(", ", Enumerable.Repeat($"*a{i - 1}", 10)).Append("]\n");

        var e = Assert.Throws<DecodeException>(() => YamlCodec.ToJson(Encoding.UTF8.GetBytes(text.ToString())));
        Assert.Equal("yaml: document contains excessive aliasing", e.Message);
    }

    [Theory]
    [InlineData("a: [1")]
    [InlineData("a: b: c")]
    [InlineData("a: 'x")]
    [InlineData("a: *nowhere")]
    [InlineData("a: &a [*a]")]
    [InlineData("[x]: 1")]
    [InlineData("a: .inf")]
    [InlineData("<<: 1")]
    public void Broken_documents_are_decode_errors(string yaml)
    {
        var e = Assert.Throws<DecodeException>(() => YamlCodec.ToJson(Encoding.UTF8.GetBytes(yaml)));
        Assert.False(string.IsNullOrEmpty(e.Message));
    }

    [Fact]
    public void Depth_is_bounded() =>
        Assert.Throws<DecodeException>(() => YamlCodec.ToJson(Encoding.UTF8.GetBytes(new string('[', 5000))));
}
