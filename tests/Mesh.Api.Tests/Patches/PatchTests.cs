using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Patches;
using Xunit;

namespace Mesh.Api.Tests.Patches;

public class PatchTests
{
    [Theory]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"/b","value":2}]""", """{"a":1,"b":2}""")]
    [InlineData("""{"a":[1,3]}""", """[{"op":"add","path":"/a/1","value":2},{"op":"add","path":"/a/-","value":4}]""", """{"a":[1,2,3,4]}""")]
    [InlineData("""{"a":1}""", """[{"op":"remove","path":"/a"}]""", "{}")]
    [InlineData("""{"a":{"x/y":1}}""", """[{"op":"replace","path":"/a/x~1y","value":2}]""", """{"a":{"x/y":2}}""")]
    [InlineData("""{"a":1}""", """[{"op":"move","from":"/a","path":"/b"}]""", """{"b":1}""")]
    [InlineData("""{"a":{"k":1}}""", """[{"op":"copy","from":"/a","path":"/b"}]""", """{"a":{"k":1},"b":{"k":1}}""")]
    [InlineData("""{"a":1}""", """[{"op":"test","path":"/a","value":1},{"op":"test","path":"/zz","value":null}]""", """{"a":1}""")]
    public void Json_patch_applies(string document, string patch, string expected) =>
        Assert.Equal(expected, JsonPatch.Apply(JsonNode.Parse(document)!, Encoding.UTF8.GetBytes(patch))!.ToJsonString());

    [Theory]
    [InlineData("""[{"op":"test","path":"/a","value":2}]""", 422)]
    [InlineData("""[{"op":"remove","path":"/x"}]""", 422)]
    [InlineData("""[{"op":"add","path":"/x/y","value":1}]""", 422)]
    [InlineData("""[{"op":"frob","path":"/a"}]""", 422)]
    [InlineData("""[{"op":"add","path":"","value":{}}]""", 422)]
    [InlineData("""[{"op":"copy","from":"","path":"/b"}]""", 422)]
    [InlineData("""[{"op":"replace","path":"","value":1}]""", 422)]
    [InlineData("""[null]""", 422)]
    [InlineData("""[1]""", 400)]
    [InlineData("""{"op":"add"}""", 400)]
    [InlineData("""[{"op":""", 400)]
    public void Wrong_json_patches_are_refused(string patch, int code) =>
        Assert.Equal(code, Assert.Throws<ApiException>(() => JsonPatch.Apply(JsonNode.Parse("""{"a":1}""")!, Encoding.UTF8.GetBytes(patch))).Code);

    [Fact]
    public void Too_many_operations_are_refused()
    {
        var patch = "[" + string.Join(',', Enumerable.Repeat("""{"op":"add","path":"/a","value":1}""", 10_001)) + "]";
        var error = Assert.Throws<ApiException>(() => JsonPatch.Apply(new JsonObject(), Encoding.UTF8.GetBytes(patch)));
        Assert.Equal("Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001", error.Message);
    }

    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":[1]}""", """{"a":[2,3]}""", """{"a":[2,3]}""")]
    [InlineData("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    [InlineData("""{"a":{"b":1}}""", """{"a":{"c":2}}""", """{"a":{"b":1,"c":2}}""")]
    public void Merge_patch_applies(string document, string patch, string expected) =>
        Assert.Equal(expected, MergePatch.Apply(JsonNode.Parse(document)!.AsObject(), Encoding.UTF8.GetBytes(patch)).ToJsonString());

    // items merge by name, tags is a merging list of scalars, plain is replaced.
    [Theory]
    [InlineData("""{"items":[{"name":"a","v":1}]}""", """{"items":[{"name":"a","w":2}]}""", """{"items":[{"name":"a","v":1,"w":2}]}""")]
    [InlineData("""{"items":[{"name":"a"}]}""", """{"items":[{"name":"b"}]}""", """{"items":[{"name":"b"},{"name":"a"}]}""")]
    [InlineData("""{"items":[{"name":"a"},{"name":"b"}]}""", """{"items":[{"name":"a","$patch":"delete"}]}""", """{"items":[{"name":"b"}]}""")]
    [InlineData("""{"items":[{"name":"a"}]}""", """{"items":[{"$patch":"replace"},{"name":"z"}]}""", """{"items":[{"name":"z"}]}""")]
    [InlineData("""{"items":[{"name":"a"},{"name":"b"}]}""", """{"$setElementOrder/items":[{"name":"b"},{"name":"a"}],"items":[{"name":"a","v":1}]}""", """{"items":[{"name":"b"},{"name":"a","v":1}]}""")]
    [InlineData("""{"tags":["a","b"]}""", """{"tags":["c"]}""", """{"tags":["c","a","b"]}""")]
    [InlineData("""{"tags":["a","b","c"]}""", """{"$deleteFromPrimitiveList/tags":["b"]}""", """{"tags":["a","c"]}""")]
    [InlineData("""{"tags":["a","b"]}""", """{"$setElementOrder/tags":["b","c"],"$deleteFromPrimitiveList/tags":["a"],"tags":["c"]}""", """{"tags":["b","c"]}""")]
    [InlineData("""{"plain":[1,2]}""", """{"plain":[3]}""", """{"plain":[3]}""")]
    [InlineData("""{"map":{"a":1,"b":2}}""", """{"map":{"$patch":"replace","c":3}}""", """{"map":{"c":3}}""")]
    [InlineData("""{"map":{"a":1,"b":2}}""", """{"map":{"$retainKeys":["b","c"],"c":3}}""", """{"map":{"b":2,"c":3}}""")]
    [InlineData("""{"map":{"a":1,"b":2}}""", """{"map":{"$retainKeys":["b",""],"":3}}""", """{"map":{"b":2,"":3}}""")]
    [InlineData("""{"map":{"a":1}}""", """{"map":{"a":null,"b":{"x":null,"y":1}}}""", """{"map":{"b":{"y":1}}}""")]
    [InlineData("""{"items":[{"name":"a"}]}""", """{"items":null}""", "{}")]
    public void Strategic_patch_applies(string document, string patch, string expected) =>
        Assert.Equal(expected, StrategicMergePatch.Apply(JsonNode.Parse(document)!.AsObject(), Encoding.UTF8.GetBytes(patch), new Schema()).ToJsonString());

    [Theory]
    [InlineData("""{"items":[{"v":1}]}""", 500, "map: map[v:1] does not contain declared merge key: name")]
    [InlineData("""{"items":[1]}""", 500, "list element types are not identical: [[map[name:a]] [1]]")]
    [InlineData("""{"items":[{"$patch":"delete"}]}""", 500, "map: map[$patch:delete] does not contain declared merge key: name")]
    [InlineData("""{"items":[{"name":"a","$patch":"bad"}]}""", 500, "unknown patch type: bad in map: map[$patch:bad name:a]")]
    [InlineData("""{"items":[{"$patch":"merge"}]}""", 500, "merging lists cannot yet be specified in the patch")]
    [InlineData("""{"map":{"$patch":"frob"}}""", 500, "unknown patch type: frob in map: map[$patch:frob]")]
    [InlineData("""{"$patch":1}""", 500, "unknown patch type: %!s(int64=1) in map: map[$patch:1]")]
    [InlineData("""{"$setElementOrder/items":1}""", 500, "expected a []interface {}, but received a int64")]
    [InlineData("""{"$setElementOrder/items":[1]}""", 500, "value for key 0 is not a map")]
    [InlineData("""{"$setElementOrder/items":[{"name":"z"}],"items":[{"name":"a"}]}""", 500, "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:z]]\n")]
    [InlineData("""{"map":{"$retainKeys":["b"],"":1}}""", 400, "invalid patch format of retainKeys")]
    [InlineData("[]", 400, "json: cannot unmarshal array into Go value of type map[string]interface {}")]
    public void Wrong_strategic_patches_are_refused_in_the_words_of_the_field(string patch, int code, string words)
    {
        var refusal = Assert.Throws<ApiException>(() =>
            StrategicMergePatch.Apply(JsonNode.Parse("""{"items":[{"name":"a"}],"map":{"a":1}}""")!.AsObject(), Encoding.UTF8.GetBytes(patch), new Schema()));
        Assert.Equal((code, words), (refusal.Code, refusal.Status.Message));
    }

    [Fact]
    public void A_strategic_patch_that_is_null_changes_nothing() =>
        Assert.Equal("""{"a":1}""", StrategicMergePatch.Apply(JsonNode.Parse("""{"a":1}""")!.AsObject(), "null"u8, new Schema()).ToJsonString());

    // As the patch library of Kubernetes, not as RFC 6902: what is replaced need not be there, no value is null, -1 appends.
    [Theory]
    [InlineData("""{"a":1}""", """[{"op":"replace","path":"/b","value":2}]""", """{"a":1,"b":2}""")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"/b"}]""", """{"a":1,"b":null}""")]
    [InlineData("""{"a":[1]}""", """[{"op":"add","path":"/a/-1","value":2}]""", """{"a":[1,2]}""")]
    [InlineData("""{"a":1}""", "null", """{"a":1}""")]
    [InlineData("""{"a":1}""", """[{"op":"replace","path":"","value":{"b":1}}]""", """{"b":1}""")]
    public void Json_patch_follows_the_library_of_the_field(string document, string patch, string expected) =>
        Assert.Equal(expected, JsonPatch.Apply(JsonNode.Parse(document)!, Encoding.UTF8.GetBytes(patch))!.ToJsonString());

    [Fact]
    public void Copies_of_more_than_three_megabytes_are_refused()
    {
        var copies = string.Join(',', Enumerable.Range(0, 4).Select(i => $$"""{"op":"copy","from":"/a","path":"/b{{i}}"}"""));
        var document = new JsonObject { ["a"] = new string('x', 1 << 20) };
        Assert.Equal(422, Assert.Throws<ApiException>(() => JsonPatch.Apply(document, Encoding.UTF8.GetBytes($"[{copies}]"))).Code);
    }

    private sealed class Schema : IPatchSchema
    {
        public PatchField Field(string name) => name switch
        {
            "items" => new(this, true, "name"),
            "tags" => new(null, true, null),
            _ => default,
        };
    }
}
