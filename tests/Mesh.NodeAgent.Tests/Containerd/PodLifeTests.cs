using System.Diagnostics;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Containerd;

[Collection("containerd")]
public sealed class PodLifeTests(ContainerdFixture containerd)
{
    [Fact]
    public async Task Pod_runs_within_a_second_and_is_gone_after_its_grace_period()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);

        var clock = Stopwatch.StartNew();
        await api.CreateAsync(TestPods.Sleeper("first", "trap 'exit 0' TERM; echo hello; while true; do sleep 0.1; done"));
        var pod = await TestPods.PhaseAsync(api, "first", "Running");
        Console.WriteLine($"running after {clock.ElapsedMilliseconds} ms");
        Assert.StartsWith("10.251.", pod.Status!.PodIP);
        Assert.Equal("True", pod.Status.Conditions!.Single(c => c.Type == "Ready").Status);
        Assert.StartsWith("containerd://", pod.Status.ContainerStatuses![0].ContainerID);
        Assert.Equal("BestEffort", pod.Status.QosClass);
        await Eventually.TrueAsync(() => File.ReadAllText(agent.Node.Paths.Log(pod, "main", 0)).Contains("stdout F hello", StringComparison.Ordinal), TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(() => api.All<Event>("default").Any(e => e.Reason == "Started"), TimeSpan.FromSeconds(5));

        clock.Restart();
        await TestPods.DeleteAsync(api, "first");
        await Eventually.TrueAsync(() => api.Find<Pod>("default", "first") is null, TimeSpan.FromSeconds(20));
        Console.WriteLine($"gone after {clock.ElapsedMilliseconds} ms");
        await Eventually.TrueAsync(() => !Directory.Exists(agent.Node.Paths.Pod(pod.Metadata.Uid!)), TimeSpan.FromSeconds(5));
    }
}
