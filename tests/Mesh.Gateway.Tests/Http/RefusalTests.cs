using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Continue tokens and patches that are refused: codes and words as Kubernetes gives them.</summary>
[Collection("gateway")]
public sealed class RefusalTests(GatewayHost gateway)
{
    private const string Invalid = "invalid continue token: continue key is not valid";
    private const string Lists = "/api/v1/namespaces/default/configmaps?limit=2&continue=";
    private const string Json = "application/json-patch+json";
    private const string Merge = "application/merge-patch+json";
    private const string Strategic = "application/strategic-merge-patch+json";

    [Theory]
    [InlineData("!!!!", "illegal base64 data at input byte 0")]
    [InlineData("YQ==", "illegal base64 data at input byte 2")]
    [InlineData("a", "illegal base64 data at input byte 0")]
    [InlineData("eyJ2IjoibWV0YS5r", "unexpected end of JSON input")]
    public async Task A_continue_token_that_is_no_text_of_ours_is_refused(string token, string why) => await IsRefusedAsync(token, 400, $"{Invalid}: {why}");

    [Theory]
    [InlineData("a", "invalid character 'a' looking for beginning of value")]
    [InlineData("[]", "json: cannot unmarshal array into Go value of type storage.continueToken")]
    [InlineData("{}", "server does not recognize this encoded version ")]
    [InlineData("""{"v":"v2","rv":1,"start":"x"}""", "server does not recognize this encoded version v2")]
    [InlineData("""{"v":"meta.k8s.io/v1","rv":0,"start":"x"}""", "incorrect encoded start resourceVersion (version meta.k8s.io/v1)")]
    [InlineData("""{"v":"meta.k8s.io/v1","rv":5}""", "encoded start key empty (version meta.k8s.io/v1)")]
    [InlineData("""{"v":"meta.k8s.io/v1","rv":"5","start":"x"}""", "json: cannot unmarshal string into Go struct field continueToken.rv of type int64")]
    [InlineData("""{"v":"meta.k8s.io/v1","rv":1.5,"start":"x"}""", "json: cannot unmarshal number 1.5 into Go struct field continueToken.rv of type int64")]
    [InlineData("""{"v":"meta.k8s.io/v1","rv":5,"start":5}""", "json: cannot unmarshal number into Go struct field continueToken.start of type string")]
    public async Task A_continue_token_with_other_fields_is_refused(string json, string why) => await IsRefusedAsync(Encode(json), 400, $"{Invalid}: {why}");

    [Theory]
    [InlineData("../x")]
    [InlineData("a/../b")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData(".")]
    public async Task A_continue_token_cannot_leave_its_path(string start) =>
        await IsRefusedAsync(Encode($$"""{"v":"meta.k8s.io/v1","rv":-1,"start":"{{start}}"}"""), 400, $"{Invalid}: {start}");

    [Theory]
    [InlineData("a..b")]
    [InlineData("/c1")]
    public async Task A_continue_token_may_name_any_key_below_its_path(string start) =>
        Assert.Equal(200, (await gateway.GetAsync(Lists + Encode($$"""{"v":"meta.k8s.io/v1","rv":-2,"start":"{{start}}"}"""))).Code);

    [Fact]
    public async Task A_continue_token_from_the_future_is_refused() =>
        await IsRefusedAsync(Encode("""{"v":"meta.k8s.io/v1","rv":999999999,"start":"x"}"""), 500, "etcdserver: mvcc: required revision is a future revision");

    [Fact]
    public async Task The_token_is_looked_at_before_the_resource_version()
    {
        await IsRefusedAsync("!!!&resourceVersion=1", 400, Invalid + ": illegal base64 data at input byte 0");
        await IsRefusedAsync(Encode("""{"v":"meta.k8s.io/v1","rv":1,"start":"x"}""") + "&resourceVersion=1", 400, "specifying resource version is not allowed when using continue");
    }

    [Fact]
    public async Task A_resource_version_that_is_no_number_is_refused()
    {
        var (code, body) = await gateway.GetAsync("/api/v1/namespaces/default/configmaps?resourceVersion=abc");
        Assert.Equal((400, "invalid resource version: resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"), (code, Message(body)));
    }

    [Theory]
    [InlineData(Json, "{}", 400, "error decoding patch: json: cannot unmarshal object into Go value of type []interface {}")]
    [InlineData(Json, "1", 400, "error decoding patch: json: cannot unmarshal number into Go value of type []interface {}")]
    [InlineData(Json, "[1]", 400, "json: cannot unmarshal number into Go value of type jsonpatch.Operation")]
    [InlineData(Json, "[", 400, "error decoding patch: unexpected end of JSON input")]
    [InlineData(Json, "[null]", 422, "the server rejected our request due to an error in our request")]
    [InlineData(Json, """[{"op":"zap","path":"/data/a"}]""", 422, "the server rejected our request due to an error in our request")]
    [InlineData(Json, """[{"op":"test","path":"/data/a","value":"2"}]""", 422, "the server rejected our request due to an error in our request")]
    [InlineData(Json, """[{"op":"remove","path":"data"}]""", 422, "the server rejected our request due to an error in our request")]
    [InlineData(Json, """[{"op":"add","path":"","value":{}}]""", 422, "the server rejected our request due to an error in our request")]
    [InlineData(Json, """[{"op":"remove","path":"/apiVersion"}]""", 400, "the name of the object (refused based on URL) was undeterminable: name must be provided")]
    [InlineData(Merge, "[]", 400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}")]
    [InlineData(Merge, "1", 400, "error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}")]
    [InlineData(Merge, "null", 400, "Invalid JSON Patch")]
    [InlineData(Merge, """{"metadata":{"resourceVersion":"abc"}}""", 500, "strconv.ParseUint: parsing \"abc\": invalid syntax")]
    [InlineData(Strategic, "[]", 400, "json: cannot unmarshal array into Go value of type map[string]interface {}")]
    [InlineData(Strategic, "\"x\"", 400, "json: cannot unmarshal string into Go value of type map[string]interface {}")]
    [InlineData(Strategic, "{", 400, "unexpected end of JSON input")]
    [InlineData(Strategic, """{"$patch":"x"}""", 500, "unknown patch type: x in map: map[$patch:x]")]
    [InlineData(Strategic, """{"metadata":1}""", 422, " \"\" is invalid: patch: Invalid value: \"map[metadata:1]\": cannot restore struct from: int64")]
    [InlineData(Strategic, """{"data":["a"]}""", 422, " \"\" is invalid: patch: Invalid value: \"map[data:[a]]\": cannot restore map from slice")]
    [InlineData(Strategic, """{"data":{"a":1}}""", 422, " \"\" is invalid: patch: Invalid value: \"map[data:map[a:1]]\": cannot convert int64 to string")]
    [InlineData(Strategic, """{"metadata":{"finalizers":"a"}}""", 422, " \"\" is invalid: patch: Invalid value: \"map[metadata:map[finalizers:a]]\": cannot restore slice from string")]
    [InlineData(Strategic, """{"$setElementOrder/zzz":[]}""", 500, "unable to find api field in struct ConfigMap for the json field \"zzz\"")]
    [InlineData("application/json", "{}", 415, "415: Unsupported Media Type")]
    public async Task Patches_are_refused_in_the_words_of_the_field(string type, string patch, int code, string words)
    {
        await gateway.PostAsync("/api/v1/namespaces/default/configmaps", """{"metadata":{"name":"refused"},"data":{"a":"1"}}""");
        var (answered, body) = await gateway.SendAsync(HttpMethod.Patch, "/api/v1/namespaces/default/configmaps/refused", patch, type);
        Assert.Equal((code, words), (answered, Message(body)));
        Assert.Equal(code == 500, body["reason"] is null);
    }

    [Theory]
    [InlineData(Json, "null")]
    [InlineData(Strategic, "null")]
    [InlineData(Json, """[{"op":"remove","path":"/kind"}]""")]
    public async Task Patches_that_say_nothing_change_nothing(string type, string patch)
    {
        var (_, made) = await gateway.PostAsync("/api/v1/namespaces/default/configmaps", $$$"""{"metadata":{"name":"same-{{{patch.Length.ToString(CultureInfo.InvariantCulture)}}}-{{{type.Length.ToString(CultureInfo.InvariantCulture)}}}"}}""");
        var (code, body) = await gateway.SendAsync(HttpMethod.Patch, "/api/v1/namespaces/default/configmaps/" + made["metadata"]!["name"], patch, type);
        Assert.Equal((200, made["metadata"]!["resourceVersion"]!.ToString()), (code, body["metadata"]!["resourceVersion"]!.ToString()));
    }

    private static string Encode(string json) => Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static string? Message(JsonObject status) => status["message"]?.ToString();

    private async Task IsRefusedAsync(string token, int code, string message)
    {
        var (answered, body) = await gateway.GetAsync(Lists + token);
        Assert.Equal((code, message), (answered, Message(body)));
    }
}
