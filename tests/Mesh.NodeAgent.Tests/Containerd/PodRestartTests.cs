using Mesh.Api.Core.V1;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Containerd;

[Collection("containerd")]
public sealed class PodRestartTests(ContainerdFixture containerd)
{
    [Fact]
    public async Task Containers_lost_with_the_node_are_counted_and_named_as_unknown()
    {
        var api = new FakeKubeClient();
        await using (containerd.StartAgent(api))
        {
            await TestPods.NodeReadyAsync(api);
            await api.CreateAsync(TestPods.Sleeper("lost"));
            await TestPods.UntilAsync(api, "lost", p => p.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true);
        }

        // The machine went down: nothing of the pod is left, and the API still believes that it is ready.
        var runtime = containerd.Runtime.Runtime;
        var before = api.Find<Pod>("default", "lost")!;
        var state = await runtime.InspectPodAsync(before.Metadata.Uid!, default);
        foreach (var container in state.Containers)
            await runtime.RemoveContainerAsync(container.Id, default);
        foreach (var sandbox in state.Sandboxes)
        {
            await runtime.StopSandboxAsync(sandbox.Id, default);
            await runtime.RemoveSandboxAsync(sandbox.Id, default);
        }

        var gone = DateTime.UtcNow;
        await using var second = containerd.StartAgent(api);
        var pod = await TestPods.UntilAsync(
            api,
            "lost",
            p => p.Status!.ContainerStatuses is [{ State.Running: not null, RestartCount: 1, Ready: true } s] && s.ContainerID != before.Status!.ContainerStatuses![0].ContainerID);
        var last = pod.Status!.ContainerStatuses![0].LastState!.Terminated!;
        Assert.Equal(("ContainerStatusUnknown", 137), (last.Reason, last.ExitCode));
        var ready = pod.Status.Conditions!.Single(c => c.Type == "Ready");
        Assert.Equal(("True", null, null), (ready.Status, ready.Reason, ready.Message));
        Assert.True(ready.LastTransitionTime >= gone.AddSeconds(-1), $"ready since {ready.LastTransitionTime:O}, lost at {gone:O}");
        await TestPods.RemoveAsync(api, "lost");
    }

    [Fact]
    public async Task Container_that_its_probe_keeps_killing_backs_off()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("unwell", change: p =>
        {
            p.Spec!.TerminationGracePeriodSeconds = 1;
            p.Spec.Containers![0].LivenessProbe = new Probe { Exec = new ExecAction { Command = ["false"] }, PeriodSeconds = 1, FailureThreshold = 1 };
        }));
        var pod = await TestPods.UntilAsync(api, "unwell", p => p.Status?.ContainerStatuses is [{ State.Waiting.Reason: "CrashLoopBackOff" }]);
        Assert.InRange(pod.Status!.ContainerStatuses![0].RestartCount!.Value, 1, 3);
        await TestPods.RemoveAsync(api, "unwell");
    }
}
