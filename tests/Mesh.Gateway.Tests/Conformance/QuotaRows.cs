using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>[sig-api-machinery] ResourceQuota.</summary>
[Collection("control plane")]
public sealed class QuotaRows(ControlPlane api)
{
    private const string Template = """{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"pause"}]}}""";

    [Fact, Conformance("ResourceQuota, object count quota, resourcequotas")]
    public async Task Its_status_comes_promptly()
    {
        var ns = await api.NamespaceAsync("quota");
        await QuotaAsync(ns, """
            "pods":"5","services":"10","services.nodeports":"1","services.loadbalancers":"1","replicationcontrollers":"10","resourcequotas":"1","cpu":"1","memory":"500Mi","configmaps":"10",
            "secrets":"10","persistentvolumeclaims":"10","requests.storage":"10Gi","requests.ephemeral-storage":"50Gi","limits.ephemeral-storage":"50Gi","count/replicasets.apps":"5","requests.nvidia.com/gpu":"10"
            """);
        // The quota itself and the map that every namespace has.
        await UsedAsync(ns, ("resourcequotas", "1"), ("configmaps", "1"), ("pods", "0"), ("services", "0"), ("cpu", "0"), ("memory", "0"), ("requests.storage", "0"), ("count/replicasets.apps", "0"));
        Assert.Equal((await api.ReadAsync(ns + "/resourcequotas/test-quota"))["spec"]!["hard"]!.AsObject().Count, (await api.ReadAsync(ns + "/resourcequotas/test-quota"))["status"]!["used"]!.AsObject().Count);
    }

    [Theory, Conformance("ResourceQuota, object count quota, configmap"), Conformance("ResourceQuota, object count quota, secret"),
     Conformance("ResourceQuota, object count quota, replicationController"), Conformance("ResourceQuota, object count quota, replicaSet")]
    [InlineData("configmaps", "", "configmaps", 1, """{"metadata":{"name":"x"},"data":{"a":"b"}}""")]
    [InlineData("secrets", "", "secrets", 0, """{"metadata":{"name":"x"},"data":{"a":"Yg=="}}""")]
    [InlineData("replicationcontrollers", "", "replicationcontrollers", 0, """{"metadata":{"name":"x"},"spec":{"replicas":0,"selector":{"a":"b"},"template":""" + Template + "}}")]
    [InlineData("replicasets", "apps/v1", "count/replicasets.apps", 0, """{"metadata":{"name":"x"},"spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"}},"template":""" + Template + "}}")]
    public async Task It_follows_the_life_of_what_it_counts(string plural, string groupVersion, string name, int before, string manifest)
    {
        var ns = await api.NamespaceAsync("quota");
        await QuotaAsync(ns, $"\"{name}\":\"2\"");
        await UsedAsync(ns, (name, $"{before}"));
        var path = (groupVersion.Length > 0 ? ns.In(groupVersion) : ns) + "/" + plural;
        await api.MakeAsync(path, manifest);
        await UsedAsync(ns, (name, $"{before + 1}"));
        await api.DeleteAsync(path + "/x");
        await UsedAsync(ns, (name, $"{before}"));
    }

    [Fact, Conformance("ResourceQuota, object count quota, service")]
    public async Task It_follows_the_life_of_services()
    {
        var ns = await api.NamespaceAsync("quota");
        await QuotaAsync(ns, """ "services":"10","services.nodeports":"1","services.loadbalancers":"1" """);
        await UsedAsync(ns, ("services", "0"), ("services.nodeports", "0"), ("services.loadbalancers", "0"));
        await api.MakeAsync(ns + "/services", Service("one", "ClusterIP"));
        await api.MakeAsync(ns + "/services", Service("two", "NodePort"));
        Assert.EndsWith(
            "is forbidden: exceeded quota: test-quota, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1",
            await api.RefusedAsync(403, ns + "/services", Service("three", "LoadBalancer")));
        await UsedAsync(ns, ("services", "2"), ("services.nodeports", "1"), ("services.loadbalancers", "0"));
        await api.DeleteAsync(ns + "/services/one");
        await api.DeleteAsync(ns + "/services/two");
        await UsedAsync(ns, ("services", "0"), ("services.nodeports", "0"));

        static string Service(string name, string type) => $$$$"""{"metadata":{"name":"{{{{name}}}}"},"spec":{"type":"{{{{type}}}}","ports":[{"port":80}]}}""";
    }

    [Fact, Conformance("ResourceQuota, object count quota, pod")]
    public async Task It_follows_the_life_of_a_pod()
    {
        var ns = await api.NamespaceAsync("quota");
        await QuotaAsync(ns, """ "pods":"5","cpu":"1","memory":"500Mi","requests.ephemeral-storage":"50Gi","requests.nvidia.com/gpu":"3" """);
        await UsedAsync(ns, ("pods", "0"), ("cpu", "0"), ("memory", "0"));
        await api.MakeAsync(ns + "/pods", Pod("fits", """{"cpu":"500m","memory":"252Mi","ephemeral-storage":"30Gi","nvidia.com/gpu":"2"}""", """{"nvidia.com/gpu":"2"}"""));
        (string, string)[] used = [("pods", "1"), ("cpu", "500m"), ("memory", "252Mi"), ("requests.ephemeral-storage", "30Gi"), ("requests.nvidia.com/gpu", "2")];
        await UsedAsync(ns, used);
        Assert.EndsWith(
            "exceeded quota: test-quota, requested: cpu=600m, used: cpu=500m, limited: cpu=1",
            await api.RefusedAsync(403, ns + "/pods", Pod("wide", """{"cpu":"600m","memory":"100Mi","ephemeral-storage":"1Gi"}""")));
        Assert.EndsWith(
            "exceeded quota: test-quota, requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=3",
            await api.RefusedAsync(403, ns + "/pods", Pod("gpu", """{"cpu":"100m","memory":"10Mi","ephemeral-storage":"1Gi","nvidia.com/gpu":"2"}""", """{"nvidia.com/gpu":"2"}""")));
        Assert.Contains("failed quota: test-quota: must specify cpu for: c; memory for: c", await api.RefusedAsync(403, ns + "/pods", Pod("none", "{}")));

        // A pod's requirements are not updated in place but by resize.
        var (code, refused) = await api.SendAsync(
            HttpMethod.Patch, ns + "/pods/fits", """{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"100m"}}}]}}""", "application/strategic-merge-patch+json");
        Assert.Equal((422, "Invalid"), (code, (string?)refused["reason"]));
        await UsedAsync(ns, used);
        await api.DeleteAsync(ns + "/pods/fits", """{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}""");
        await UsedAsync(ns, ("pods", "0"), ("cpu", "0"), ("memory", "0"), ("requests.ephemeral-storage", "0"), ("requests.nvidia.com/gpu", "0"));
    }

    [Fact, Conformance("ResourceQuota, quota scope, Terminating and NotTerminating scope")]
    public Task Terminating_pods_are_counted_apart() => ScopesAsync(
        "Terminating", Pod("x", "{}").Replace("\"spec\":{", "\"spec\":{\"activeDeadlineSeconds\":3600,", StringComparison.Ordinal), "NotTerminating", Pod("x", "{}"));

    [Fact, Conformance("ResourceQuota, quota scope, BestEffort and NotBestEffort scope")]
    public Task Best_effort_pods_are_counted_apart() => ScopesAsync("BestEffort", Pod("x", "{}"), "NotBestEffort", Pod("x", """{"cpu":"100m"}"""));

    [Fact, Conformance("ResourceQuota, update and delete")]
    public async Task It_is_updated_and_deleted()
    {
        var ns = await api.NamespaceAsync("quota");
        await QuotaAsync(ns, """ "cpu":"1","memory":"500Mi" """);
        var path = ns + "/resourcequotas/test-quota";
        Assert.Equal("""{"cpu":"1","memory":"500Mi"}""", (await api.ReadAsync(path))["spec"]!["hard"]!.ToJsonString());
        await api.UpdateAsync(path, static o => o["spec"]!["hard"] = new JsonObject { ["cpu"] = "2", ["memory"] = "1Gi" });
        Assert.Equal("""{"cpu":"2","memory":"1Gi"}""", (await api.ReadAsync(path))["spec"]!["hard"]!.ToJsonString());
        await api.UntilAsync(path, static o => o["status"]?["hard"]?.ToJsonString() == """{"cpu":"2","memory":"1Gi"}""");
        await api.DeleteAsync(path);
        await api.GoneAsync(path);
    }

    [Fact, Conformance("ResourceQuota, manage lifecycle of a ResourceQuota")]
    public async Task Its_lifecycle()
    {
        var ns = await api.NamespaceAsync("quota");
        var path = ns + "/resourcequotas";
        foreach (var i in (int[])[1, 2]) await api.MakeAsync(path, $$$$"""{"metadata":{"name":"q{{{{i}}}}","labels":{"e2e":"{{{{ns[^5..]}}}}"}},"spec":{"hard":{"cpu":"500m","memory":"500Mi"}}}""");
        Assert.Equal(2, (await api.ReadAsync($"/api/v1/resourcequotas?labelSelector=e2e%3D{ns[^5..]}")).Items().Count);
        var patched = await api.PatchAsync(path + "/q1", """{"metadata":{"labels":{"patched":"yes"}},"spec":{"hard":{"memory":"750Mi"}}}""", "application/strategic-merge-patch+json");
        Assert.Equal("""{"cpu":"500m","memory":"750Mi"}""", patched["spec"]!["hard"]!.ToJsonString());
        await api.DeleteAsync(path + "?labelSelector=patched%3Dyes");
        Assert.Equal("q2", Assert.Single((await api.ReadAsync(path)).Items()).Name());
    }

    [Fact, Conformance("ResourceQuota, apply changes to a ResourceQuota status")]
    public async Task Its_status_is_written_and_set_right_again()
    {
        var ns = await api.NamespaceAsync("quota");
        await QuotaAsync(ns, """ "cpu":"500m","memory":"500Mi" """);
        var path = ns + "/resourcequotas/test-quota";
        await api.UpdateAsync(path + "/status", static o => o["status"] = new JsonObject { ["hard"] = o["spec"]!["hard"]!.DeepClone() });
        await api.PatchAsync(path, """{"spec":{"hard":{"cpu":"1","memory":"1Gi"}}}""");
        await api.PatchAsync(path + "/status", """{"status":{"hard":{"cpu":"1","memory":"1Gi"}}}""", "application/strategic-merge-patch+json");
        await api.UntilAsync(path + "/status", static o => o["status"]!["hard"]!.ToJsonString() == """{"cpu":"1","memory":"1Gi"}""");
        var wrong = await api.PatchAsync(path + "/status", """{"status":{"hard":{"cpu":"2","memory":"2Gi"}}}""", "application/strategic-merge-patch+json");
        Assert.Equal("""{"cpu":"2","memory":"2Gi"}""", wrong["status"]!["hard"]!.ToJsonString());
        Assert.Equal("""{"cpu":"1","memory":"1Gi"}""", wrong["spec"]!["hard"]!.ToJsonString());
        await api.UntilAsync(path, static o => o["status"]!["hard"]!.ToJsonString() == """{"cpu":"1","memory":"1Gi"}""");
    }

    private async Task ScopesAsync(string one, string podOfOne, string other, string podOfOther)
    {
        var ns = await api.NamespaceAsync("quota");
        foreach (var scope in (string[])[one, other])
            await api.MakeAsync(ns + "/resourcequotas", $$$$"""{"metadata":{"name":"{{{{scope.ToLowerInvariant()}}}}"},"spec":{"hard":{"pods":"5"},"scopes":["{{{{scope}}}}"]}}""");
        await CountsAsync("0", "0");
        foreach (var (pod, first, second) in ((string, string, string)[])[(podOfOne, "1", "0"), (podOfOther, "0", "1")])
        {
            await api.MakeAsync(ns + "/pods", pod);
            await CountsAsync(first, second);
            await api.DeleteAsync(ns + "/pods/x", """{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}""");
            await CountsAsync("0", "0");
        }

        async Task CountsAsync(string first, string second)
        {
            foreach (var (scope, count) in ((string, string)[])[(one, first), (other, second)])
                await api.UntilAsync($"{ns}/resourcequotas/{scope.ToLowerInvariant()}", o => (string?)o["status"]?["used"]?["pods"] == count);
        }
    }

    private static string Pod(string name, string requests, string limits = "{}") =>
        $$$$"""{"metadata":{"name":"{{{{name}}}}"},"spec":{"containers":[{"name":"c","image":"pause","resources":{"requests":{{{{requests}}}},"limits":{{{{limits}}}}}}]}}""";

    private Task QuotaAsync(string ns, string hard) => api.MakeAsync(ns + "/resourcequotas", "{\"metadata\":{\"name\":\"test-quota\"},\"spec\":{\"hard\":{" + hard + "}}}");

    private Task UsedAsync(string ns, params (string Name, string Amount)[] used) => api.UntilAsync(
        ns + "/resourcequotas/test-quota", o => used.All(u => (string?)o["status"]?["used"]?[u.Name] == u.Amount));
}
