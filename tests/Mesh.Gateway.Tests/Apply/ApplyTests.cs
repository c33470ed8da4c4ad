using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Apply;

/// <summary>Server-side apply over REST: creating, owning, conflicting, taking, giving back.</summary>
[Collection("gateway")]
public sealed class ApplyTests(GatewayHost host)
{
    private const string Maps = "/api/v1/namespaces/default/configmaps/";
    private const string Deployments = "/apis/apps/v1/namespaces/default/deployments/";

    private static string Map(string name, string data, string more = "") =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"{{{more}}}},"data":{{{data}}} }""";

    private static string Deployment(string name, string spec = "", string containers = """[{"name":"web","image":"nginx:1"}]""") => $$$"""
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"{{{name}}}","labels":{"app":"{{{name}}}"}},
         "spec":{{{{spec}}}"selector":{"matchLabels":{"app":"{{{name}}}"}},"template":{"metadata":{"labels":{"app":"{{{name}}}"}},"spec":{"containers":{{{containers}}} } } } }
        """;

    [Fact]
    public async Task What_is_not_there_is_created_and_owned()
    {
        var (code, made) = await host.ApplyAsync(Maps + "ssa-new", "first", Map("ssa-new", """{"a":"1"}""", ""","labels":{"x":"y"}"""));
        Assert.Equal(201, code);
        Assert.Equal("""{"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:x":{}}}}""", made.Fields("first"));
        var entry = made.Entry("first")!;
        Assert.Equal("v1", entry["apiVersion"]!.ToString());
        Assert.Equal("FieldsV1", entry["fieldsType"]!.ToString());
        Assert.Equal(made["metadata"]!["creationTimestamp"]!.ToString(), entry["time"]!.ToString());

        var (again, same) = await host.ApplyAsync(Maps + "ssa-new", "first", Map("ssa-new", """{"a":"1"}""", ""","labels":{"x":"y"}"""));
        Assert.Equal(200, again);
        Assert.Equal(made.Version(), same.Version());
    }

    /// <summary>Seen at a kube-apiserver: it compares what was written with what is stored, as text.</summary>
    [Fact]
    public async Task Another_spelling_of_a_quantity_is_another_value()
    {
        static string Asking(string cpu) => Deployment("ssa-spelled", containers: $$$$"""[{"name":"web","image":"nginx:1","resources":{"requests":{"cpu":"{{{{cpu}}}}"}}}]""");
        var (code, made) = await host.ApplyAsync(Deployments + "ssa-spelled", "one", Asking("100m"));
        Assert.Equal(201, code);
        var (refused, status) = await host.ApplyAsync(Deployments + "ssa-spelled", "two", Asking("0.1"));
        Assert.Equal(
            (409, "Apply failed with 1 conflict: conflict with \"one\": .spec.template.spec.containers[name=\"web\"].resources.requests.cpu"),
            (refused, (string?)status["message"]));

        // Who is alone with it changes nothing.
        var (again, same) = await host.ApplyAsync(Deployments + "ssa-spelled", "one", Asking("0.1"));
        Assert.Equal((200, made.Version()), (again, same.Version()));
        var (shared, _) = await host.ApplyAsync(Deployments + "ssa-spelled", "two", Asking("100m"));
        Assert.Equal(200, shared);

        var (forced, taken) = await host.ApplyAsync(Deployments + "ssa-spelled", "two", Asking("0.1"), "&force=true");
        Assert.Equal((200, "100m"), (forced, (string?)taken["spec"]!["template"]!["spec"]!["containers"]![0]!["resources"]!["requests"]!["cpu"]));
        Assert.DoesNotContain("f:cpu", taken.Fields("one")!, StringComparison.Ordinal);
        Assert.Contains("f:cpu", taken.Fields("two")!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Yaml_is_read_as_well()
    {
        var (code, made) = await host.ApplyAsync(Maps + "ssa-yaml", "y", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ssa-yaml\ndata:\n  k: v\n");
        Assert.Equal(201, code);
        Assert.Equal("v", made["data"]!["k"]!.ToString());
    }

    [Fact]
    public async Task A_creator_owns_everything_it_sent()
    {
        var (_, made) = await host.SendAsync(HttpMethod.Post, "/apis/apps/v1/namespaces/default/deployments?fieldManager=maker", Deployment("ssa-created"));
        var fields = JsonNode.Parse(made.Fields("maker", "Update")!)!;
        Assert.Equal("{}", fields["f:spec"]!["f:replicas"]!.ToJsonString());
        Assert.Null(fields["f:spec"]!["."]);
        Assert.Equal("{}", fields["f:metadata"]!["f:labels"]!["."]!.ToJsonString());
        var container = fields["f:spec"]!["f:template"]!["f:spec"]!["f:containers"]!["""k:{"name":"web"}"""]!;
        Assert.Equal("{}", container["."]!.ToJsonString());
        Assert.Equal("{}", container["f:image"]!.ToJsonString());
        Assert.Equal("{}", container["f:resources"]!.ToJsonString());
        Assert.Null(fields["f:status"]);
        Assert.Null(fields["f:metadata"]!["f:name"]);
    }

    [Fact]
    public async Task Who_does_not_say_is_known_by_the_user_agent()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/namespaces/default/configmaps") { Content = new StringContent(Map("ssa-agent", """{"a":"1"}"""), null, "application/json") };
        request.Headers.TryAddWithoutValidation("User-Agent", "kubectl-create/v1.36 (linux/amd64)");
        using var answer = await host.Client.SendAsync(request);
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
        Assert.Equal("""{"f:data":{".":{},"f:a":{}}}""", made.Fields("kubectl-create", "Update"));
    }

    [Fact]
    public async Task Another_appliers_value_is_a_conflict_until_forced()
    {
        await host.ApplyAsync(Deployments + "ssa-conflict", "one", Deployment("ssa-conflict", "\"replicas\":1,"));
        var (code, status) = await host.ApplyAsync(Deployments + "ssa-conflict", "two", Deployment("ssa-conflict", "\"replicas\":2,"));
        Assert.Equal(409, code);
        Assert.Equal("Conflict", status["reason"]!.ToString());
        Assert.Equal("Apply failed with 1 conflict: conflict with \"one\": .spec.replicas", status["message"]!.ToString());
        var cause = status["details"]!["causes"]![0]!;
        Assert.Equal("FieldManagerConflict", cause["reason"]!.ToString());
        Assert.Equal("conflict with \"one\"", cause["message"]!.ToString());
        Assert.Equal(".spec.replicas", cause["field"]!.ToString());

        var (forced, after) = await host.ApplyAsync(Deployments + "ssa-conflict", "two", Deployment("ssa-conflict", "\"replicas\":2,"), "&force=true");
        Assert.Equal(200, forced);
        Assert.Equal("2", after["spec"]!["replicas"]!.ToString());
        Assert.DoesNotContain("f:replicas", after.Fields("one"));
        Assert.Contains("f:replicas", after.Fields("two"));
    }

    [Fact]
    public async Task Several_conflicts_are_listed_by_manager()
    {
        await host.ApplyAsync(Deployments + "ssa-many", "one", Deployment("ssa-many", "\"replicas\":1,"));
        await host.PatchAsync(Deployments + "ssa-many", "edit", """{"spec":{"paused":true}}""");
        var (code, status) = await host.ApplyAsync(
            Deployments + "ssa-many", "two", Deployment("ssa-many", "\"replicas\":3,\"paused\":false,", """[{"name":"web","image":"nginx:2"}]"""));
        Assert.Equal(409, code);
        Assert.Equal(
            """
            Apply failed with 3 conflicts: conflicts with "edit" using apps/v1:
            - .spec.paused
            conflicts with "one":
            - .spec.replicas
            - .spec.template.spec.containers[name="web"].image
            """,
            status["message"]!.ToString());
    }

    [Fact]
    public async Task Equal_values_are_owned_together_and_stay_until_the_last_owner_leaves()
    {
        await host.ApplyAsync(Maps + "ssa-shared", "one", Map("ssa-shared", """{"a":"1","b":"1"}"""));
        var (code, both) = await host.ApplyAsync(Maps + "ssa-shared", "two", Map("ssa-shared", """{"a":"1"}"""));
        Assert.Equal(200, code);
        Assert.Equal("""{"f:data":{"f:a":{}}}""", both.Fields("two"));

        var (_, left) = await host.ApplyAsync(Maps + "ssa-shared", "one", Map("ssa-shared", """{"c":"1"}"""));
        Assert.Equal("""{"a":"1","c":"1"}""", left["data"]!.ToJsonString());
        var (_, gone) = await host.ApplyAsync(Maps + "ssa-shared", "two", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ssa-shared"}}""");
        Assert.Equal("""{"c":"1"}""", gone["data"]!.ToJsonString());
        Assert.Null(gone.Entry("two"));
    }

    [Fact]
    public async Task List_items_go_with_their_only_owner()
    {
        const string Both = """[{"name":"web","image":"nginx:1","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],"ports":[{"containerPort":80},{"containerPort":443}]},{"name":"side","image":"busybox"}]""";
        const string One = """[{"name":"web","image":"nginx:1","env":[{"name":"B","value":"2"}],"ports":[{"containerPort":443,"protocol":"TCP"}]}]""";
        var (_, made) = await host.ApplyAsync(Deployments + "ssa-items", "one", Deployment("ssa-items", containers: Both));
        Assert.Contains("""k:{\"containerPort\":80,\"protocol\":\"TCP\"}""", made.Fields("one"));
        var (code, after) = await host.ApplyAsync(Deployments + "ssa-items", "one", Deployment("ssa-items", containers: One));
        Assert.Equal(200, code);
        var containers = after["spec"]!["template"]!["spec"]!["containers"]!.AsArray();
        var web = Assert.Single(containers)!;
        Assert.Equal("B", Assert.Single(web["env"]!.AsArray())!["name"]!.ToString());
        Assert.Equal("443", Assert.Single(web["ports"]!.AsArray())!["containerPort"]!.ToString());
    }

    [Fact]
    public async Task Items_of_a_set_go_with_their_only_owner()
    {
        await host.PostAsync("/api/v1/namespaces/default/configmaps", Map("ssa-set", """{"a":"1"}""", ""","finalizers":["example.com/base"]"""));
        await host.ApplyAsync(Maps + "ssa-set", "one", Map("ssa-set", """{"x":"1"}""", ""","finalizers":["example.com/one","example.com/two"]"""));
        var (_, after) = await host.ApplyAsync(Maps + "ssa-set", "one", Map("ssa-set", """{"x":"1"}""", ""","finalizers":["example.com/two"]"""));
        Assert.Equal("""["example.com/base","example.com/two"]""", after["metadata"]!["finalizers"]!.ToJsonString());
        Assert.Contains("v:\\\"example.com/two\\\"", after.Fields("one"));
    }

    [Fact]
    public async Task Updaters_take_fields_without_asking()
    {
        await host.ApplyAsync(Maps + "ssa-taken", "one", Map("ssa-taken", """{"a":"1","b":"1"}"""));
        var (_, after) = await host.PatchAsync(Maps + "ssa-taken", "editor", """{"data":{"a":"2"}}""");
        Assert.Equal("""{"f:data":{"f:b":{}}}""", after.Fields("one"));
        Assert.Equal("""{"f:data":{"f:a":{}}}""", after.Fields("editor", "Update"));
    }

    [Fact]
    public async Task An_object_from_before_gets_a_manager_for_what_it_had()
    {
        await host.PostAsync("/api/v1/namespaces/default/configmaps", Map("ssa-before", """{"a":"1"}"""));
        await host.PatchAsync(Maps + "ssa-before", "x", """{"metadata":{"managedFields":[{}]}}""");
        var (_, reset) = await host.GetAsync(Maps + "ssa-before");
        Assert.Empty(reset.Managers());
        var (_, untracked) = await host.PatchAsync(Maps + "ssa-before", "x", """{"data":{"b":"1"}}""");
        Assert.Empty(untracked.Managers());
        var (_, applied) = await host.ApplyAsync(Maps + "ssa-before", "one", Map("ssa-before", """{"a":"1"}"""));
        Assert.Equal("""{"f:data":{".":{},"f:a":{},"f:b":{}}}""", applied.Fields("before-first-apply", "Update"));
        Assert.Equal("""{"f:data":{"f:a":{}}}""", applied.Fields("one"));
    }

    [Fact]
    public async Task An_applier_must_have_a_name_and_a_body_that_fits()
    {
        var (code, status) = await host.SendAsync(HttpMethod.Patch, Maps + "ssa-bad", Map("ssa-bad", "{}"), ApplyClient.Type);
        Assert.Equal(422, code);
        Assert.Equal("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch", status["message"]!.ToString());

        (code, status) = await host.ApplyAsync(Maps + "ssa-bad", "one", Map("ssa-bad", "{}", ""","managedFields":[{}]"""));
        Assert.Equal((400, "metadata.managedFields must be nil"), (code, status["message"]!.ToString()));

        (code, status) = await host.ApplyAsync(Maps + "ssa-bad", "one", Map("other", "{}"));
        Assert.Equal((400, "the name of the object (other) does not match the name on the URL (ssa-bad)"), (code, status["message"]!.ToString()));

        (code, status) = await host.ApplyAsync(Maps + "ssa-bad", "one", """{"apiVersion":"v1","kind":"ConfigMap"}""");
        Assert.Equal((400, "the name of the object (ssa-bad based on URL) was undeterminable: name must be provided"), (code, status["message"]!.ToString()));

        (code, status) = await host.ApplyAsync(Maps + "ssa-bad", "one", """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"ssa-bad"}}""");
        Assert.Equal((400, "invalid object type: /v1, Kind=Secret"), (code, status["message"]!.ToString()));

        (code, status) = await host.ApplyAsync(Maps + "ssa-bad", "one", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ssa-bad","uid":"1"}}""");
        Assert.Equal((409, "Operation cannot be fulfilled on configmaps \"ssa-bad\": uid mismatch: the provided object specified uid 1, and no existing object was found"), (code, status["message"]!.ToString()));

        (code, status) = await host.SendAsync(HttpMethod.Patch, Maps + "ssa-bad?fieldManager=x", "{}", "application/apply-patch+cbor");
        Assert.Equal(415, code);
        (code, status) = await host.SendAsync(HttpMethod.Patch, Maps + "ssa-bad?force=true", "{}", "application/merge-patch+json");
        Assert.Equal((422, "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch"), (code, status["message"]!.ToString()));
    }

    [Theory]
    [InlineData("\"foo\":1,", """[{"name":"web","image":"nginx:1"}]""", ".spec.foo: field not declared in schema")]
    [InlineData("\"replicas\":\"1\",", """[{"name":"web","image":"nginx:1"}]""", ".spec.replicas: expected numeric (int or float), got string")]
    [InlineData("", """[{"name":"web","image":"a"},{"name":"web","image":"b"}]""", ".spec.template.spec.containers: duplicate entries for key [name=\"web\"]")]
    [InlineData("", """[{"name":"web","image":"a","ports":[{"containerPort":80},{"containerPort":80,"protocol":"TCP"}]}]""", ".spec.template.spec.containers[name=\"web\"].ports: duplicate entries for key [containerPort=80,protocol=\"TCP\"]")]
    [InlineData("", """[{"name":"web","image":"a","volumeMounts":[{"name":"v"}]}]""", null)]
    public async Task What_does_not_fit_the_schema_is_refused_in_the_typed_converters_words(string spec, string containers, string? message)
    {
        var (code, status) = await host.ApplyAsync(Deployments + "ssa-typed", "one", Deployment("ssa-typed", spec, containers));
        if (message is null)
        {
            Assert.Equal(422, code);
            return;
        }

        Assert.Equal(500, code);
        Assert.Equal("failed to create typed patch object (/ssa-typed; apps/v1, Kind=Deployment): " + message, status["message"]!.ToString());
    }

    [Fact]
    public async Task Doubled_keys_are_refused_when_asked_for()
    {
        const string Body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ssa-double\ndata:\n  a: \"1\"\n  a: \"2\"\n";
        var (code, status) = await host.ApplyAsync(Maps + "ssa-double", "one", Body, "&fieldValidation=Strict");
        Assert.Equal(400, code);
        Assert.Equal("error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key \"a\" already set in map", status["message"]!.ToString());
        (code, _) = await host.ApplyAsync(Maps + "ssa-double", "one", Body, "&fieldValidation=Ignore");
        Assert.Equal(201, code);
    }

    [Fact]
    public async Task Preconditions_count()
    {
        var (_, made) = await host.ApplyAsync(Maps + "ssa-pre", "one", Map("ssa-pre", """{"a":"1"}"""));
        var (code, status) = await host.ApplyAsync(Maps + "ssa-pre", "one", Map("ssa-pre", """{"a":"2"}""", ""","resourceVersion":"1" """));
        Assert.Equal(409, code);
        Assert.Contains("the object has been modified", status["message"]!.ToString(), StringComparison.Ordinal);
        (code, status) = await host.ApplyAsync(Maps + "ssa-pre", "one", Map("ssa-pre", """{"a":"2"}""", ""","uid":"other" """));
        Assert.Equal((422, "ConfigMap \"ssa-pre\" is invalid: metadata.uid: Invalid value: \"other\": field is immutable"), (code, (string?)status["message"]));
        (code, _) = await host.ApplyAsync(Maps + "ssa-pre", "one", Map("ssa-pre", """{"a":"2"}""", $",\"resourceVersion\":\"{made.Version()}\""));
        Assert.Equal(200, code);
    }

    [Fact]
    public async Task A_dry_run_shows_the_owners_and_stores_nothing()
    {
        var (code, would) = await host.ApplyAsync(Maps + "ssa-dry", "one", Map("ssa-dry", """{"a":"1"}"""), "&dryRun=All");
        Assert.Equal(201, code);
        Assert.Equal("""{"f:data":{"f:a":{}}}""", would.Fields("one"));
        Assert.Equal(404, (await host.GetAsync(Maps + "ssa-dry")).Code);
    }

    [Fact]
    public async Task Who_may_patch_but_not_create_cannot_create_by_apply()
    {
        await host.PostAsync("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"ssa-patcher"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch"]}]}""");
        await host.PostAsync("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"ssa-patcher"},"subjects":[{"kind":"User","name":"patcher","apiGroup":"rbac.authorization.k8s.io"}],"roleRef":{"kind":"Role","name":"ssa-patcher","apiGroup":"rbac.authorization.k8s.io"}}""");
        using var client = host.ClientOf("patcher");
        var code = 0;
        var text = "";
        // The binding reaches the authorizer through a watch.
        for (var deadline = DateTime.UtcNow.AddSeconds(10); DateTime.UtcNow < deadline; await Task.Delay(20))
        {
            using var content = new StringContent(Map("ssa-forbidden", """{"a":"1"}"""), null, ApplyClient.Type);
            using var answer = await client.PatchAsync(Maps + "ssa-forbidden?fieldManager=p", content);
            (code, text) = ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
            if (text.Contains("cannot create", StringComparison.Ordinal)) break;
        }

        Assert.Equal(403, code);
        Assert.Contains("cannot create resource", text, StringComparison.Ordinal);
    }
}
