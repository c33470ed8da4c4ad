using System.Text;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Containerd;

[Collection("containerd")]
public sealed class PodResizeTests(ContainerdFixture containerd)
{
    [Fact]
    public async Task Resources_change_under_a_running_container_and_across_a_restart_of_the_agent()
    {
        var api = new FakeKubeClient();
        await using (var agent = containerd.StartAgent(api))
        {
            await TestPods.NodeReadyAsync(api);
            await api.CreateAsync(TestPods.Sleeper("grows", change: p => p.Spec!.Containers![0].Resources = Resources("100m", "64Mi")));
            await TestPods.PhaseAsync(api, "grows", "Running");
            var id = await TestPods.ContainerIdAsync(api, "grows");
            Assert.Equal("67108864", await LimitAsync(agent, id));

            await ChangeAsync(api, Resources("200m", "96Mi"));
            var pod = await TestPods.UntilAsync(api, "grows", p => p.Status!.ContainerStatuses![0].Resources?.Limits?["memory"] == "96Mi");
            Assert.Equal("100663296", await LimitAsync(agent, id));
            Assert.Equal((0, true), (pod.Status!.ContainerStatuses![0].RestartCount, pod.Status.ContainerStatuses[0].ContainerID!.EndsWith(id, StringComparison.Ordinal)));

            // More than any node has is not promised.
            await ChangeAsync(api, Resources("100000", "96Mi"));
            await Eventually.TrueAsync(() => api.All<Event>().Any(e => e.Reason == "ResizeInfeasible"), TimeSpan.FromSeconds(10));
            var pending = (await TestPods.UntilAsync(api, "grows", p => p.Status!.Conditions!.Any(c => c.Type == "PodResizePending"))).Status!.Conditions!.Single(c => c.Type == "PodResizePending");
            Assert.Equal(("True", "Infeasible"), (pending.Status, pending.Reason));
            Assert.StartsWith("Node didn't have enough capacity: cpu, requested: 100000000, capacity: ", pending.Message);
            Assert.Equal("200m", api.Find<Pod>("default", "grows")!.Status!.ContainerStatuses![0].Resources!.Limits!["cpu"]);
            await ChangeAsync(api, Resources("200m", "96Mi"));
            await TestPods.UntilAsync(api, "grows", p => p.Status!.Conditions!.All(c => c.Type != "PodResizePending"));
        }

        await using var second = containerd.StartAgent(api);
        await TestPods.UntilAsync(api, "grows", _ => second.Node.Pods.Workers.Any(w => w.Observed.Containers.Count > 0));
        await ChangeAsync(api, Resources("200m", "80Mi"));
        var again = await TestPods.UntilAsync(api, "grows", p => p.Status!.ContainerStatuses![0].Resources?.Limits?["memory"] == "80Mi");
        Assert.Equal(0, again.Status!.ContainerStatuses![0].RestartCount);
        await TestPods.RemoveAsync(api, "grows");
    }

    [Fact]
    public async Task A_resize_waits_for_room_and_gets_it_when_another_pod_goes()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await Eventually.TrueAsync(() => agent.Node.Services.Allocatable().ContainsKey("cpu"), TimeSpan.FromSeconds(60));
        var cores = Quantity.Parse(agent.Node.Services.Allocatable()["cpu"]).MilliValue;
        await api.CreateAsync(TestPods.Sleeper("grows", change: p => p.Spec!.Containers![0].Resources = Asking("50m")));
        await api.CreateAsync(TestPods.Sleeper("big", change: p => p.Spec!.Containers![0].Resources = Asking($"{cores - 100}m")));
        await TestPods.PhaseAsync(api, "grows", "Running", 60);
        await TestPods.PhaseAsync(api, "big", "Running", 60);

        await ChangeAsync(api, Asking("200m"));
        var pod = await TestPods.UntilAsync(api, "grows", p => p.Status!.Conditions!.Any(c => c.Type == "PodResizePending"), 60);
        var pending = pod.Status!.Conditions!.Single(c => c.Type == "PodResizePending");
        Assert.Equal(("True", "Deferred", $"Node didn't have enough resource: cpu, requested: 200, used: {cores - 100}, capacity: {cores}"), (pending.Status, pending.Reason, pending.Message));
        Assert.Equal(("50m", "50m"), (pod.Status.ContainerStatuses![0].Resources!.Requests!["cpu"], pod.Status.ContainerStatuses[0].AllocatedResources!["cpu"]));
        await Eventually.TrueAsync(() => api.All<Event>().Any(e => e.Reason == "ResizeDeferred"), TimeSpan.FromSeconds(60));

        await TestPods.RemoveAsync(api, "big");
        pod = await TestPods.UntilAsync(api, "grows", p => p.Status!.ContainerStatuses![0].Resources?.Requests?["cpu"] == "200m", 60);
        Assert.DoesNotContain(pod.Status!.Conditions!, c => c.Type == "PodResizePending");
        await TestPods.RemoveAsync(api, "grows");
    }

    [Fact]
    public async Task A_pod_is_resized_as_a_whole()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("whole", change: p => p.Spec!.Resources = Resources("100m", "64Mi")));
        await TestPods.PhaseAsync(api, "whole", "Running", 60);
        await TestPods.UntilAsync(api, "whole", p => p.Status!.Resources?.Limits?["memory"] == "64Mi" && p.Status.ContainerStatuses![0].Resources is not null, 60);
        var pod = api.Find<Pod>("default", "whole")!;
        pod.Spec!.Resources = Resources("200m", "96Mi");
        await api.UpdateAsync(pod);
        pod = await TestPods.UntilAsync(api, "whole", p => p.Status!.Resources?.Limits?["memory"] == "96Mi", 60);
        Assert.Equal("200m", pod.Status!.AllocatedResources!["cpu"]);
        await Eventually.TrueAsync(() => api.All<Event>().Any(e => e.Reason == "ResizeCompleted"), TimeSpan.FromSeconds(60));
        await TestPods.RemoveAsync(api, "whole");
    }

    [Fact]
    public void Amounts_are_compared_and_not_their_spelling()
    {
        Assert.True(PodResizer.Same(Resources("0.1", "65536Ki"), Resources("100m", "64Mi")));
        Assert.False(PodResizer.Same(Resources("0.1", "64Mi"), Resources("101m", "64Mi")));
        Assert.True(PodResizer.Same(null, new ResourceRequirements()));
    }

    private static async Task ChangeAsync(FakeKubeClient api, ResourceRequirements resources)
    {
        var pod = api.Find<Pod>("default", "grows")!;
        pod.Spec!.Containers![0].Resources = resources;
        await api.UpdateAsync(pod);
    }

    private static ResourceRequirements Resources(string cpu, string memory) =>
        new() { Requests = new() { ["cpu"] = cpu, ["memory"] = memory }, Limits = new() { ["cpu"] = cpu, ["memory"] = memory } };

    private static ResourceRequirements Asking(string cpu) => new() { Requests = new() { ["cpu"] = cpu } };

    private static async Task<string> LimitAsync(TestAgent agent, string id)
    {
        string[] script = ["sh", "-c", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max"];
        return Encoding.UTF8.GetString((await agent.Runtime.ExecAsync(id, script, TimeSpan.FromSeconds(10), default)).Stdout).Trim();
    }
}
