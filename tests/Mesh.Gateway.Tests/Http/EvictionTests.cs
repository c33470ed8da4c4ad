using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Http;

/// <summary>POST pods/NAME/eviction: what a disruption budget says to it.</summary>
[Collection("gateway")]
public sealed class EvictionTests(GatewayHost gateway)
{
    private const string Budget = """{"metadata":{"name":"guard"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"web"}}}}""";

    [Fact]
    public async Task A_budget_that_is_spent_refuses_with_its_numbers()
    {
        await PodAsync("spent", "web");
        await BudgetAsync("spent", """{"observedGeneration":1,"disruptionsAllowed":0,"currentHealthy":1,"desiredHealthy":1,"expectedPods":1}""");
        var (code, status) = await EvictAsync("spent", "web");
        Assert.Equal(429, code);
        Assert.Equal(("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."), ((string?)status["reason"], (string?)status["message"]));
        var cause = Assert.Single(status["details"]!["causes"]!.AsArray())!;
        Assert.Equal(("DisruptionBudget", "The disruption budget guard needs 1 healthy pods and has 1 currently"), ((string?)cause["reason"], (string?)cause["message"]));
        Assert.Null(status["details"]!["retryAfterSeconds"]);
    }

    [Fact]
    public async Task A_budget_that_was_not_counted_yet_asks_to_come_back()
    {
        await PodAsync("early", "web");
        await BudgetAsync("early", """{"observedGeneration":0,"disruptionsAllowed":1,"currentHealthy":1,"desiredHealthy":1,"expectedPods":1}""");
        var (code, status) = await EvictAsync("early", "web");
        Assert.Equal(429, code);
        Assert.Equal("The disruption budget guard is still being processed by the server.", (string?)status["details"]!["causes"]![0]!["message"]);
        Assert.Equal(10, (int?)status["details"]!["retryAfterSeconds"]);
    }

    [Fact]
    public async Task A_budget_that_failed_says_why()
    {
        await PodAsync("broken", "web");
        await BudgetAsync("broken",
            """{"observedGeneration":1,"disruptionsAllowed":0,"currentHealthy":0,"desiredHealthy":0,"expectedPods":0,"conditions":[{"type":"DisruptionAllowed","status":"False","reason":"SyncFailed","message":"no scale","lastTransitionTime":"2026-01-01T00:00:00Z"}]}""");
        var (code, status) = await EvictAsync("broken", "web");
        Assert.Equal(429, code);
        Assert.Equal("The disruption budget guard does not allow evicting pods currently because it failed sync: no scale", (string?)status["details"]!["causes"]![0]!["message"]);
    }

    [Fact]
    public async Task An_allowance_is_spent_and_the_pod_goes()
    {
        await PodAsync("allowed", "web");
        await BudgetAsync("allowed", """{"observedGeneration":1,"disruptionsAllowed":1,"currentHealthy":2,"desiredHealthy":1,"expectedPods":2}""");
        Assert.Equal(201, (await EvictAsync("allowed", "web")).Code);
        var (_, budget) = await gateway.GetAsync("/apis/policy/v1/namespaces/allowed/poddisruptionbudgets/guard");
        Assert.Equal(0, (int?)budget["status"]!["disruptionsAllowed"]);
        Assert.NotNull(budget["status"]!["disruptedPods"]!["web"]);
    }

    [Fact]
    public async Task The_object_and_the_path_name_the_same_pod()
    {
        var (code, status) = await gateway.PostAsync("/api/v1/namespaces/default/pods/a/eviction", """{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"b"}}""");
        Assert.Equal((400, "name in URL does not match name in Eviction object"), (code, (string?)status["message"]));
    }

    private async Task PodAsync(string ns, string name)
    {
        await gateway.PostAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{ns}}}"}}""");
        await gateway.PostAsync($"/api/v1/namespaces/{ns}/serviceaccounts", """{"metadata":{"name":"default"}}""");
        JsonObject pod;
        for (var deadline = DateTime.UtcNow.AddSeconds(60); ; await Task.Delay(20))
        {
            int code;
            (code, pod) = await gateway.PostAsync($"/api/v1/namespaces/{ns}/pods", $$$"""{"metadata":{"name":"{{{name}}}","labels":{"app":"web"}},"spec":{"containers":[{"name":"a","image":"x"}]}}""");
            if (code == 201) break;
            Assert.True(DateTime.UtcNow < deadline, pod.ToJsonString());
        }

        pod["status"] = JsonNode.Parse("""{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}""");
        var (put, answer) = await gateway.SendAsync(HttpMethod.Put, $"/api/v1/namespaces/{ns}/pods/{name}/status", pod.ToJsonString());
        Assert.True(put == 200, answer.ToJsonString());
    }

    private async Task BudgetAsync(string ns, string status)
    {
        var (code, budget) = await gateway.PostAsync($"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", Budget);
        Assert.True(code == 201, budget.ToJsonString());
        budget["status"] = JsonNode.Parse(status);
        var (put, answer) = await gateway.SendAsync(HttpMethod.Put, $"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets/guard/status", budget.ToJsonString());
        Assert.True(put == 200, answer.ToJsonString());
        for (var deadline = DateTime.UtcNow.AddSeconds(60); ; await Task.Delay(20))
        {
            // The budgets are read from the cache, a moment after they are stored.
            var (_, seen) = await gateway.GetAsync($"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets/guard?resourceVersion=0");
            if (seen["status"]?["desiredHealthy"] is not null) return;
            Assert.True(DateTime.UtcNow < deadline, "the budget's status is not seen");
        }
    }

    private Task<(int Code, JsonObject Body)> EvictAsync(string ns, string pod) =>
        gateway.PostAsync($"/api/v1/namespaces/{ns}/pods/{pod}/eviction", $$$"""{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"{{{pod}}}"}}""");
}
