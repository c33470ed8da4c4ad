using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Http;

[Collection("gateway")]
public sealed class ObjectLifeTests(GatewayHost gateway)
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    [Fact]
    public async Task Create_answers_201_with_what_the_server_fills_in()
    {
        var (code, body) = await gateway.PostAsync(Maps, """{"metadata":{"name":"life-create"},"data":{"k":"v"}}""");

        Assert.Equal(201, code);
        Assert.Equal("ConfigMap", (string?)body["kind"]);
        Assert.Equal("default", (string?)body["metadata"]!["namespace"]);
        Assert.True(Guid.TryParse((string?)body["metadata"]!["uid"], out _));
        Assert.True(long.Parse((string)body["metadata"]!["resourceVersion"]!) > 0);
    }

    [Fact]
    public async Task A_second_create_of_the_name_is_409_AlreadyExists()
    {
        await gateway.PostAsync(Maps, """{"metadata":{"name":"life-twice"}}""");
        var (code, body) = await gateway.PostAsync(Maps, """{"metadata":{"name":"life-twice"}}""");

        Assert.Equal(409, code);
        Assert.Equal("AlreadyExists", (string?)body["reason"]);
        Assert.Equal("configmaps \"life-twice\" already exists", (string?)body["message"]);
    }

    [Fact]
    public async Task generateName_gives_different_names()
    {
        var (_, a) = await gateway.PostAsync(Maps, """{"metadata":{"generateName":"life-gen-"}}""");
        var (_, b) = await gateway.PostAsync(Maps, """{"metadata":{"generateName":"life-gen-"}}""");

        Assert.Matches("^life-gen-[a-z0-9]{5}$", (string?)a["metadata"]!["name"]);
        Assert.NotEqual((string?)a["metadata"]!["name"], (string?)b["metadata"]!["name"]);
    }

    [Fact]
    public async Task An_update_with_an_old_resourceVersion_is_409_Conflict()
    {
        var (_, first) = await gateway.PostAsync(Maps, """{"metadata":{"name":"life-conflict"},"data":{"k":"1"}}""");
        first["data"]!["k"] = "2";
        var (ok, _) = await gateway.SendAsync(HttpMethod.Put, Maps + "/life-conflict", first.ToJsonString());
        first["data"]!["k"] = "3";
        var (code, body) = await gateway.SendAsync(HttpMethod.Put, Maps + "/life-conflict", first.ToJsonString());

        Assert.Equal(200, ok);
        Assert.Equal(409, code);
        Assert.Contains("the object has been modified", (string?)body["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_changes_nothing_keeps_the_resourceVersion()
    {
        var (_, first) = await gateway.PostAsync(Maps, """{"metadata":{"name":"life-same"},"data":{"k":"1"}}""");
        var (_, second) = await gateway.SendAsync(HttpMethod.Patch, Maps + "/life-same", """{"data":{"k":"1"}}""", "application/merge-patch+json");

        Assert.Equal((string?)first["metadata"]!["resourceVersion"], (string?)second["metadata"]!["resourceVersion"]);
    }

    [Theory]
    [InlineData("application/merge-patch+json", """{"data":{"a":null,"b":"2"}}""")]
    [InlineData("application/strategic-merge-patch+json", """{"data":{"a":null,"b":"2"}}""")]
    [InlineData("application/json-patch+json", """[{"op":"remove","path":"/data/a"},{"op":"add","path":"/data/b","value":"2"}]""")]
    public async Task Every_patch_form_changes_the_object(string type, string patch)
    {
        var name = "life-patch-" + type[12..15];
        await gateway.PostAsync(Maps, $$$$"""{"metadata":{"name":"{{{{name}}}}"},"data":{"a":"1"}}""");
        var (code, body) = await gateway.SendAsync(HttpMethod.Patch, $"{Maps}/{name}", patch, type);

        Assert.Equal(200, code);
        Assert.Equal("""{"b":"2"}""", body["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Delete_answers_Success_and_then_404()
    {
        await gateway.PostAsync(Maps, """{"metadata":{"name":"life-delete"}}""");
        var (code, body) = await gateway.SendAsync(HttpMethod.Delete, Maps + "/life-delete");
        var (after, _) = await gateway.GetAsync(Maps + "/life-delete");

        Assert.Equal((200, "Success"), (code, (string?)body["status"]));
        Assert.Equal(404, after);
    }

    [Fact]
    public async Task A_finalizer_holds_a_deleted_object_until_it_is_taken_off()
    {
        await gateway.PostAsync(Maps, """{"metadata":{"name":"life-final","finalizers":["example.com/hold"]}}""");
        var (_, deleting) = await gateway.SendAsync(HttpMethod.Delete, Maps + "/life-final");
        var (held, _) = await gateway.GetAsync(Maps + "/life-final");
        await gateway.SendAsync(HttpMethod.Patch, Maps + "/life-final", """{"metadata":{"finalizers":null}}""", "application/merge-patch+json");
        var (gone, _) = await gateway.GetAsync(Maps + "/life-final");

        Assert.NotNull(deleting["metadata"]!["deletionTimestamp"]);
        Assert.Equal(200, held);
        Assert.Equal(404, gone);
    }

    [Fact]
    public async Task A_dry_run_stores_nothing()
    {
        var (code, _) = await gateway.PostAsync(Maps + "?dryRun=All", """{"metadata":{"name":"life-dry"}}""");
        var (after, _) = await gateway.GetAsync(Maps + "/life-dry");

        Assert.Equal((201, 404), (code, after));
    }

    [Fact]
    public async Task A_delete_with_another_uid_is_409()
    {
        await gateway.PostAsync(Maps, """{"metadata":{"name":"life-uid"}}""");
        var (code, body) = await gateway.SendAsync(HttpMethod.Delete, Maps + "/life-uid", """{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"x"}}""");

        Assert.Equal(409, code);
        Assert.StartsWith("Operation cannot be fulfilled on ConfigMap \"life-uid\": the UID in the precondition (x) does not match the UID in record (", (string?)body["message"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("""{"metadata":{"name":"UPPER"}}""", 422)]
    [InlineData("""{"metadata":{}}""", 422)]
    [InlineData("""{"metadata":{"name":"x"},"data":{"k":1}}""", 400)]
    [InlineData("""{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}""", 400)]
    [InlineData("""{"metadata":{"name":"x","namespace":"other"}}""", 400)]
    [InlineData("""{"metadata":{"name":"x","resourceVersion":"5"}}""", 400)]
    public async Task A_bad_body_is_refused_with_a_Status(string body, int expected)
    {
        var (code, answer) = await gateway.PostAsync(Maps, body);

        Assert.Equal(expected, code);
        Assert.Equal("Failure", (string?)answer["status"]);
    }

    [Fact]
    public async Task Strict_validation_names_the_unknown_field()
    {
        var (code, body) = await gateway.PostAsync(Maps + "?fieldValidation=Strict", """{"metadata":{"name":"life-strict"},"foo":1}""");

        Assert.Equal(400, code);
        Assert.EndsWith("strict decoding error: unknown field \"foo\"", (string?)body["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warn_is_the_default_and_comes_as_a_header()
    {
        using var content = new StringContent("""{"metadata":{"name":"life-warn"},"foo":1}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await gateway.Client.PostAsync(new Uri(Maps, UriKind.Relative), content);

        Assert.Equal(201, (int)answer.StatusCode);
        Assert.Contains("299 - \"unknown field \\\"foo\\\"\"", answer.Headers.GetValues("Warning"));
    }

    [Fact]
    public async Task Status_and_spec_are_written_apart()
    {
        const string Path = "/api/v1/nodes";
        await gateway.PostAsync(Path, """{"metadata":{"name":"life-node"},"status":{"phase":"x"}}""");
        await gateway.SendAsync(HttpMethod.Patch, Path + "/life-node/status", """{"spec":{"unschedulable":true},"status":{"nodeInfo":{"architecture":"amd64","bootID":"","containerRuntimeVersion":"","kernelVersion":"","kubeProxyVersion":"","kubeletVersion":"v1","machineID":"","operatingSystem":"linux","osImage":"","systemUUID":""}}}""", "application/merge-patch+json");
        var (_, node) = await gateway.GetAsync(Path + "/life-node");

        Assert.Null(node["spec"]?["unschedulable"]);
        Assert.Equal("v1", (string?)node["status"]!["nodeInfo"]!["kubeletVersion"]);
    }
}
