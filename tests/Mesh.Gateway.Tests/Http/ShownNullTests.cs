using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Fields that Kubernetes' own types show as null when nobody set them.</summary>
[Collection("gateway")]
public sealed class ShownNullTests(GatewayHost gateway)
{
    private const string Events = "/apis/events.k8s.io/v1/namespaces/default/events";

    [Theory]
    [InlineData("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", """{"metadata":{"name":"null-role"}}""", "rules")]
    [InlineData("/apis/rbac.authorization.k8s.io/v1/clusterroles", """{"metadata":{"name":"null-role"},"rules":[]}""", "rules")]
    [InlineData("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", """{"metadata":{"name":"null-slice"},"addressType":"IPv4","endpoints":[]}""", "endpoints", "ports")]
    [InlineData("/api/v1/namespaces/default/events", """{"metadata":{"name":"null-event"},"involvedObject":{"namespace":"default"}}""", "firstTimestamp", "lastTimestamp", "eventTime")]
    [InlineData("/apis/storage.k8s.io/v1/csinodes", """{"metadata":{"name":"null-node"},"spec":{"drivers":[]}}""", "spec.drivers")]
    [InlineData("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", """{"metadata":{"name":"null-hpa"},"spec":{"maxReplicas":2,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"}}}""", "status.currentMetrics")]
    public async Task Of_an_object(string path, string body, params string[] fields)
    {
        var (code, made) = await gateway.PostAsync(path, body);
        Assert.True(code == 201, made.ToJsonString());
        var (_, read) = await gateway.GetAsync(path + "/" + made["metadata"]!["name"]);
        var (_, list) = await gateway.GetAsync(path + "?fieldSelector=metadata.name=" + made["metadata"]!["name"]);
        foreach (var obj in new[] { made, read, list["items"]![0]!.AsObject() })
        {
            foreach (var field in fields)
                Assert.True(Shown(obj, field), field + " in " + obj.ToJsonString());
        }
    }

    [Fact]
    public async Task Of_conditions_and_nothing_of_a_template()
    {
        const string Pods = "/api/v1/namespaces/shown-null/pods";
        await gateway.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"shown-null"}}""");
        await gateway.PostAsync("/api/v1/namespaces/shown-null/serviceaccounts", """{"metadata":{"name":"default"}}""");
        var (code, pod) = await gateway.PostAsync(Pods, """{"metadata":{"name":"null-pod"},"spec":{"containers":[{"name":"a","image":"x"}]}}""");
        Assert.Equal(201, code);
        pod["status"]!["conditions"] = JsonNode.Parse("""[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]""");
        (code, pod) = await gateway.SendAsync(HttpMethod.Put, Pods + "/null-pod/status", pod.ToJsonString());
        Assert.Equal(200, code);
        var condition = pod["status"]!["conditions"]![0]!.AsObject();
        Assert.True(Shown(condition, "lastProbeTime"));
        Assert.NotNull(condition["lastTransitionTime"]);

        // What changes nothing is not written.
        var version = pod["metadata"]!["resourceVersion"]!.ToString();
        condition.Remove("lastProbeTime");
        (_, pod) = await gateway.SendAsync(HttpMethod.Put, Pods + "/null-pod/status", pod.ToJsonString());
        Assert.Equal(version, pod["metadata"]!["resourceVersion"]!.ToString());

        (_, var set) = await gateway.PostAsync("/apis/apps/v1/namespaces/default/replicasets",
            """{"metadata":{"name":"null-set"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"a","image":"x"}]}}}}""");
        Assert.False(set["spec"]!["template"]!["metadata"]!.AsObject().ContainsKey("creationTimestamp"));
    }

    [Fact]
    public async Task Of_an_event_by_its_other_name()
    {
        await gateway.PostAsync("/api/v1/namespaces/default/events", """{"metadata":{"name":"null-other"},"involvedObject":{"namespace":"default"}}""");
        var (_, other) = await gateway.GetAsync(Events + "/null-other");
        Assert.All(new[] { "eventTime", "deprecatedFirstTimestamp", "deprecatedLastTimestamp" }, field => Assert.True(Shown(other, field), other.ToJsonString()));
        Assert.False(other.ContainsKey("firstTimestamp"));
    }

    [Fact]
    public async Task Nobody_owns_what_is_null_in_every_new_object()
    {
        const string Roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
        const string Empty = """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"null-applied"}}""";
        const string Full = """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"null-applied"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}""";
        var (code, role) = await ApplyAsync(Roles, "one", Empty);
        Assert.Equal(201, code);
        Assert.True(Shown(role, "rules"));
        (code, role) = await ApplyAsync(Roles, "two", Full);
        Assert.True(code == 200, role.ToJsonString());
        (code, role) = await ApplyAsync(Roles, "two", Empty);
        Assert.Equal(200, code);
        Assert.True(Shown(role, "rules"), role.ToJsonString());

        var (_, posted) = await gateway.PostAsync(Roles + "?fieldManager=maker", """{"metadata":{"name":"null-posted","labels":{"a":"b"}}}""");
        Assert.DoesNotContain("f:rules", posted["metadata"]!["managedFields"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_keyed_list_that_was_null_is_owned_by_its_items()
    {
        const string Nodes = "/apis/storage.k8s.io/v1/csinodes";
        await ApplyAsync(Nodes, "one", """{"apiVersion":"storage.k8s.io/v1","kind":"CSINode","metadata":{"name":"null-keyed","labels":{"a":"b"}},"spec":{}}""");
        var (code, node) = await ApplyAsync(Nodes, "two", """{"apiVersion":"storage.k8s.io/v1","kind":"CSINode","metadata":{"name":"null-keyed"},"spec":{"drivers":[{"name":"d.e","nodeID":"n"}]}}""");
        Assert.True(code == 200, node.ToJsonString());
        Assert.Contains("\"f:drivers\":{\"k:{\\\"name\\\":\\\"d.e\\\"}\"", node["metadata"]!["managedFields"]!.ToJsonString().Replace("\\u0022", "\\\"", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private Task<(int Code, JsonObject Body)> ApplyAsync(string path, string manager, string config) => gateway.SendAsync(
        HttpMethod.Patch, $"{path}/{JsonNode.Parse(config)!["metadata"]!["name"]}?fieldManager={manager}", config, "application/apply-patch+yaml");

    private static bool Shown(JsonObject obj, string path)
    {
        JsonNode? at = obj;
        var names = path.Split('.');
        foreach (var name in names[..^1])
            at = at?[name];
        return at is JsonObject last && last.TryGetPropertyValue(names[^1], out var value) && value is null;
    }
}
