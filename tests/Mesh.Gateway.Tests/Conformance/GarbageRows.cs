using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>[sig-api-machinery] Garbage collector.</summary>
[Collection("control plane")]
public sealed class GarbageRows(ControlPlane api)
{
    private const int Pods = 10;

    [Fact, Conformance("Garbage Collector, delete replication controller, propagation policy background")]
    public async Task Pods_go_after_their_controller()
    {
        var ns = await api.NamespaceAsync("gc");
        var rc = await ControllerAsync(ns, "simpletest.rc", 2);
        await DeleteAsync(ns + "/replicationcontrollers", rc, "Background");
        await api.UntilAsync(ns + "/pods", static l => l.Items().Count == 0);
        await api.GoneAsync(ns + "/replicationcontrollers/simpletest.rc");
    }

    [Fact, Conformance("Garbage Collector, delete replication controller, propagation policy orphan")]
    public async Task Orphaned_pods_stay()
    {
        var ns = await api.NamespaceAsync("gc");
        var rc = await ControllerAsync(ns, "simpletest.rc", Pods);
        await DeleteAsync(ns + "/replicationcontrollers", rc, "Orphan");
        await api.GoneAsync(ns + "/replicationcontrollers/simpletest.rc");
        await CollectedAsync(ns);
        var pods = (await api.ReadAsync(ns + "/pods")).Items();
        Assert.Equal(Pods, pods.Count);
        Assert.All(pods, static p => Assert.Null(p["metadata"]!["ownerReferences"]));
        Assert.All(pods, static p => Assert.Null(p["metadata"]!["deletionTimestamp"]));
    }

    [Fact, Conformance("Garbage Collector, delete replication controller, after owned pods")]
    public async Task A_controller_deleted_in_the_foreground_waits_for_its_pods()
    {
        var ns = await api.NamespaceAsync("gc");
        var rc = await ControllerAsync(ns, "simpletest.rc", Pods);
        // One pod that does not go yet shows who waits for whom.
        var held = (await api.ReadAsync(ns + "/pods")).Items()[0].Name();
        await api.PatchAsync($"{ns}/pods/{held}", """{"metadata":{"finalizers":["e2e.example.com/hold"]}}""");
        var deleting = await DeleteAsync(ns + "/replicationcontrollers", rc, "Foreground");
        Assert.Equal("""["foregroundDeletion"]""", deleting["metadata"]!["finalizers"]!.ToJsonString());
        await api.UntilAsync(ns + "/pods", l => l.Items().Count == 1 && l.Items()[0].Name() == held);
        Assert.NotNull((await api.ReadAsync(ns + "/replicationcontrollers/simpletest.rc"))["metadata"]!["deletionTimestamp"]);
        await api.PatchAsync($"{ns}/pods/{held}", """{"metadata":{"finalizers":null}}""");
        await api.GoneAsync(ns + "/replicationcontrollers/simpletest.rc");
        Assert.Empty((await api.ReadAsync(ns + "/pods")).Items());
    }

    [Fact, Conformance("Garbage Collector, delete deployment,  propagation policy background")]
    public async Task Replica_sets_go_after_their_deployment()
    {
        var ns = await api.NamespaceAsync("gc");
        var deployment = await DeploymentAsync(ns);
        await DeleteAsync(ns.In("apps/v1") + "/deployments", deployment, "Background");
        await api.UntilAsync(ns.In("apps/v1") + "/replicasets", static l => l.Items().Count == 0);
        await api.UntilAsync(ns + "/pods", static l => l.Items().Count == 0);
    }

    [Fact, Conformance("Garbage Collector, delete deployment, propagation policy orphan")]
    public async Task Orphaned_replica_sets_stay()
    {
        var ns = await api.NamespaceAsync("gc");
        var deployment = await DeploymentAsync(ns);
        await DeleteAsync(ns.In("apps/v1") + "/deployments", deployment, "Orphan");
        await api.GoneAsync(ns.In("apps/v1") + "/deployments/" + deployment.Name());
        await CollectedAsync(ns);
        var set = Assert.Single((await api.ReadAsync(ns.In("apps/v1") + "/replicasets")).Items());
        Assert.Null(set["metadata"]!["ownerReferences"]);
        Assert.Equal(2, (await api.ReadAsync(ns + "/pods")).Items().Count);
    }

    [Fact, Conformance("Garbage Collector, multiple owners")]
    public async Task What_has_another_owner_stays()
    {
        var ns = await api.NamespaceAsync("gc");
        var goes = await ControllerAsync(ns, "simpletest-rc-to-be-deleted", Pods);
        var stays = await ControllerAsync(ns, "simpletest-rc-to-stay", 0);
        var pods = (await api.ReadAsync(ns + "/pods")).Items();
        foreach (var pod in pods.Take(Pods / 2))
        {
            await api.PatchAsync(
                $"{ns}/pods/{pod.Name()}", $$$$"""{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ReplicationController","name":"{{{{stays.Name()}}}}","uid":"{{{{stays.Uid()}}}}"}]}}""",
                "application/strategic-merge-patch+json");
        }

        await DeleteAsync(ns + "/replicationcontrollers", goes, "Foreground");
        await api.GoneAsync(ns + "/replicationcontrollers/" + goes.Name());
        var left = (await api.ReadAsync(ns + "/pods")).Items();
        Assert.Equal(pods.Take(Pods / 2).Select(ApiCalls.Name), left.Select(ApiCalls.Name));
        foreach (var pod in left)
        {
            Assert.Null(pod["metadata"]!["deletionTimestamp"]);
            Assert.Equal(stays.Uid(), (string?)Assert.Single(pod["metadata"]!["ownerReferences"]!.AsArray())!["uid"]);
        }
    }

    [Fact, Conformance("Garbage Collector, dependency cycle")]
    public async Task A_circle_is_no_obstacle()
    {
        var ns = await api.NamespaceAsync("gc");
        var pods = new List<JsonObject>();
        foreach (var i in (int[])[1, 2, 3]) pods.Add(await api.MakeAsync(ns + "/pods", $$$$"""{"metadata":{"name":"pod{{{{i}}}}"},"spec":{"containers":[{"name":"nginx","image":"pause"}]}}"""));
        foreach (var (pod, owner) in ((int Pod, int Owner)[])[(0, 2), (1, 0), (2, 1)])
        {
            await api.PatchAsync(
                $"{ns}/pods/{pods[pod].Name()}",
                $$$$"""{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"{{{{pods[owner].Name()}}}}","uid":"{{{{pods[owner].Uid()}}}}","controller":true,"blockOwnerDeletion":true}]}}""",
                "application/strategic-merge-patch+json");
        }

        await DeleteAsync(ns + "/pods", pods[0], "Foreground");
        await api.UntilAsync(ns + "/pods", static l => l.Items().Count == 0);
    }

    private Task<JsonObject> DeleteAsync(string path, JsonObject obj, string policy) => api.DeleteAsync(
        $"{path}/{obj.Name()}", $$$$"""{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"{{{{policy}}}}","preconditions":{"uid":"{{{{obj.Uid()}}}}"}}""");

    /// <summary>When a dependent of an owner that never was is gone, the collector has had a look at everything before it.</summary>
    private async Task CollectedAsync(string ns)
    {
        await api.MakeAsync(ns + "/configmaps", """{"metadata":{"name":"lost","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"never","uid":"5b0e8cb4-0000-4000-8000-000000000000"}]}}""");
        await api.GoneAsync(ns + "/configmaps/lost");
    }

    private async Task<JsonObject> ControllerAsync(string ns, string name, int replicas)
    {
        await api.MakeAsync(ns + "/replicationcontrollers", $$$$$"""
            {"metadata":{"name":"{{{{{name}}}}}"},"spec":{"replicas":{{{{{replicas}}}}},"selector":{"gctest":"{{{{{name}}}}}"},
             "template":{"metadata":{"labels":{"gctest":"{{{{{name}}}}}"}},"spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"nginx","image":"pause"}]}}}}
            """);
        return await api.UntilAsync($"{ns}/replicationcontrollers/{name}", o => ((int?)o["status"]?["replicas"] ?? 0) == replicas && o["status"]?["observedGeneration"] is not null);
    }

    private async Task<JsonObject> DeploymentAsync(string ns)
    {
        var deployment = await api.MakeAsync(ns.In("apps/v1") + "/deployments", """
            {"metadata":{"name":"simpletest.deployment"},"spec":{"replicas":2,"selector":{"matchLabels":{"gctest":"d"}},
             "template":{"metadata":{"labels":{"gctest":"d"}},"spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"nginx","image":"pause"}]}}}}
            """);
        await api.UntilAsync(ns + "/pods", static l => l.Items().Count == 2);
        return deployment;
    }
}
