using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>dryRun=All: every verb answers as if it had done it, and the store is as it was.</summary>
[Collection("gateway")]
public sealed class DryRunWishes(GatewayHost api)
{
    private const string Deployment = """
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME","labels":{"l":"NEW"}},"spec":{"replicas":NUMBER,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}
        """;

    private const string Scale = """{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"there"},"spec":{"replicas":7}}""";
    private const string Merge = "application/merge-patch+json";
    private const string Json = "application/json-patch+json";
    private const string Strategic = "application/strategic-merge-patch+json";
    private const string Apply = "application/apply-patch+yaml";
    private const string Status = """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"there"},"status":{"observedGeneration":9}}""";

    [Theory, Compatibility(13)]
    [InlineData("POST", "", "application/json", "NEW", 201)]
    [InlineData("PUT", "/there", "application/json", "OLD", 200)]
    [InlineData("PATCH", "/there", Merge, """{"spec":{"replicas":5}}""", 200)]
    [InlineData("PATCH", "/there", Strategic, """{"spec":{"replicas":5}}""", 200)]
    [InlineData("PATCH", "/there", Json, """[{"op":"replace","path":"/spec/replicas","value":5}]""", 200)]
    [InlineData("PATCH", "/there", Apply, "OLD", 200)]
    [InlineData("PATCH", "/new", Apply, "NEW", 201)]
    [InlineData("DELETE", "/there", "application/json", null, 200)]
    [InlineData("DELETE", "/there", "application/json", """{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Foreground"}""", 200)]
    [InlineData("DELETE", "", "application/json", null, 200)]
    [InlineData("PUT", "/there/status", "application/json", Status, 200)]
    [InlineData("PATCH", "/there/status", Merge, """{"status":{"observedGeneration":9}}""", 200)]
    [InlineData("PATCH", "/there/status", Strategic, """{"status":{"observedGeneration":9}}""", 200)]
    [InlineData("PATCH", "/there/status", Json, """[{"op":"add","path":"/status/observedGeneration","value":9}]""", 200)]
    [InlineData("PATCH", "/there/status", Apply, Status, 200)]
    [InlineData("PUT", "/there/scale", "application/json", Scale, 200)]
    [InlineData("PATCH", "/there/scale", Merge, """{"spec":{"replicas":7}}""", 200)]
    [InlineData("PATCH", "/there/scale", Json, """[{"op":"replace","path":"/spec/replicas","value":7}]""", 200)]
    [InlineData("PATCH", "/there/scale", Apply, Scale, 200)]
    public async Task Nothing_is_stored(string method, string path, string type, string? body, int code)
    {
        var all = (await api.NamespaceAsync("dry")).In("apps/v1") + "/deployments";
        await api.MakeAsync(all, Text("there", "old", 1));
        var before = await StoredAsync(all);
        body = body switch { "NEW" => Text("new", "new", 1), "OLD" => Text("there", "new", 5), _ => body };
        var (got, answer) = await api.SendAsync(new HttpMethod(method), $"{all}{path}?dryRun=All{(method == "PATCH" ? "&fieldManager=dry" + (type == Apply ? "&force=true" : "") : "")}", body, type);

        Assert.True(got == code, answer.ToJsonString());
        if (method != "DELETE") Assert.Matches("""("replicas":[57])|("observedGeneration":9)|("name":"new")""", answer.ToJsonString());
        Assert.Equal(before, await StoredAsync(all));
    }

    [Theory, Compatibility(13)]
    [InlineData("pods/p/eviction", """{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}""", "?dryRun=All")]
    [InlineData("pods/p/eviction", """{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"},"deleteOptions":{"dryRun":["All"]}}""", "")]
    [InlineData("pods/p/binding", """{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}""", "?dryRun=All")]
    public async Task Nothing_is_done_to_a_pod(string path, string body, string query)
    {
        var ns = await api.NamespaceAsync("drypod");
        await api.MakeAsync(ns + "/serviceaccounts", """{"metadata":{"name":"default"}}""");
        await api.MakeAsync(ns + "/pods", """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}""");
        var before = await StoredAsync(ns + "/pods");
        var (code, answer) = await api.PostAsync($"{ns}/{path}{query}", body);
        Assert.True(code == 201, answer.ToJsonString());
        Assert.Equal(before, await StoredAsync(ns + "/pods"));
    }

    [Theory, Compatibility(13)]
    [InlineData("POST", "", "CreateOptions")]
    [InlineData("PUT", "/m", "UpdateOptions")]
    [InlineData("PATCH", "/m", "PatchOptions")]
    [InlineData("DELETE", "/m", "DeleteOptions")]
    public async Task Another_word_is_refused(string method, string path, string options)
    {
        var maps = await api.NamespaceAsync("dryword") + "/configmaps";
        if (method != "POST") await api.MakeAsync(maps, """{"metadata":{"name":"m"}}""");
        var (code, status) = await api.SendAsync(
            new HttpMethod(method), $"{maps}{path}?dryRun=Some", method == "DELETE" ? null : """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"}}""", method == "PATCH" ? Merge : "application/json");
        Assert.Equal((422, $"{options}.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\""), (code, (string?)status["message"]));
    }

    private static string Text(string name, string label, int replicas) => Deployment.Replace("NAME", name).Replace("\"NEW\"", $"\"{label}\"").Replace("NUMBER", $"{replicas}");

    /// <summary>All that is stored, with its versions.</summary>
    private async Task<string> StoredAsync(string path) => ((JsonObject)await api.ReadAsync(path))["items"]!.ToJsonString();
}
