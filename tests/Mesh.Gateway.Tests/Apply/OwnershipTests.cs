using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Apply;

/// <summary>managedFields of every other write: status, scale, editors of the list, the bridge from client-side apply.</summary>
[Collection("gateway")]
public sealed class OwnershipTests(GatewayHost host)
{
    private const string Maps = "/api/v1/namespaces/default/configmaps/";
    private const string Deployments = "/apis/apps/v1/namespaces/default/deployments/";
    private const string Annotation = "kubectl.kubernetes.io/last-applied-configuration";

    private static string Map(string name, string data) => """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"data":DATA}""".Replace("NAME", name, StringComparison.Ordinal).Replace("DATA", data, StringComparison.Ordinal);

    private static string Deployment(string name, int replicas) => """
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME"},"spec":{"replicas":REPLICAS,"selector":{"matchLabels":{"app":"x"}},
         "template":{"metadata":{"labels":{"app":"x"}},"spec":{"containers":[{"name":"web","image":"nginx"}]}}}}
        """.Replace("NAME", name, StringComparison.Ordinal).Replace("REPLICAS", replicas.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    [Fact]
    public async Task Status_and_spec_belong_to_who_writes_them_where_they_may()
    {
        await host.SendAsync(HttpMethod.Post, "/apis/apps/v1/namespaces/default/deployments?fieldManager=maker", Deployment("own-status", 1));
        var (_, ignored) = await host.PatchAsync(Deployments + "own-status", "cheat", """{"status":{"replicas":7}}""");
        Assert.Null(ignored.Entry("cheat", "Update"));
        var (_, after) = await host.PatchAsync(Deployments + "own-status/status", "controller", """{"metadata":{"annotations":{"a":"1"},"labels":{"l":"1"}},"spec":{"replicas":9},"status":{"replicas":3}}""");
        Assert.Equal("""{"f:metadata":{"f:annotations":{".":{},"f:a":{}}},"f:status":{"f:replicas":{}}}""", after.Fields("controller", "Update", "status"));
        Assert.Equal("1", after["spec"]!["replicas"]!.ToString());
        Assert.Equal("1", after["metadata"]!["annotations"]!["a"]!.ToString());
        Assert.Null(after["metadata"]!["labels"]);
    }

    [Fact]
    public async Task Status_can_be_applied_and_needs_an_object()
    {
        await host.SendAsync(HttpMethod.Post, "/apis/apps/v1/namespaces/default/deployments?fieldManager=maker", Deployment("own-apply-status", 1));
        const string Body = """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"own-apply-status"},"spec":{"replicas":5},"status":{"conditions":[{"type":"Foo","status":"True"}]}}""";
        var (code, after) = await host.ApplyAsync(Deployments + "own-apply-status/status", "st", Body, "&force=true");
        Assert.Equal(200, code);
        Assert.Equal("""{"f:status":{"f:conditions":{"k:{\"type\":\"Foo\"}":{".":{},"f:status":{},"f:type":{}}}}}""", after.Fields("st", "Apply", "status"));
        Assert.Equal("1", after["spec"]!["replicas"]!.ToString());
        (code, after) = await host.ApplyAsync(Deployments + "own-apply-status/status", "st", """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"own-apply-status"}}""");
        Assert.Equal(200, code);
        Assert.Null(after["status"]!["conditions"]);
        Assert.Equal(404, (await host.ApplyAsync(Deployments + "own-nothing/status", "st", Body.Replace("own-apply-status", "own-nothing", StringComparison.Ordinal))).Code);
    }

    [Fact]
    public async Task Scale_owns_the_replicas_of_the_object()
    {
        await host.ApplyAsync(Deployments + "own-scale", "one", Deployment("own-scale", 1));
        const string Scale = """{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"own-scale"},"spec":{"replicas":REPLICAS}}""";
        var (code, status) = await host.ApplyAsync(Deployments + "own-scale/scale", "scaler", Scale.Replace("REPLICAS", "2", StringComparison.Ordinal));
        Assert.Equal((409, "Apply failed with 1 conflict: conflict with \"one\": .spec.replicas"), (code, status["message"]!.ToString()));
        (code, _) = await host.ApplyAsync(Deployments + "own-scale/scale", "scaler", Scale.Replace("REPLICAS", "2", StringComparison.Ordinal), "&force=true");
        Assert.Equal(200, code);
        var (_, obj) = await host.GetAsync(Deployments + "own-scale");
        Assert.Equal("""{"f:spec":{"f:replicas":{}}}""", obj.Fields("scaler", "Apply", "scale"));
        Assert.Equal("apps/v1", obj.Entry("scaler", "Apply", "scale")!["apiVersion"]!.ToString());
        Assert.DoesNotContain("f:replicas", obj.Fields("one"));

        (_, status) = await host.ApplyAsync(Deployments + "own-scale", "one", Deployment("own-scale", 3));
        Assert.Equal("Apply failed with 1 conflict: conflict with \"scaler\" with subresource \"scale\": .spec.replicas", status["message"]!.ToString());
        await host.PatchAsync(Deployments + "own-scale/scale", "hand", """{"spec":{"replicas":4}}""");
        (_, obj) = await host.GetAsync(Deployments + "own-scale");
        Assert.Null(obj.Entry("scaler", "Apply", "scale"));
        Assert.Equal("""{"f:spec":{"f:replicas":{}}}""", obj.Fields("hand", "Update", "scale"));
    }

    [Fact]
    public async Task Nothing_new_is_not_written()
    {
        var (_, made) = await host.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/configmaps?fieldManager=maker", Map("own-same", """{"a":"1"}"""));
        var (_, put) = await host.PutAsync(Maps + "own-same", "other", (JsonObject)made.DeepClone());
        Assert.Equal(made.Version(), put.Version());
        Assert.Equal("maker", Assert.Single(put.Managers())["manager"]!.ToString());
        var bare = (JsonObject)made.DeepClone();
        ((JsonObject)bare["metadata"]!).Remove("managedFields");
        var (_, again) = await host.PutAsync(Maps + "own-same", "other", bare);
        Assert.Equal(made.Version(), again.Version());
        Assert.Single(again.Managers());
        var (_, patched) = await host.PatchAsync(Maps + "own-same", "other", """{"data":{"a":"1"}}""");
        Assert.Equal(made.Version(), patched.Version());
    }

    [Fact]
    public async Task Writers_may_edit_the_list_and_what_cannot_be_read_is_ignored()
    {
        var (_, made) = await host.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/configmaps?fieldManager=maker", Map("own-edit", """{"a":"1","b":"1"}"""));
        var renamed = (JsonObject)made.DeepClone();
        renamed["metadata"]!["managedFields"]![0]!["manager"] = "heir";
        var (code, after) = await host.PutAsync(Maps + "own-edit", "editor", renamed);
        Assert.Equal(200, code);
        Assert.Equal("heir", Assert.Single(after.Managers())["manager"]!.ToString());
        Assert.NotEqual(made.Version(), after.Version());

        var broken = (JsonObject)after.DeepClone();
        broken["metadata"]!["managedFields"]![0]!["operation"] = "Steal";
        (code, after) = await host.PutAsync(Maps + "own-edit", "editor", broken);
        Assert.Equal((200, "heir"), (code, Assert.Single(after.Managers())["manager"]!.ToString()));

        var (tooLong, status) = await host.PatchAsync(Maps + "own-edit", "x", """{"metadata":{"managedFields":[{"manager":"LONG","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}}}]}}""".Replace("LONG", new string('m', 129), StringComparison.Ordinal));
        Assert.Equal(422, tooLong);
        Assert.Contains("metadata.managedFields[0].manager: Too long: may not be more than 128 bytes", status["message"]!.ToString(), StringComparison.Ordinal);

        (_, after) = await host.PatchAsync(Maps + "own-edit", "x", """[{"op":"replace","path":"/metadata/managedFields","value":[]}]""", "application/json-patch+json");
        Assert.Empty(after.Managers());
    }

    [Fact]
    public async Task A_manager_that_is_too_long_or_unprintable_is_refused()
    {
        var (code, status) = await host.PatchAsync(Maps + "own-none", new string('m', 129), "{}");
        Assert.Equal((422, "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Too long: may not be more than 128 bytes"), (code, status["message"]!.ToString()));
        (code, status) = await host.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/configmaps?fieldManager=a%09b", Map("own-none", "{}"));
        Assert.Equal((422, "CreateOptions.meta.k8s.io \"\" is invalid: fieldManager: Invalid value: \"a\\tb\": invalid character U+0009 (at position 1)"), (code, status["message"]!.ToString()));
    }

    [Fact]
    public async Task Eleven_updaters_are_ten()
    {
        await host.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/configmaps?fieldManager=m0", Map("own-many", """{"k0":"1"}"""));
        JsonObject after = [];
        for (var i = 1; i <= 11; i++) (_, after) = await host.PatchAsync(Maps + "own-many", "m" + i, $$$"""{"data":{"k{{{i}}}":"1"}}""");
        Assert.Equal(10, after.Managers().Count());
        Assert.NotNull(after.Entry("ancient-changes", "Update"));
    }

    [Fact]
    public async Task Kubectl_may_take_what_it_applied_on_its_own_side_before_and_keeps_the_annotation_in_step()
    {
        var obj = JsonNode.Parse(Map("own-csa", """{"a":"1","b":"1"}"""))!.AsObject();
        obj["metadata"]!["annotations"] = new JsonObject { [Annotation] = Map("own-csa", """{"a":"1","b":"1"}""") };
        await host.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/configmaps?fieldManager=kubectl-client-side-apply", obj.ToJsonString());
        Assert.Equal(409, (await host.ApplyAsync(Maps + "own-csa", "somebody", Map("own-csa", """{"a":"2"}"""))).Code);
        var (code, after) = await host.ApplyAsync(Maps + "own-csa", "kubectl", Map("own-csa", """{"a":"2"}"""));
        Assert.Equal(200, code);
        Assert.Equal("2", after["data"]!["a"]!.ToString());
        var applied = after["metadata"]!["annotations"]![Annotation]!.ToString();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Map("own-csa", """{"a":"2"}""")), JsonNode.Parse(applied)));

        // What somebody else changed meanwhile is a conflict for kubectl, too.
        await host.PatchAsync(Maps + "own-csa", "hand", """{"data":{"b":"3"}}""");
        (code, var status) = await host.ApplyAsync(Maps + "own-csa", "kubectl", Map("own-csa", """{"a":"2","b":"4"}"""));
        Assert.Equal((409, "Apply failed with 1 conflict: conflict with \"hand\" using v1: .data.b"), (code, status["message"]!.ToString()));
    }

    [Fact]
    public async Task Managers_of_another_version_lose_fields_by_their_names_there()
    {
        const string V2 = """{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"own-hpa"},"spec":{"maxReplicas":5,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"x"},"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}]}}""";
        const string Path = "/apis/autoscaling/VERSION/namespaces/default/horizontalpodautoscalers/own-hpa";
        var (code, _) = await host.ApplyAsync(Path.Replace("VERSION", "v2", StringComparison.Ordinal), "two", V2);
        Assert.Equal(201, code);
        (code, var after) = await host.PatchAsync(Path.Replace("VERSION", "v1", StringComparison.Ordinal), "one", """{"spec":{"targetCPUUtilizationPercentage":80}}""");
        Assert.Equal(200, code);
        Assert.Equal("""{"f:spec":{"f:targetCPUUtilizationPercentage":{}}}""", after.Fields("one", "Update"));
        Assert.DoesNotContain("f:metrics", after.Fields("two"));
        Assert.Contains("f:maxReplicas", after.Fields("two"));
    }

    [Fact]
    public async Task Owners_go_out_in_protobuf_and_stay_after_a_deletion_began()
    {
        await host.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/configmaps?fieldManager=maker", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"own-del","finalizers":["example.com/x"]},"data":{"a":"1"}}""");
        using var request = new HttpRequestMessage(HttpMethod.Get, Maps + "own-del");
        request.Headers.TryAddWithoutValidation("Accept", "application/vnd.kubernetes.protobuf");
        using var answer = await host.Client.SendAsync(request);
        var decoded = Mesh.Api.Codecs.ProtobufCodec.Decode(await answer.Content.ReadAsByteArrayAsync());
        Assert.Contains("f:data", decoded.Fields("maker", "Update"));
        var (_, deleting) = await host.SendAsync(HttpMethod.Delete, Maps + "own-del");
        Assert.NotNull(deleting["metadata"]!["deletionTimestamp"]);
        Assert.Contains("f:finalizers", deleting.Fields("maker", "Update"));
        var (_, gone) = await host.PatchAsync(Maps + "own-del", "x", """{"metadata":{"finalizers":null}}""");
        Assert.NotNull(gone);
    }
}
