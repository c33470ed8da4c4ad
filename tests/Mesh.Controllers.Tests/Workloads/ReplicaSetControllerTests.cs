using Mesh.Api;
using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Tests.Framework;
using Mesh.Controllers.Workloads;
using Xunit;

namespace Mesh.Controllers.Tests.Workloads;

public sealed class ReplicaSetControllerTests : ControllerTest
{
    [Fact]
    public async Task Makes_missing_pods_and_reports_them()
    {
        var set = Client.Seed(Make.ReplicaSet(3));
        using var c = new ReplicaSetController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.Find<ReplicaSet>("ns", "web")!.Status?.Replicas == 3, "three replicas", c);
        var pods = Client.All<Pod>();
        Assert.Equal(3, pods.Count);
        Assert.All(pods, p =>
        {
            Assert.StartsWith("web-", p.Metadata.Name, StringComparison.Ordinal);
            Assert.Equal("web", p.Metadata.Labels!["app"]);
            var owner = Assert.Single(p.Metadata.OwnerReferences!);
            Assert.Equal(("apps/v1", "ReplicaSet", "web", set.Metadata.Uid, true, true), (owner.ApiVersion, owner.Kind, owner.Name, owner.Uid, owner.Controller, owner.BlockOwnerDeletion));
        });
        Assert.Contains("Normal SuccessfulCreate: Created pod: " + pods[0].Metadata.Name, Events.All);

        RunPods();
        await SettleAsync(() => Client.Find<ReplicaSet>("ns", "web")!.Status is { ReadyReplicas: 3, AvailableReplicas: 3 }, "three available", c);
        Assert.Equal(3, Client.Actions.Count(a => a is { Verb: "create", Resource: "pods" }));
    }

    [Fact]
    public async Task Deletes_what_is_too_many_unready_first()
    {
        Client.Seed(Make.ReplicaSet(3));
        using var c = new ReplicaSetController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<Pod>().Count == 3, "three pods", c);
        var bad = Client.All<Pod>()[1].Metadata.Name;
        RunPods(p => p.Metadata.Name != bad);
        await SettleAsync(() => Client.Find<ReplicaSet>("ns", "web")!.Status?.ReadyReplicas == 2, "two ready", c);

        var set = Client.Find<ReplicaSet>("ns", "web")!;
        set.Spec!.Replicas = 2;
        await Client.UpdateAsync(set);
        await SettleAsync(() => Client.All<Pod>().Count == 2, "two pods", c);
        Assert.DoesNotContain(Client.All<Pod>(), p => p.Metadata.Name == bad);
        Assert.Contains("Normal SuccessfulDelete: Deleted pod: " + bad, Events.All);
    }

    [Fact]
    public async Task Adopts_orphans_that_match_and_lets_go_what_no_longer_does()
    {
        Client.Seed(Make.ReplicaSet(1));
        Client.Seed(Make.Pod("orphan"));
        using var c = new ReplicaSetController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.Find<Pod>("ns", "orphan")!.Metadata.OwnerReferences is [{ Controller: true, Kind: "ReplicaSet" }], "adopted", c);
        Assert.Single(Client.All<Pod>());

        var pod = Client.Find<Pod>("ns", "orphan")!;
        pod.Metadata.Labels!["app"] = "other";
        Client.Seed(pod);
        await SettleAsync(() => Client.Find<Pod>("ns", "orphan")!.Metadata.OwnerReferences is not { Count: > 0 } && Client.All<Pod>().Count == 2, "released and replaced", c);
    }

    [Fact]
    public async Task A_refusal_is_reported_as_condition_and_event()
    {
        Client.Refuse = a => a is { Verb: "create", Resource: "pods" } ? Statuses.Forbidden("", "pods", "", "exceeded quota: q") : null;
        Client.Seed(Make.ReplicaSet(5));
        using var c = new ReplicaSetController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.Find<ReplicaSet>("ns", "web")!.Status?.Conditions is [{ Type: "ReplicaFailure", Status: "True", Reason: "FailedCreate" }], "condition", c);
        Assert.Contains(Events.All, e => e.StartsWith("Warning FailedCreate: Error creating: ", StringComparison.Ordinal) && e.Contains("exceeded quota"));

        Client.Refuse = null;
        Time.Advance(TimeSpan.FromMinutes(1));
        await SettleAsync(() => Client.All<Pod>().Count == 5, "made when allowed", c);
        await SettleAsync(() => Client.Find<ReplicaSet>("ns", "web")!.Status is { Replicas: 5, Conditions: not { Count: > 0 } }, "condition gone", c);
    }

    [Fact]
    public async Task Ready_pods_become_available_after_min_ready_seconds()
    {
        var set = Make.ReplicaSet(1);
        set.Spec!.MinReadySeconds = 30;
        Client.Seed(set);
        using var c = new ReplicaSetController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<Pod>().Count == 1, "one pod", c);
        RunPods();
        await SettleAsync(() => Client.Find<ReplicaSet>("ns", "web")!.Status is { ReadyReplicas: 1, AvailableReplicas: not > 0 }, "ready, not available", c);
        Time.Advance(TimeSpan.FromSeconds(31));
        await SettleAsync(() => Client.Find<ReplicaSet>("ns", "web")!.Status?.AvailableReplicas == 1, "available", c);
    }

    [Fact]
    public async Task Slow_start_stops_at_the_first_failed_batch()
    {
        var tried = 0;
        var (done, failure) = await SlowStart.RunAsync(100, i =>
        {
            Interlocked.Increment(ref tried);
            return i >= 3 ? Task.FromException(new InvalidOperationException("full")) : Task.CompletedTask;
        });
        Assert.Equal((3, 7), (done, tried));
        Assert.Equal("full", failure!.Message);
    }

    [Fact]
    public async Task A_replication_controller_does_the_same()
    {
        Client.Seed(new ReplicationController
        {
            Metadata = new() { Namespace = "ns", Name = "rc" },
            Spec = new() { Replicas = 2, Selector = new() { ["app"] = "web" }, Template = Make.Template() },
        });
        using var c = new ReplicationControllerController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.Find<ReplicationController>("ns", "rc")!.Status is { Replicas: 2, FullyLabeledReplicas: 2 }, "two", c);
        Assert.All(Client.All<Pod>(), p => Assert.Equal("ReplicationController", p.Metadata.OwnerReferences![0].Kind));
    }
}
