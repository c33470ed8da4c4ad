using Mesh.Api;
using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;
using Mesh.Controllers.Framework;
using Mesh.Controllers.GarbageCollection;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.GarbageCollection;

public sealed class GarbageCollectorTests : ControllerTest
{
    private static readonly ApiResource[] Some = [Pod.Resource, ReplicaSet.Resource, Deployment.Resource, ConfigMap.Resource];

    [Fact]
    public async Task Background_takes_dependents_after_the_owner()
    {
        var (deployment, _, _) = Family();
        await RunAsync(async () =>
        {
            await Client.DeleteAsync<Deployment>("ns", deployment.Metadata.Name!, new() { PropagationPolicy = "Background" });
            Assert.Null(Client.Find<Deployment>("ns", "web"));
            await Eventually.TrueAsync(() => Client.All<ReplicaSet>().Count == 0 && Client.All<Pod>().Count == 0, "all gone");
        });
    }

    [Fact]
    public async Task Foreground_takes_dependents_before_the_owner()
    {
        var (_, set, pod) = Family();
        pod.Metadata.Finalizers = ["example.com/hold"];
        Client.Seed(pod);
        await RunAsync(async () =>
        {
            await Client.DeleteAsync<ReplicaSet>("ns", set.Metadata.Name!, new() { PropagationPolicy = "Foreground" });
            await Eventually.TrueAsync(() => Client.Find<Pod>("ns", "p")?.Metadata.DeletionTimestamp is not null, "pod on its way");
            Assert.NotNull(Client.Find<ReplicaSet>("ns", "rs"));

            await Client.PatchAsync<Pod>("ns", "p", Mesh.Client.PatchType.Merge, """{"metadata":{"finalizers":null}}"""u8.ToArray());
            await Eventually.TrueAsync(() => Client.Find<ReplicaSet>("ns", "rs") is null, "owner gone");
            Assert.Null(Client.Find<Pod>("ns", "p"));
        });
    }

    [Fact]
    public async Task Orphan_leaves_dependents_without_the_owner()
    {
        var (_, set, _) = Family();
        await RunAsync(async () =>
        {
            await Client.DeleteAsync<ReplicaSet>("ns", set.Metadata.Name!, new() { PropagationPolicy = "Orphan" });
            await Eventually.TrueAsync(() => Client.Find<ReplicaSet>("ns", "rs") is null, "owner gone");
            await Eventually.TrueAsync(() => Client.Find<Pod>("ns", "p")!.Metadata.OwnerReferences is not { Count: > 0 }, "orphaned");
            Assert.Null(Client.Find<Pod>("ns", "p")!.Metadata.DeletionTimestamp);
        });
    }

    [Fact]
    public async Task One_living_owner_is_enough()
    {
        var keeper = Client.Seed(new ConfigMap { Metadata = new() { Namespace = "ns", Name = "keeper" } });
        Client.Seed(new ConfigMap
        {
            Metadata = new()
            {
                Namespace = "ns",
                Name = "kept",
                OwnerReferences = [Owners.ControllerReference(keeper), new OwnerReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "never", Uid = "no-such-uid" }],
            },
        });
        await RunAsync(async () =>
        {
            await Eventually.TrueAsync(() => Client.Find<ConfigMap>("ns", "kept")!.Metadata.OwnerReferences is [{ Name: "keeper" }], "dangling owner taken off");
        });
    }

    [Fact]
    public async Task What_was_orphaned_while_nobody_watched_is_found_at_start_and_namesakes_do_not_count()
    {
        Client.Seed(new ConfigMap { Metadata = new() { Namespace = "ns", Name = "owner" } }); // same name, another uid
        Client.Seed(new ConfigMap { Metadata = new() { Namespace = "ns", Name = "left", OwnerReferences = [new OwnerReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "owner", Uid = "old-uid" }] } });
        Client.Seed(new ConfigMap { Metadata = new() { Namespace = "ns", Name = "custom", OwnerReferences = [new OwnerReference { ApiVersion = "example.com/v1", Kind = "Widget", Name = "w", Uid = "w-uid" }] } });
        await RunAsync(async () =>
        {
            await Eventually.TrueAsync(() => Client.Find<ConfigMap>("ns", "left") is null, "garbage found");
            Assert.NotNull(Client.Find<ConfigMap>("ns", "custom"));
        });
    }

    private (Deployment, ReplicaSet, Pod) Family()
    {
        var deployment = Client.Seed(Make.Deployment(1));
        var set = Make.ReplicaSet(1);
        set.Metadata.Name = "rs";
        set.Metadata.OwnerReferences = [Owners.ControllerReference(deployment)];
        set = Client.Seed(set);
        var pod = Make.Pod("p", node: null);
        pod.Metadata.OwnerReferences = [Owners.ControllerReference(set)];
        return (deployment, set, Client.Seed(pod));
    }

    private async Task RunAsync(Func<Task> test)
    {
        using var stop = new CancellationTokenSource();
        using var collector = new GarbageCollector(Context, Some);
        var running = collector.RunAsync(stop.Token);
        await collector.SyncedAsync(stop.Token).WaitAsync(TimeSpan.FromSeconds(20));
        using var clock = new Timer(_ => Time.Advance(TimeSpan.FromMilliseconds(100)), null, 5, 5); // retries wait by the test's clock
        await test();
        await stop.CancelAsync();
        await running;
    }
}
