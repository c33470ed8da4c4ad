using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Apply;

/// <summary>Configurations and lists of managers that nobody should send, and what Kubernetes makes of them.</summary>
[Collection("gateway")]
public sealed class OddConfigurationTests(GatewayHost host)
{
    private const string Maps = "/api/v1/namespaces/default/configmaps/";

    [Theory]
    [InlineData("5")]
    [InlineData("0")]
    public async Task A_version_of_what_is_not_there_does_not_count(string version)
    {
        var (code, made) = await host.ApplyAsync(Maps + "odd-new-" + version, "one", Map("odd-new-" + version, $",\"resourceVersion\":\"{version}\""));
        Assert.Equal(201, code);
        Assert.NotEqual(version, made.Version());
    }

    [Theory]
    [InlineData("odd-none", ",\"resourceVersion\":\"abc\"", 500, "strconv.ParseUint: parsing \"abc\": invalid syntax")]
    [InlineData("odd-none", ",\"uid\":\"abc\"", 409, "Operation cannot be fulfilled on configmaps \"odd-none\": uid mismatch: the provided object specified uid abc, and no existing object was found")]
    [InlineData("odd-none", ",\"namespace\":\"other\"", 400, "the namespace of the object (other) does not match the namespace on the request (default)")]
    [InlineData("odd-there", ",\"namespace\":\"other\"", 400, "the namespace of the object (other) does not match the namespace on the request (default)")]
    [InlineData("odd-there", ",\"resourceVersion\":\"1\"", 409, "Operation cannot be fulfilled on configmaps \"odd-there\": the object has been modified; please apply your changes to the latest version and try again")]
    [InlineData("odd-there", ",\"resourceVersion\":\"abc\"", 500, "strconv.ParseUint: parsing \"abc\": invalid syntax")]
    [InlineData("odd-there", ",\"uid\":\"abc\"", 422, "ConfigMap \"odd-there\" is invalid: metadata.uid: Invalid value: \"abc\": field is immutable")]
    [InlineData("odd-there", ",\"managedFields\":[]", 400, "metadata.managedFields must be nil")]
    public async Task Preconditions_and_names_of_a_configuration(string name, string more, int code, string message)
    {
        await host.PostAsync(Maps.TrimEnd('/'), """{"metadata":{"name":"odd-there"}}""");
        var (answered, status) = await host.ApplyAsync(Maps + name, "one", Map(name, more));
        Assert.Equal((code, message), (answered, status["message"]?.ToString()));
    }

    [Fact]
    public async Task A_configuration_of_another_name_is_refused_whether_the_object_is_there_or_not()
    {
        var (code, status) = await host.ApplyAsync(Maps + "odd-name", "one", Map("other", ""));
        Assert.Equal((400, "the name of the object (other) does not match the name on the URL (odd-name)"), (code, status["message"]?.ToString()));
    }

    [Theory]
    [InlineData("", "invalid object type: /, Kind=")]
    [InlineData("null", "invalid object type: /, Kind=")]
    [InlineData("{}", "invalid object type: /, Kind=")]
    [InlineData("[]", "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}")]
    [InlineData("1", "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal number into Go value of type map[string]interface {}")]
    [InlineData("abc", "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type map[string]interface {}")]
    public async Task Documents_that_are_no_configuration(string body, string message)
    {
        await host.PostAsync(Maps.TrimEnd('/'), """{"metadata":{"name":"odd-there"}}""");
        var (code, status) = await host.ApplyAsync(Maps + "odd-there", "one", body);
        Assert.Equal((400, message), (code, status["message"]?.ToString()));
    }

    [Fact]
    public async Task Metadata_without_a_field_is_owned_by_nobody()
    {
        await host.PostAsync(Maps.TrimEnd('/'), """{"metadata":{"name":"odd-empty"}}""");
        var (code, obj) = await host.ApplyAsync(Maps + "odd-empty", "one", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}""");
        Assert.Equal((200, (string?)null), (code, obj.Fields("one")));
    }

    // What cannot be read is as if nothing was said: the owners stay. What says nothing of fields is no owner.
    [Theory]
    [InlineData("""{"x":{}}""", "first w")]
    [InlineData("""{"f:data":{"k:x":{}}}""", "first w")]
    [InlineData("""{"f:data":{"v:x":{}}}""", "first w")]
    [InlineData("""{"f:data":{"i:x":{}}}""", "first w")]
    [InlineData("""{"f:data":"x"}""", "first w")]
    [InlineData("{}", "w")]
    [InlineData("null", "w")]
    [InlineData("""{"f:data":{"k:{}":{}}}""", "w z")]
    [InlineData("""{"f:data":{"f:kept":{}}}""", "w z")]
    [InlineData("""{"f:data":{"y:later":{},"f:kept":{}}}""", "w z")]
    public async Task Managers_that_a_writer_gives(string fields, string managers)
    {
        var (_, made) = await host.SendAsync(HttpMethod.Post, Maps.TrimEnd('/') + "?fieldManager=first", """{"metadata":{"generateName":"odd-managers-"},"data":{"kept":"1"}}""");
        var name = made["metadata"]!["name"]!.ToString();
        Assert.Equal(managers, await PutAsync(name, $$$"""[{"manager":"z","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{{{fields}}}}]"""));
    }

    [Fact]
    public async Task Managers_of_what_is_no_version_are_forgotten_with_all_others()
    {
        var (_, made) = await host.SendAsync(HttpMethod.Post, Maps.TrimEnd('/') + "?fieldManager=first", """{"metadata":{"generateName":"odd-version-"},"data":{"kept":"1"}}""");
        Assert.Equal("", await PutAsync(made["metadata"]!["name"]!.ToString(), """[{"manager":"z","operation":"Update","apiVersion":"a/b/c","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}}}]"""));
    }

    private async Task<string> PutAsync(string name, string managers)
    {
        var (code, put) = await host.PutAsync(Maps + name, "w", JsonNode.Parse($$$"""{"metadata":{"name":"{{{name}}}","managedFields":{{{managers}}}},"data":{"kept":"1","a":"2"}}""")!.AsObject());
        Assert.Equal(200, code);
        return string.Join(' ', put.Managers().Select(static e => e["manager"]!.ToString()).Order(StringComparer.Ordinal));
    }

    private static string Map(string name, string more) => $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"{{{more}}}},"data":{"a":"1"}}""";
}
