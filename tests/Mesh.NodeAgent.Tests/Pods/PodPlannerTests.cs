using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Pods.Planning;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Pods;

public sealed class PodPlannerTests
{
    private sealed class Verdicts(params string[] failed) : IProbeVerdicts
    {
        public bool Unstarted { get; init; }

        public bool MustRestart(string containerId, out string message)
        {
            message = "Container x failed liveness probe";
            return failed.Contains(containerId);
        }

        public bool Started(string containerId) => !Unstarted;
    }

    [Fact]
    public void New_pod_gets_a_sandbox_and_its_containers()
    {
        var plan = PodPlanner.Decide(Spec("a", "b"), PodState.Empty("u"), new Verdicts());
        Assert.Equal(0u, plan.NewSandboxAttempt);
        Assert.False(plan.KillPod);
        Assert.Equal(["a", "b"], plan.Starts.Select(s => s.Spec.Name));
    }

    [Fact]
    public void New_pod_with_init_containers_starts_only_the_first()
    {
        var pod = Spec("a");
        pod.Spec!.InitContainers = [Named("i1"), Named("i2")];
        Assert.Equal(["i1"], PodPlanner.Decide(pod, PodState.Empty("u"), new Verdicts()).Starts.Select(s => s.Spec.Name));
        Assert.Equal(["i2"], PodPlanner.Decide(pod, State(Exited("i1", 0)), new Verdicts()).Starts.Select(s => s.Spec.Name));
        Assert.Empty(PodPlanner.Decide(pod, State(Running("i2"), Exited("i1", 0)), new Verdicts()).Starts);
        Assert.Equal(["a"], PodPlanner.Decide(pod, State(Exited("i2", 0), Exited("i1", 0)), new Verdicts()).Starts.Select(s => s.Spec.Name));
    }

    [Fact]
    public void Failed_init_container_is_tried_again_or_ends_the_pod()
    {
        var pod = Spec("a");
        pod.Spec!.InitContainers = [Named("i1")];
        var again = PodPlanner.Decide(pod, State(Exited("i1", 1)), new Verdicts());
        Assert.Equal(("i1", 1), (again.Starts[0].Spec.Name, again.Starts[0].RestartCount));
        pod.Spec.RestartPolicy = "Never";
        Assert.True(PodPlanner.Decide(pod, State(Exited("i1", 1)), new Verdicts()).KillPod);
    }

    [Fact]
    public void Sidecar_must_have_started_before_what_follows_and_is_restarted_beside_the_others()
    {
        var pod = Spec("a");
        var side = Named("side");
        side.RestartPolicy = "Always";
        pod.Spec!.InitContainers = [side];
        Assert.Empty(PodPlanner.Decide(pod, State(Running("side")), new Verdicts { Unstarted = true }).Starts);
        Assert.Equal(["a"], PodPlanner.Decide(pod, State(Running("side")), new Verdicts()).Starts.Select(s => s.Spec.Name));
        Assert.Equal(["side"], PodPlanner.Decide(pod, State(Running("a"), Exited("side", 0)), new Verdicts()).Starts.Select(s => s.Spec.Name));
    }

    [Theory]
    [InlineData("Always", 0, true)]
    [InlineData("Always", 1, true)]
    [InlineData("OnFailure", 0, false)]
    [InlineData("OnFailure", 1, true)]
    [InlineData("Never", 0, false)]
    [InlineData("Never", 1, false)]
    public void Restart_policy_decides_about_ended_containers(string policy, int code, bool restarted)
    {
        var pod = Spec("a");
        pod.Spec!.RestartPolicy = policy;
        var plan = PodPlanner.Decide(pod, State(Exited("a", code)), new Verdicts());
        Assert.Equal(restarted, plan.Starts.Count == 1);
        Assert.Equal(!restarted, plan.KillPod);
    }

    [Fact]
    public void Lost_sandbox_means_a_new_one_and_everything_anew()
    {
        var state = State(Running("a"));
        state = state with { Sandboxes = [state.Sandboxes[0] with { Ready = false }] };
        var plan = PodPlanner.Decide(Spec("a"), state, new Verdicts());
        Assert.True(plan.KillPod);
        Assert.Equal(1u, plan.NewSandboxAttempt);
    }

    [Fact]
    public void Failing_liveness_kills_and_restarts_unless_the_policy_forbids()
    {
        var pod = Spec("a");
        var plan = PodPlanner.Decide(pod, State(Running("a")), new Verdicts("a-0"));
        Assert.Equal("Container x failed liveness probe, will be restarted", plan.Kills[0].Message);
        Assert.Single(plan.Starts);
        pod.Spec!.RestartPolicy = "Never";
        plan = PodPlanner.Decide(pod, State(Running("a")), new Verdicts("a-0"));
        Assert.Empty(plan.Starts);
        Assert.Single(plan.Kills);
    }

    [Fact]
    public void Changed_image_restarts_the_container()
    {
        var pod = Spec("a");
        var plan = PodPlanner.Decide(pod, State(Running("a") with { SpecHash = "other" }), new Verdicts());
        Assert.Equal("Container a definition changed, will be restarted", plan.Kills[0].Message);
    }

    [Fact]
    public void Running_pod_needs_nothing()
    {
        var plan = PodPlanner.Decide(Spec("a"), State(Running("a")), new Verdicts());
        Assert.False(plan.KillPod || plan.Kills.Count > 0 || plan.Starts.Count > 0 || plan.NewSandboxAttempt is not null);
    }

    internal static Pod Spec(params string[] names) => TestPods.Sleeper("p", change: p => p.Spec!.Containers = [.. names.Select(Named)]);

    internal static Container Named(string name) => new() { Name = name, Image = "i" };

    internal static ContainerRecord Running(string name, int restart = 0) =>
        Record(name, restart) with { Phase = ContainerPhase.Running };

    internal static ContainerRecord Exited(string name, int code, int restart = 0) =>
        Record(name, restart) with { Phase = ContainerPhase.Exited, ExitCode = code, FinishedAt = DateTime.UnixEpoch.AddHours(2) };

    internal static PodState State(params ContainerRecord[] containers) => new(
        "u",
        [new SandboxRecord { Id = "s", PodUid = "u", Namespace = "default", Name = "p", Ready = true, IPs = ["10.1.1.1"] }],
        containers);

    private static ContainerRecord Record(string name, int restart) =>
        new() { Id = $"{name}-{restart}", SandboxId = "s", PodUid = "u", Name = name, RestartCount = restart, StartedAt = DateTime.UnixEpoch.AddHours(1) };
}
