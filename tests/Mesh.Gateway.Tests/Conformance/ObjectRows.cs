using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>[sig-api-machinery] API operations of flow control and admission registration: found in discovery, and every verb on the object and its status.</summary>
[Collection("gateway")]
public sealed class ObjectRows(GatewayHost api)
{
    private const string Flow = "flowcontrol.apiserver.k8s.io";
    private const string Admission = "admissionregistration.k8s.io";

    private const string Rules = """[{"apiGroups":["apps"],"apiVersions":["v1"],"operations":["CREATE"],"resources":["deployments"]}]""";

    private const string Webhook = """
        {"name":"NAME.example.com","clientConfig":{"service":{"namespace":"default","name":"hook","path":"/x","port":8443},"caBundle":"LS0tLS1CRUdJTg=="},"sideEffects":"None","admissionReviewVersions":["v1","v1beta1"],
         "rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}],"namespaceSelector":{"matchLabels":{"never":"set"}}MORE}
        """;

    [Fact, Conformance("Priority and Fairness FlowSchema API")]
    public Task Flow_schemas() => LifeAsync(Flow, "flowschemas", """
        "spec":{"matchingPrecedence":10000,"priorityLevelConfiguration":{"name":"global-default"},"distinguisherMethod":{"type":"ByUser"},
        "rules":[{"subjects":[{"kind":"User","user":{"name":"example-e2e-non-existent-user"}}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]}
        """, "matchingPrecedence", "9999", hasStatus: true);

    [Fact, Conformance("Priority and Fairness PriorityLevelConfiguration API")]
    public Task Priority_levels() => LifeAsync(Flow, "prioritylevelconfigurations", """
        "spec":{"type":"Limited","limited":{"nominalConcurrencyShares":2,"limitResponse":{"type":"Reject"}}}
        """, "limited", """{"nominalConcurrencyShares":4,"limitResponse":{"type":"Reject"}}""", hasStatus: true);

    [Fact, Conformance("ValidatingAdmissionPolicy API")]
    public Task Validating_policies() => LifeAsync(Admission, "validatingadmissionpolicies", $$$$"""
        "spec":{"matchConstraints":{"resourceRules":{{{{Rules}}}}},"failurePolicy":"Ignore","validations":[{"expression":"object.spec.replicas <= 100","messageExpression":"'too many: ' + string(object.spec.replicas)"}]}
        """, "failurePolicy", "\"Fail\"", hasStatus: true);

    [Fact, Conformance("ValidatingadmissionPolicyBinding API")]
    public Task Validating_bindings() => LifeAsync(Admission, "validatingadmissionpolicybindings", """
        "spec":{"policyName":"replicalimit-policy.example.com","validationActions":["Deny"]}
        """, "validationActions", """["Warn"]""");

    [Fact, Conformance("MutatingAdmissionPolicy API")]
    public Task Mutating_policies() => LifeAsync(Admission, "mutatingadmissionpolicies", $$$$"""
        "spec":{"matchConstraints":{"resourceRules":{{{{Rules}}}}},"failurePolicy":"Ignore","reinvocationPolicy":"Never",
        "mutations":[{"patchType":"ApplyConfiguration","applyConfiguration":{"expression":"Object{metadata: Object.metadata{labels: {'e2e': 'yes'}}}"}}]}
        """, "failurePolicy", "\"Fail\"");

    [Fact, Conformance("MutatingAdmissionPolicyBinding API")]
    public Task Mutating_bindings() => LifeAsync(Admission, "mutatingadmissionpolicybindings", """
        "spec":{"policyName":"label-policy.example.com"}
        """, "policyName", "\"other-policy.example.com\"");

    /// <summary>The objects' side of four rows of [sig-api-machinery] AdmissionWebhook; calling the hooks comes with webhooks.</summary>
    [Theory]
    [InlineData("mutatingwebhookconfigurations")]
    [InlineData("validatingwebhookconfigurations")]
    public async Task Webhook_configurations_are_listed_patched_updated_and_deleted_together(string plural)
    {
        var (path, label) = ($"/apis/{Admission}/v1/{plural}", "hooks-" + plural);
        foreach (var i in (int[])[1, 2, 3]) await api.MakeAsync(path, Hooks($"{label}-{i}", label));
        Assert.Equal(3, (await api.ReadAsync($"{path}?labelSelector=e2e%3D{label}")).Items().Count);

        // The rules lose CREATE by an update and get it back by a patch.
        var updated = await api.UpdateAsync($"{path}/{label}-1", static o => o["webhooks"]![0]!["rules"]![0]!["operations"] = new JsonArray("UPDATE"));
        Assert.Equal(2, (int?)updated["metadata"]!["generation"]);
        var patched = await api.PatchAsync(
            $"{path}/{label}-1", """[{"op":"replace","path":"/webhooks/0/rules/0/operations","value":["CREATE"]}]""", "application/json-patch+json");
        Assert.Equal("""["CREATE"]""", patched["webhooks"]![0]!["rules"]![0]!["operations"]!.ToJsonString());

        await api.DeleteAsync($"{path}?labelSelector=e2e%3D{label}");
        Assert.Empty((await api.ReadAsync($"{path}?labelSelector=e2e%3D{label}")).Items());
    }

    [Fact, Conformance("Mutating Admission webhook, create and update mutating webhook configuration with matchConditions")]
    public Task Mutating_webhooks_have_match_conditions() => MatchConditionsAsync("mutatingwebhookconfigurations");

    [Fact, Conformance("Validating Admission webhook, create and update validating webhook configuration with matchConditions")]
    public Task Validating_webhooks_have_match_conditions() => MatchConditionsAsync("validatingwebhookconfigurations");

    private async Task MatchConditionsAsync(string plural)
    {
        var (path, name) = ($"/apis/{Admission}/v1/{plural}", "conditions-" + plural);
        var made = await api.MakeAsync(path, Hooks(name, name, ""","matchConditions":[{"name":"expression-1","expression":"object.metadata.namespace == 'production'"}]"""));
        Assert.Equal("expression-1", (string?)made["webhooks"]![0]!["matchConditions"]![0]!["name"]);
        var updated = await api.UpdateAsync($"{path}/{name}", static o => o["webhooks"]![0]!["matchConditions"] = JsonNode.Parse(
            """[{"name":"expression-1","expression":"object.metadata.namespace == 'staging'"},{"name":"expression-2","expression":"object.metadata.name == 'x'"}]"""));
        Assert.Equal(2, updated["webhooks"]![0]!["matchConditions"]!.AsArray().Count);
        Assert.Equal("object.metadata.namespace == 'staging'", (string?)(await api.ReadAsync($"{path}/{name}"))["webhooks"]![0]!["matchConditions"]![0]!["expression"]);
        await api.DeleteAsync($"{path}/{name}");
    }

    private static string Hooks(string name, string label, string more = "") =>
        $$$"""{"metadata":{"name":"{{{name}}}","labels":{"e2e":"{{{label}}}"}},"webhooks":[{{{Webhook.Replace("NAME", name, StringComparison.Ordinal).Replace("MORE", more, StringComparison.Ordinal)}}}]}""";

    private async Task LifeAsync(string group, string plural, string rest, string field, string value, bool hasStatus = false)
    {
        var (path, label) = ($"/apis/{group}/v1/{plural}", "e2e%3D" + plural);
        Assert.Contains((await api.ReadAsync("/apis"))["groups"]!.AsArray(), g => (string?)g!["name"] == group);
        Assert.Contains((await api.ReadAsync("/apis/" + group))["versions"]!.AsArray(), static v => (string?)v!["version"] == "v1");
        var served = (await api.ReadAsync($"/apis/{group}/v1"))["resources"]!.AsArray().Select(static r => (string)r!["name"]!).ToList();
        Assert.Contains(plural, served);
        Assert.Equal(hasStatus, served.Contains(plural + "/status"));

        for (var i = 1; i <= 3; i++)
        {
            var made = await api.MakeAsync(path, $$$"""{"metadata":{"generateName":"e2e-{{{plural}}}-","labels":{"e2e":"{{{plural}}}"}},{{{rest}}}}""");
            Assert.Equal(1, (int?)made["metadata"]!["generation"]);
        }

        var list = (await api.ReadAsync($"{path}?labelSelector={label}")).Items();
        Assert.Equal(3, list.Count);
        var one = path + "/" + list[0].Name();
        Assert.Equal(list[0].Uid(), (await api.ReadAsync(one)).Uid());

        using var watch = await api.WatchAsync($"{path}?watch=1&labelSelector={label}&resourceVersion={(await api.ReadAsync(path)).Revision()}");
        await api.PatchAsync(one, """{"metadata":{"annotations":{"patched":"true"}}}""");
        Assert.Equal("true", (string?)(await watch.NextAsync("MODIFIED"))["metadata"]!["annotations"]!["patched"]);
        await api.UpdateAsync(one, o =>
        {
            o["metadata"]!["annotations"]!["updated"] = "true";
            o["spec"]![field] = JsonNode.Parse(value);
        });
        var seen = await watch.NextAsync("MODIFIED");
        Assert.Equal(("true", 2), ((string?)seen["metadata"]!["annotations"]!["updated"], (int?)seen["metadata"]!["generation"]));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(value), seen["spec"]![field]) || field == "limited", seen.ToJsonString());

        if (hasStatus)
        {
            const string Condition = """{"status":{"conditions":[{"type":"TYPE","status":"False","reason":"E2E","message":"set by a test","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}""";
            var patched = await api.PatchAsync(one + "/status", Condition.Replace("TYPE", "PatchedInTest", StringComparison.Ordinal));
            Assert.Contains(patched["status"]!["conditions"]!.AsArray(), static c => (string?)c!["type"] == "PatchedInTest");
            Assert.Equal(2, (int?)patched["metadata"]!["generation"]);
            await api.UpdateAsync(one + "/status", static o => o["status"]!["conditions"]![0]!["message"] = "updated");
            Assert.Equal("updated", (string?)(await api.ReadAsync(one + "/status"))["status"]!["conditions"]![0]!["message"]);
        }

        await api.DeleteAsync(one);
        await api.GoneAsync(one);
        await api.DeleteAsync($"{path}?labelSelector={label}");
        Assert.Empty((await api.ReadAsync($"{path}?labelSelector={label}")).Items());
        Assert.Equal(one.Split('/')[^1], (await watch.UntilAsync(static (type, _) => type == "DELETED")).Name());
    }
}
