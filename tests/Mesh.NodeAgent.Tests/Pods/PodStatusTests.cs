using System.Text.Json.Nodes;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Runtime;
using static Mesh.NodeAgent.Tests.Pods.PodPlannerTests;

namespace Mesh.NodeAgent.Tests.Pods;

public sealed class PodStatusTests
{
    private static readonly DateTime Now = DateTime.UnixEpoch.AddDays(1);

    [Fact]
    public void Before_anything_runs_the_pod_is_pending_and_its_containers_are_being_created()
    {
        var status = Build(Spec("a"), PodState.Empty("u"));
        Assert.Equal("Pending", status.Phase);
        Assert.Equal("ContainerCreating", status.ContainerStatuses![0].State!.Waiting!.Reason);
        Assert.Equal(["PodReadyToStartContainers=False", "Initialized=True", "Ready=False", "ContainersReady=False", "PodScheduled=True"], Conditions(status));
        Assert.Equal("containers with unready status: [a]", status.Conditions!.Single(c => c.Type == "Ready").Message);
    }

    [Fact]
    public void Init_containers_hold_the_others_back()
    {
        var pod = Spec("a");
        pod.Spec!.InitContainers = [Named("i")];
        var status = Build(pod, State(Running("i")));
        Assert.Equal("Pending", status.Phase);
        Assert.Equal("PodInitializing", status.ContainerStatuses![0].State!.Waiting!.Reason);
        var initialized = status.Conditions!.Single(c => c.Type == "Initialized");
        Assert.Equal(("False", "ContainersNotInitialized", "containers with incomplete status: [i]"), (initialized.Status, initialized.Reason, initialized.Message));
    }

    [Fact]
    public void Running_and_ready()
    {
        var status = Build(Spec("a"), State(Running("a")));
        Assert.Equal("Running", status.Phase);
        Assert.True(status.ContainerStatuses![0] is { Ready: true, Started: true, ContainerID: "containerd://a-0" });
        Assert.Equal("10.1.1.1", status.PodIP);
        Assert.Equal(["PodReadyToStartContainers=True", "Initialized=True", "Ready=True", "ContainersReady=True", "PodScheduled=True"], Conditions(status));
    }

    [Fact]
    public void Backing_off_container_shows_its_last_end()
    {
        var facts = Facts() with { Waiting = new Dictionary<string, WaitingReason> { ["a"] = new("CrashLoopBackOff", "back-off") } };
        var status = PodStatusBuilder.Build(Spec("a"), State(Exited("a", 3, 2), Exited("a", 1, 1)), facts);
        var container = status.ContainerStatuses![0];
        Assert.Equal(("CrashLoopBackOff", 3, 2), (container.State!.Waiting!.Reason, container.LastState!.Terminated!.ExitCode, container.RestartCount));
        Assert.Equal("Running", status.Phase);
    }

    [Theory]
    [InlineData("Never", 0, "Succeeded", "PodCompleted")]
    [InlineData("Never", 2, "Failed", "PodFailed")]
    [InlineData("OnFailure", 0, "Succeeded", "PodCompleted")]
    [InlineData("OnFailure", 2, "Running", "ContainersNotReady")]
    [InlineData("Always", 0, "Running", "ContainersNotReady")]
    public void Phase_after_the_end_depends_on_the_policy(string policy, int code, string phase, string reason)
    {
        var pod = Spec("a");
        pod.Spec!.RestartPolicy = policy;
        var status = Build(pod, State(Exited("a", code)));
        Assert.Equal((phase, reason), (status.Phase, status.Conditions!.Single(c => c.Type == "Ready").Reason));
    }

    [Fact]
    public void Ended_pod_under_deletion_has_a_final_phase_whatever_its_policy()
    {
        Assert.Equal("Failed", PodStatusBuilder.Build(Spec("a"), State(Exited("a", 137)), Facts() with { PodOver = true }).Phase);
        Assert.Equal("Succeeded", PodStatusBuilder.Build(Spec("a"), State(Exited("a", 0)), Facts() with { PodOver = true }).Phase);
    }

    [Fact]
    public void Transition_times_stay_while_a_condition_stays()
    {
        var pod = Spec("a");
        pod.Status = Build(pod, State(Running("a")));
        var later = PodStatusBuilder.Build(pod, State(Running("a")), Facts() with { Now = Now.AddHours(1) });
        Assert.All(later.Conditions!, c => Assert.Equal(Now, c.LastTransitionTime));
        Assert.True(PodStatus.SemanticEquals(pod.Status, later));
    }

    [Fact]
    public void Readiness_gates_must_be_true()
    {
        var pod = Spec("a");
        pod.Spec!.ReadinessGates = [new PodReadinessGate { ConditionType = "www.example.com/gate" }];
        var ready = Build(pod, State(Running("a"))).Conditions!.Single(c => c.Type == "Ready");
        Assert.Equal(("False", "ReadinessGatesNotReady"), (ready.Status, ready.Reason));
        pod.Status = new PodStatus { Conditions = [new PodCondition { Type = "www.example.com/gate", Status = "True" }] };
        var status = Build(pod, State(Running("a")));
        Assert.Equal("True", status.Conditions!.Single(c => c.Type == "Ready").Status);
        Assert.Contains(status.Conditions!, c => c.Type == "www.example.com/gate");
    }

    [Fact]
    public void Address_change_replaces_the_list_in_the_patch()
    {
        var pod = Spec("a");
        var before = Build(pod, State(Running("a")));
        var after = before.Clone();
        after.PodIPs = [new PodIP { Ip = "10.1.1.2" }];
        Assert.Contains("{\"$patch\":\"replace\"}", System.Text.Encoding.UTF8.GetString(StatusManager.Patch(pod, before, after)));
        Assert.DoesNotContain("$patch", System.Text.Encoding.UTF8.GetString(StatusManager.Patch(pod, before, before)));
    }

    [Fact]
    public void Reasons_that_no_longer_hold_are_taken_back_in_the_patch()
    {
        var pod = Spec("a");
        var (waiting, running) = (Build(pod, State()), Build(pod, State(Running("a"))));
        var ready = JsonNode.Parse(StatusManager.Patch(pod, waiting, running))!["status"]!["conditions"]!.AsArray().Single(c => c!["type"]!.ToString() == "Ready")!.AsObject();
        Assert.Equal(["message", "reason"], ready.Where(f => f.Value is null).Select(f => f.Key).Order());
        ready = JsonNode.Parse(StatusManager.Patch(pod, null, running))!["status"]!["conditions"]!.AsArray().Single(c => c!["type"]!.ToString() == "Ready")!.AsObject();
        Assert.DoesNotContain(ready, f => f.Value is null);
    }

    private static IEnumerable<string> Conditions(PodStatus status) => status.Conditions!.Select(c => $"{c.Type}={c.Status}");

    private static PodStatus Build(Pod pod, PodState state) => PodStatusBuilder.Build(pod, state, Facts());

    private static StatusFacts Facts() => new() { Now = Now, HostIPs = ["192.0.2.1"] };
}
