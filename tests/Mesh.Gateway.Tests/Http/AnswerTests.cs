using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Http;

/// <summary>What requests that are wrong in themselves are told, and what right ones are answered, word for word.</summary>
[Collection("gateway")]
public sealed class AnswerTests(GatewayHost gateway)
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    [Theory]
    [InlineData("", "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)")]
    [InlineData("{", "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({)")]
    [InlineData("\"x\"", "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" } (227822)")]
    [InlineData("""{"kind":"Foo"}""", "Foo in version \"v1\" cannot be handled as a ConfigMap: no kind \"Foo\" is registered for version \"v1\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"")]
    [InlineData("""{"kind":"Secret","apiVersion":"v1"}""", "Secret in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion")]
    [InlineData("""{"kind":"ConfigMap","apiVersion":"apps/v1"}""", "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: no kind \"ConfigMap\" is registered for version \"apps/v1\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"")]
    public async Task Bodies_of_another_kind(string body, string message)
    {
        var (code, status) = await gateway.PostAsync(Maps, body);
        Assert.Equal((400, message), (code, (string?)status["message"]));
    }

    [Fact]
    public async Task Another_version_of_the_kind_is_told_the_expected_one()
    {
        var (code, status) = await gateway.PostAsync("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", """{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1"}""");
        Assert.Equal((400, "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)"), (code, (string?)status["message"]));
    }

    [Theory]
    [InlineData("PUT", "", "{}", 400, "the name of the object (wrong based on URL) was undeterminable: name must be provided")]
    [InlineData("PUT", "", """{"metadata":{"name":"b"}}""", 400, "the name of the object (b) does not match the name on the URL (wrong)")]
    [InlineData("PUT", "", """{"metadata":{"name":"wrong","namespace":"x"}}""", 400, "the namespace of the provided object does not match the namespace sent on the request")]
    [InlineData("PATCH", "", """{"metadata":{"namespace":"x"}}""", 400, "the namespace of the object (x) does not match the namespace on the request (default)")]
    [InlineData("PATCH", "", """{"metadata":{"name":"b"}}""", 400, "the name of the object (b) does not match the name on the URL (wrong)")]
    [InlineData("PATCH", "", """{"metadata":{"uid":"b"}}""", 422, "ConfigMap \"wrong\" is invalid: metadata.uid: Invalid value: \"b\": field is immutable")]
    [InlineData("PATCH", "", "[]", 400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}")]
    [InlineData("DELETE", "", """{"propagationPolicy":"Foo"}""", 422, "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Foo\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"")]
    [InlineData("DELETE", "", """{"propagationPolicy":"Foreground","orphanDependents":true}""", 422, "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Foreground\": orphanDependents and deletionPropagation cannot be both set")]
    [InlineData("PATCH", "?dryRun=Some&dryRun=All", "{}", 422, "PatchOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\",\"All\"]: supported values: \"All\"")]
    [InlineData("PUT", "?dryRun=", "{}", 422, "UpdateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"\"]: supported values: \"All\"")]
    public async Task Writes_that_contradict_themselves(string method, string query, string body, int code, string message)
    {
        await gateway.PostAsync(Maps, """{"metadata":{"name":"wrong"}}""");
        var (got, status) = await gateway.SendAsync(new HttpMethod(method), Maps + "/wrong" + query, body, method == "PATCH" ? "application/merge-patch+json" : "application/json");
        Assert.Equal((code, message), (got, (string?)status["message"]));
    }

    [Fact]
    public async Task A_patch_that_does_not_decode_shows_the_patched_document()
    {
        await gateway.PostAsync(Maps, """{"metadata":{"name":"undecoded"}}""");
        var (code, status) = await gateway.SendAsync(HttpMethod.Patch, Maps + "/undecoded", """{"data":5}""", "application/merge-patch+json");
        Assert.Equal(422, code);
        Assert.StartsWith(" \"\" is invalid: patch: Invalid value: \"{", (string?)status["message"], StringComparison.Ordinal);
        Assert.Null(status["details"]!["kind"]);
        (code, status) = await gateway.SendAsync(HttpMethod.Patch, Maps + "/undecoded", """{"data":"x"}""", "application/strategic-merge-patch+json");
        Assert.Equal(422, code);
        Assert.StartsWith(" \"\" is invalid: patch: Invalid value: \"map[data:x]\": ", (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_update_that_means_another_object_is_told_which_one_is_there()
    {
        await gateway.PostAsync(Maps, """{"metadata":{"name":"another"}}""");
        var (code, status) = await gateway.SendAsync(HttpMethod.Put, Maps + "/another", """{"metadata":{"name":"another","uid":"x"}}""");
        Assert.Equal(409, code);
        Assert.StartsWith(
            "Operation cannot be fulfilled on configmaps \"another\": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/another, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: ",
            (string?)status["message"], StringComparison.Ordinal);
        (code, status) = await gateway.SendAsync(HttpMethod.Put, Maps + "/nothing-there", """{"metadata":{"name":"nothing-there","uid":"x"}}""");
        Assert.Equal(409, code);
        Assert.EndsWith("UID in precondition: x, UID in object meta: ", (string?)status["message"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/apis/coordination.k8s.io/v1/namespaces/default/leases", "{}", "leases.coordination.k8s.io")]
    [InlineData("/apis/storage.k8s.io/v1/csidrivers", "{}", "csidrivers.storage.k8s.io")]
    [InlineData("/apis/node.k8s.io/v1/runtimeclasses", """{"handler":"h"}""", "runtimeclasses.node.k8s.io")]
    public async Task Kinds_that_are_only_replaced_by_who_has_seen_them(string path, string rest, string resource)
    {
        var body = rest.Insert(1, "\"metadata\":{\"name\":\"blind\"}" + (rest.Length > 2 ? "," : ""));
        await gateway.PostAsync(path, body);
        var (code, status) = await gateway.SendAsync(HttpMethod.Put, path + "/blind", body);
        Assert.Equal((422, resource + " \"blind\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"), (code, (string?)status["message"]));
    }

    [Theory]
    [InlineData("PUT", Maps)]
    [InlineData("PATCH", Maps)]
    [InlineData("DELETE", "/api/v1/configmaps")]
    [InlineData("POST", "/api/v1/configmaps")]
    [InlineData("POST", "/api/v1/componentstatuses")]
    [InlineData("GET", "/apis/authentication.k8s.io/v1/tokenreviews")]
    [InlineData("GET", "/api/v1/namespaces/default/pods/x/eviction")]
    public async Task Methods_that_a_path_does_not_have(string method, string path)
    {
        var (code, status) = await gateway.SendAsync(new HttpMethod(method), path, method == "GET" ? null : "{}");
        Assert.Equal((405, "MethodNotAllowed", "the server does not allow this method on the requested resource"), (code, (string?)status["reason"], (string?)status["message"]));
    }

    [Theory]
    [InlineData("default")]
    [InlineData("kube-system")]
    [InlineData("kube-public")]
    public async Task The_systems_namespaces_stay(string name)
    {
        var (code, status) = await gateway.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/" + name);
        Assert.Equal((403, $"namespaces \"{name}\" is forbidden: this namespace may not be deleted"), (code, (string?)status["message"]));
    }

    [Fact]
    public async Task Readers_may_say_what_they_like_in_options_of_writers() =>
        Assert.Equal(200, (await gateway.GetAsync(Maps + "?dryRun=Some&fieldValidation=Foo&fieldManager=%00")).Code);

    [Theory]
    [InlineData("?fieldSelector=spec.foo%3Dx", "\"spec.foo\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")]
    [InlineData("?labelSelector=%3D", "found '=', expected: !, identifier, or 'end of string'")]
    [InlineData("?labelSelector=a%20in%20b", "unable to parse requirement: found 'b' expected: '('")]
    [InlineData("?timeoutSeconds=x", "strconv.ParseInt: parsing \"x\": invalid syntax")]
    [InlineData("?continue=abc", "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value")]
    [InlineData("?continue=abc&resourceVersionMatch=Exact", "ListOptions.meta.k8s.io \"\" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided]")]
    public async Task Lists_that_cannot_be(string query, string message) => Assert.Equal(message, (string?)(await gateway.GetAsync(Maps + query)).Body["message"]);

    [Fact]
    public async Task A_watch_from_a_later_revision_waits_for_it()
    {
        using var answer = await gateway.Client.GetAsync(Maps + "?watch=true&resourceVersion=999999999&timeoutSeconds=1");
        Assert.Equal((200, ""), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Deleted_services_are_answered_whole_and_config_maps_by_a_status()
    {
        await gateway.PostAsync("/api/v1/namespaces/default/services", """{"metadata":{"name":"gone"},"spec":{"ports":[{"port":80}]}}""");
        await gateway.PostAsync(Maps, """{"metadata":{"name":"gone"}}""");
        Assert.Equal("Service", (string?)(await gateway.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/default/services/gone")).Body["kind"]);
        Assert.Equal("Status", (string?)(await gateway.SendAsync(HttpMethod.Delete, Maps + "/gone")).Body["kind"]);
    }

    [Fact]
    public async Task Who_takes_the_last_finalizer_is_shown_the_object_without_it()
    {
        await gateway.PostAsync(Maps, """{"metadata":{"name":"held","finalizers":["a.b/c"]}}""");
        await gateway.SendAsync(HttpMethod.Delete, Maps + "/held");
        var (code, body) = await gateway.SendAsync(HttpMethod.Patch, Maps + "/held", """{"metadata":{"finalizers":null}}""", "application/merge-patch+json");
        Assert.Equal(200, code);
        Assert.Null(body["metadata"]!["finalizers"]);
        Assert.Equal(404, (await gateway.GetAsync(Maps + "/held")).Code);
    }

    [Fact]
    public async Task Access_reviews_refuse_without_naming_their_kind()
    {
        var (code, status) = await gateway.PostAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", """{"spec":{}}""");
        Assert.Equal(
            (422, ".authorization.k8s.io \"\" is invalid: [spec.resourceAttributes: Invalid value: \"null\": exactly one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: \"\": at least one of user or group must be specified]"),
            (code, (string?)status["message"]));
    }

    [Fact]
    public async Task A_token_of_nobody_is_an_invalid_bearer_token()
    {
        var (code, review) = await gateway.PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", """{"spec":{"token":"x"}}""");
        Assert.Equal((201, "invalid bearer token"), (code, (string?)review["status"]!["error"]));
        Assert.Empty((JsonObject)review["status"]!["user"]!);
    }

    [Fact]
    public async Task The_check_of_the_store_has_a_name_of_its_own() => Assert.Equal("ok", await gateway.Client.GetStringAsync("/healthz/etcd"));

    [Fact]
    public async Task Every_answer_can_be_found_in_the_audit()
    {
        using var answer = await gateway.Client.GetAsync("/apis");
        Assert.True(Guid.TryParse(Assert.Single(answer.Headers.GetValues("Audit-Id")), out _));
        Assert.Equal("no-cache, private", string.Join(", ", answer.Headers.GetValues("Cache-Control")));
    }
}
