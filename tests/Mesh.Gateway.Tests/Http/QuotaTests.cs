using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Quotas and limits over HTTP, and how several errors of one object are told.</summary>
[Collection("gateway")]
public sealed class QuotaTests(GatewayHost gateway)
{
    [Fact]
    public async Task Many_creations_at_a_time_do_not_spend_one_allowance_twice()
    {
        await gateway.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"quota"}}""");
        var (_, quota) = await gateway.PostAsync("/api/v1/namespaces/quota/resourcequotas", """{"metadata":{"name":"q"},"spec":{"hard":{"configmaps":"5"}}}""");
        quota["status"] = JsonNode.Parse("""{"hard":{"configmaps":"5"},"used":{"configmaps":"0"}}""");
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, "/api/v1/namespaces/quota/resourcequotas/q/status", quota.ToJsonString())).Code);

        // The gateway's cache shows the quota a moment later.
        for (var deadline = DateTime.UtcNow.AddSeconds(60); ; await Task.Delay(20))
        {
            var (_, seen) = await gateway.GetAsync("/api/v1/namespaces/quota/resourcequotas/q?resourceVersion=0");
            if ((string?)seen["status"]?["hard"]?["configmaps"] == "5") break;
            Assert.True(DateTime.UtcNow < deadline, "the quota's status is not seen");
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => gateway.PostAsync("/api/v1/namespaces/quota/configmaps", $$$"""{"metadata":{"name":"m{{{i}}}"}}""")));
        Assert.Equal(5, answers.Count(a => a.Code == 201));
        var refused = answers.First(a => a.Code != 201);
        Assert.Equal(403, refused.Code);
        Assert.Equal("Forbidden", (string?)refused.Body["reason"]);
        Assert.EndsWith("is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=5, limited: configmaps=5", (string?)refused.Body["message"]);

        var (dry, _) = await gateway.PostAsync("/api/v1/namespaces/quota/secrets?dryRun=All", """{"metadata":{"name":"s"}}""");
        Assert.Equal(201, dry);
    }

    [Fact]
    public async Task What_is_refused_after_all_gives_its_charge_back_at_once()
    {
        const string Ns = "/api/v1/namespaces/refund";
        await gateway.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"refund"}}""");
        await gateway.PostAsync(Ns + "/secrets", """{"metadata":{"name":"taken"}}""");
        var (_, quota) = await gateway.PostAsync(Ns + "/resourcequotas", """{"metadata":{"name":"q"},"spec":{"hard":{"secrets":"3"}}}""");
        quota["status"] = JsonNode.Parse("""{"hard":{"secrets":"3"},"used":{"secrets":"1"}}""");
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, Ns + "/resourcequotas/q/status", quota.ToJsonString())).Code);
        for (var deadline = DateTime.UtcNow.AddSeconds(60); (string?)(await gateway.GetAsync(Ns + "/resourcequotas/q?resourceVersion=0")).Body["status"]?["used"]?["secrets"] != "1"; await Task.Delay(20))
            Assert.True(DateTime.UtcNow < deadline, "the quota's status is not seen");

        for (var i = 0; i < 4; i++) Assert.Equal(409, (await gateway.PostAsync(Ns + "/secrets", """{"metadata":{"name":"taken"}}""")).Code);
        Assert.Equal("1", (string?)(await gateway.GetAsync(Ns + "/resourcequotas/q")).Body["status"]!["used"]!["secrets"]);
        Assert.Equal(201, (await gateway.PostAsync(Ns + "/secrets", """{"metadata":{"name":"new"}}""")).Code);
        Assert.Equal("2", (string?)(await gateway.GetAsync(Ns + "/resourcequotas/q")).Body["status"]!["used"]!["secrets"]);
    }

    [Fact]
    public async Task Every_error_of_an_object_is_a_cause()
    {
        var (code, status) = await gateway.PostAsync("/apis/apps/v1/namespaces/default/deployments",
            """{"metadata":{"name":"wrong"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"A"}]}}}}""");
        Assert.Equal(422, code);
        Assert.Equal("Invalid", (string?)status["reason"]);
        Assert.StartsWith("Deployment.apps \"wrong\" is invalid: [spec.template.spec.containers[0].name: Invalid value: \"A\": ", (string?)status["message"]);
        var causes = status["details"]!["causes"]!.AsArray();
        Assert.Equal(("spec.template.spec.containers[0].name", "FieldValueInvalid"), ((string?)causes[0]!["field"], (string?)causes[0]!["reason"]));
        Assert.Equal(("spec.template.spec.containers[0].image", "FieldValueRequired", "Required value"), ((string?)causes[1]!["field"], (string?)causes[1]!["reason"], (string?)causes[1]!["message"]));
    }

    [Fact]
    public async Task A_limit_range_fills_in_and_refuses()
    {
        await gateway.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"limits"}}""");
        await gateway.PostAsync("/api/v1/namespaces/limits/serviceaccounts", """{"metadata":{"name":"default"}}""");
        await gateway.PostAsync("/api/v1/namespaces/limits/limitranges", """{"metadata":{"name":"l"},"spec":{"limits":[{"type":"Container","default":{"cpu":"200m"},"max":{"cpu":"500m"}}]}}""");
        JsonObject pod;
        for (var deadline = DateTime.UtcNow.AddSeconds(60); ; await Task.Delay(20))
        {
            (_, pod) = await gateway.PostAsync("/api/v1/namespaces/limits/pods?dryRun=All", """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"x"}]}}""");
            if (pod["spec"]?["containers"]?[0]?["resources"]?["limits"] is not null) break;
            Assert.True(DateTime.UtcNow < deadline, pod.ToJsonString());
        }

        var resources = pod["spec"]!["containers"]![0]!["resources"]!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"limits":{"cpu":"200m"},"requests":{"cpu":"200m"}}"""), resources), resources.ToJsonString());
        var (code, status) = await gateway.PostAsync("/api/v1/namespaces/limits/pods", """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"x","resources":{"limits":{"cpu":"1"}}}]}}""");
        Assert.Equal(403, code);
        Assert.Equal("pods \"p\" is forbidden: maximum cpu usage per Container is 500m, but limit is 1", (string?)status["message"]);
    }
}
