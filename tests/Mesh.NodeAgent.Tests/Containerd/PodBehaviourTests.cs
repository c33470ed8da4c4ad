using System.Diagnostics;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Containerd;

[Collection("containerd")]
public sealed class PodBehaviourTests(ContainerdFixture containerd)
{
    [Fact]
    public async Task Failing_container_is_restarted_and_then_backs_off()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("crash", "echo last words > /dev/termination-log; exit 3"));
        var pod = await TestPods.UntilAsync(api, "crash", p => p.Status?.ContainerStatuses is [{ State.Waiting.Reason: "CrashLoopBackOff" }]);
        var status = pod.Status!.ContainerStatuses![0];
        Assert.Equal(1, status.RestartCount);
        Assert.Equal(3, status.LastState!.Terminated!.ExitCode);
        Assert.Equal("Error", status.LastState.Terminated.Reason);
        Assert.Equal("last words\n", status.LastState.Terminated.Message);
        Assert.StartsWith("back-off 10s restarting failed container=main pod=crash_default(", status.State!.Waiting!.Message);
        Assert.Equal("Running", pod.Status.Phase);
        Assert.Equal("False", pod.Status.Conditions!.Single(c => c.Type == "Ready").Status);
        await TestPods.RemoveAsync(api, "crash");
    }

    [Theory]
    [InlineData("exit 0", "Never", "Succeeded", "Completed", 0)]
    [InlineData("exit 7", "Never", "Failed", "Error", 7)]
    [InlineData("exit 0", "OnFailure", "Succeeded", "Completed", 0)]
    public async Task Pod_that_ends_has_its_final_phase(string script, string policy, string phase, string reason, int code)
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("ends", script, p => p.Spec!.RestartPolicy = policy));
        var pod = await TestPods.PhaseAsync(api, "ends", phase);
        var ended = pod.Status!.ContainerStatuses![0].State!.Terminated!;
        Assert.Equal((reason, code), (ended.Reason, ended.ExitCode));
        await Eventually.TrueAsync(() => agent.Node.Pods.Workers.All(w => w.Observed.Sandboxes.All(s => !s.Ready)), TimeSpan.FromSeconds(10));
        await TestPods.RemoveAsync(api, "ends");
    }

    [Fact]
    public async Task Memory_limit_kills_with_OOMKilled()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("hungry", "x=a; while true; do x=$x$x; done", p =>
        {
            p.Spec!.RestartPolicy = "Never";
            p.Spec.Containers![0].Resources = new ResourceRequirements { Limits = new() { ["memory"] = "16Mi" }, Requests = new() { ["memory"] = "16Mi" } };
        }));
        var pod = await TestPods.PhaseAsync(api, "hungry", "Failed");
        Assert.Equal("OOMKilled", pod.Status!.ContainerStatuses![0].State!.Terminated!.Reason);
        Assert.Equal("Burstable", pod.Status.QosClass);
        await TestPods.RemoveAsync(api, "hungry");
    }

    [Fact]
    public async Task Init_containers_run_in_order_and_sidecars_stay()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("staged", "cat /shared/order; sleep 3600", p =>
        {
            p.Spec!.Volumes = [new Volume { Name = "shared", EmptyDir = new EmptyDirVolumeSource() }];
            List<VolumeMount> mounts = [new() { Name = "shared", MountPath = "/shared" }];
            p.Spec.Containers![0].VolumeMounts = mounts;
            p.Spec.InitContainers =
            [
                new Container { Name = "one", Image = TestPods.Image, Command = ["sh", "-c", "echo one >> /shared/order"], VolumeMounts = mounts },
                new Container { Name = "side", Image = TestPods.Image, RestartPolicy = "Always", Command = ["sh", "-c", "echo side >> /shared/order; exec sleep 3600"], VolumeMounts = mounts },
                new Container { Name = "two", Image = TestPods.Image, Command = ["sh", "-c", "sleep 0.2; echo two >> /shared/order"], VolumeMounts = mounts },
            ];
        }));
        var pod = await TestPods.UntilAsync(api, "staged", p => p.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true);
        Assert.Equal("Running", pod.Status!.Phase);
        var log = await LogAsync(agent, pod, "main", text => text.Contains("two", StringComparison.Ordinal));
        Assert.Equal("one\nside\ntwo\n", log);
        Assert.NotNull(pod.Status.InitContainerStatuses![1].State!.Running);
        Assert.Equal("Completed", pod.Status.InitContainerStatuses[2].State!.Terminated!.Reason);
        await TestPods.RemoveAsync(api, "staged");
    }

    [Fact]
    public async Task Readiness_follows_its_probe_and_liveness_restarts()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("probed", "touch /tmp/alive; sleep 3600", p =>
        {
            p.Spec!.TerminationGracePeriodSeconds = 1;
            var c = p.Spec.Containers![0];
            c.ReadinessProbe = new Probe { Exec = new ExecAction { Command = ["cat", "/tmp/ready"] }, PeriodSeconds = 1, FailureThreshold = 1 };
            c.LivenessProbe = new Probe { Exec = new ExecAction { Command = ["cat", "/tmp/alive"] }, PeriodSeconds = 1, FailureThreshold = 1, InitialDelaySeconds = 2 };
        }));
        var pod = await TestPods.PhaseAsync(api, "probed", "Running");
        Assert.False(pod.Status!.ContainerStatuses![0].Ready);
        var id = await TestPods.ContainerIdAsync(api, "probed");
        await agent.Runtime.ExecAsync(id, ["touch", "/tmp/ready"], TimeSpan.FromSeconds(5), default);
        await TestPods.UntilAsync(api, "probed", p => p.Status!.ContainerStatuses![0].Ready == true);
        await agent.Runtime.ExecAsync(id, ["sh", "-c", "echo no > /tmp/x; /bin/busybox rm /tmp/ready"], TimeSpan.FromSeconds(5), default);
        await TestPods.UntilAsync(api, "probed", p => p.Status!.ContainerStatuses![0].Ready == false);
        await agent.Runtime.ExecAsync(id, ["/bin/busybox", "rm", "/tmp/alive"], TimeSpan.FromSeconds(5), default);
        pod = await TestPods.UntilAsync(api, "probed", p => p.Status!.ContainerStatuses![0] is { RestartCount: 1, State.Running: not null });
        Assert.Equal(137, pod.Status!.ContainerStatuses![0].LastState!.Terminated!.ExitCode);
        await Eventually.TrueAsync(() => api.All<Event>("default").Any(e => e is { Reason: "Killing", Message: "Container main failed liveness probe, will be restarted" }), TimeSpan.FromSeconds(5));
        await TestPods.RemoveAsync(api, "probed");
    }

    [Fact]
    public async Task Restarted_agent_takes_over_running_pods_untouched()
    {
        var api = new FakeKubeClient();
        string id;
        await using (containerd.StartAgent(api))
        {
            await TestPods.NodeReadyAsync(api);
            await api.CreateAsync(TestPods.Sleeper("kept"));
            await TestPods.PhaseAsync(api, "kept", "Running");
            id = await TestPods.ContainerIdAsync(api, "kept");
        }

        await using var second = containerd.StartAgent(api);
        await Eventually.TrueAsync(() => second.Node.Pods.Workers.Any(w => w.Observed.Containers.Count > 0), TimeSpan.FromSeconds(10));
        var observed = second.Node.Pods.Workers.Single().Observed;
        Assert.Equal(id, observed.Containers.Single(c => c.Phase == ContainerPhase.Running).Id);
        Assert.Equal(0, api.Find<Pod>("default", "kept")!.Status!.ContainerStatuses![0].RestartCount);
        await TestPods.RemoveAsync(api, "kept");
    }

    [Fact]
    public async Task Missing_image_and_missing_config_are_named()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("noimage", change: p => (p.Spec!.Containers![0].Image, p.Spec.Containers[0].ImagePullPolicy) = ("docker.io/local/none:1", "Never")));
        await api.CreateAsync(TestPods.Sleeper("noconfig", change: p => p.Spec!.Containers![0].EnvFrom = [new EnvFromSource { ConfigMapRef = new ConfigMapEnvSource { Name = "absent" } }]));
        var pod = await TestPods.UntilAsync(api, "noimage", p => p.Status?.ContainerStatuses is [{ State.Waiting.Reason: "ErrImageNeverPull" }]);
        Assert.Equal("Pending", pod.Status!.Phase);
        pod = await TestPods.UntilAsync(api, "noconfig", p => p.Status?.ContainerStatuses is [{ State.Waiting.Reason: "CreateContainerConfigError" }]);
        Assert.Equal("configmap \"absent\" not found", pod.Status!.ContainerStatuses![0].State!.Waiting!.Message);
        await api.CreateAsync(new ConfigMap { Metadata = new ObjectMeta { Name = "absent", Namespace = "default" } });
        await TestPods.PhaseAsync(api, "noconfig", "Running");
        await TestPods.RemoveAsync(api, "noimage");
        await TestPods.RemoveAsync(api, "noconfig");
    }

    [Fact]
    public async Task Thirty_pods_at_once_run_within_fifteen_seconds_of_a_quiet_machine()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 30; i++)
            await api.CreateAsync(TestPods.Sleeper($"many-{i}", "exec sleep 3600", p => p.Spec!.TerminationGracePeriodSeconds = 0));
        await Eventually.TrueAsync(() => api.All<Pod>().Count(p => p.Status?.Phase == "Running") == 30, TimeSpan.FromSeconds(90), () => $"{api.All<Pod>().Count(p => p.Status?.Phase == "Running")} run");
        Console.WriteLine($"30 pods after {clock.ElapsedMilliseconds} ms");
        clock.Restart();
        for (var i = 0; i < 30; i++)
            await TestPods.DeleteAsync(api, $"many-{i}", 1);
        await Eventually.TrueAsync(() => api.All<Pod>().Count == 0, TimeSpan.FromSeconds(90));
        Console.WriteLine($"30 pods gone after {clock.ElapsedMilliseconds} ms");
    }

    [Fact]
    public async Task Containerd_killed_comes_back_and_pods_go_on()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("steady"));
        await TestPods.PhaseAsync(api, "steady", "Running");
        var id = await TestPods.ContainerIdAsync(api, "steady");
        var pidFile = Path.Combine(containerd.Options.DataDir, "containerd", "containerd.pid");
        var old = File.ReadAllText(pidFile).Trim();
        LinuxProcess.Signal(int.Parse(old), LinuxProcess.SigKill);
        await Eventually.TrueAsync(() => File.ReadAllText(pidFile).Trim() is var now && now.Length > 0 && now != old, TimeSpan.FromSeconds(20));
        await api.CreateAsync(TestPods.Sleeper("after"));
        await TestPods.PhaseAsync(api, "after", "Running", 40);
        Assert.Equal(id, await TestPods.ContainerIdAsync(api, "steady"));
        Assert.Equal(0, api.Find<Pod>("default", "steady")!.Status!.ContainerStatuses![0].RestartCount);
        await TestPods.RemoveAsync(api, "steady");
        await TestPods.RemoveAsync(api, "after");
    }

    private static async Task<string> LogAsync(TestAgent agent, Pod pod, string container, Func<string, bool> until)
    {
        var text = "";
        await Eventually.TrueAsync(
            () => until(text = string.Concat(Mesh.NodeAgent.Logs.LogTail.Last(agent.Node.Paths.Log(pod, container, 0), 100))),
            TimeSpan.FromSeconds(10),
            () => text);
        return text;
    }
}
