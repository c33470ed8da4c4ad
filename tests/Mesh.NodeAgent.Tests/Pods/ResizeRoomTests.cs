using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Tests.Pods;

public sealed class ResizeRoomTests
{
    private static readonly Dictionary<string, string> Node = new() { ["cpu"] = "2", ["memory"] = "1Gi" };

    [Theory]
    [InlineData("3", "3Gi", "Infeasible", "Node didn't have enough capacity: memory, requested: 3221225472, capacity: 1073741824")]
    [InlineData("2001m", "1Gi", "Infeasible", "Node didn't have enough capacity: cpu, requested: 2001, capacity: 2000")]
    [InlineData("1500m", "1Gi", "Deferred", "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000")]
    [InlineData("1", "900Mi", "Deferred", "Node didn't have enough resource: memory, requested: 943718400, used: 134217728, capacity: 1073741824")]
    [InlineData("1", "896Mi", null, null)]
    public void Never_not_now_or_yes(string cpu, string memory, string? reason, string? message)
    {
        var refusal = ResizeRoom.Refusal(Given(Asking(cpu, memory), "100m", "1Mi"), [Asking("1", "128Mi")], Node);
        Assert.Equal((reason, message), (refusal?.Reason, refusal?.Message));
        Assert.Equal(reason is null ? null : "PodResizePending", refusal?.Type);
    }

    [Fact]
    public void What_a_pod_has_already_is_never_too_much()
    {
        var pod = Given(Asking("900m", "64Mi"), "1", "64Mi");
        Assert.Null(ResizeRoom.Refusal(pod, [Asking("1900m", "1Gi")], Node));
    }

    [Fact]
    public void Others_count_with_what_they_were_given_and_not_with_what_they_wait_for()
    {
        var waiting = Given(Asking("2", "64Mi"), "500m", "64Mi");
        Assert.Null(ResizeRoom.Refusal(Given(Asking("1500m", "64Mi"), "100m", "64Mi"), [waiting], Node));
    }

    [Fact]
    public void The_pods_own_word_stands_for_its_containers()
    {
        var pod = Given(Asking("100m", "64Mi"), "100m", "64Mi");
        pod.Spec!.Resources = Resources("1500m", "64Mi");
        pod.Status!.Resources = Resources("1", "64Mi");
        Assert.Equal("Deferred", ResizeRoom.Refusal(pod, [Asking("1", "64Mi")], Node)?.Reason);
        pod.Spec.Overhead = new() { ["cpu"] = "600m" };
        Assert.Equal("Node didn't have enough capacity: cpu, requested: 2100, capacity: 2000", ResizeRoom.Refusal(pod, [], Node)?.Message);
    }

    [Fact]
    public void Init_containers_count_beside_the_sidecars_before_them()
    {
        var pod = Asking("100m", "64Mi");
        pod.Spec!.InitContainers =
        [
            new Container { Name = "side", RestartPolicy = "Always", Resources = Resources("200m", "1Mi") },
            new Container { Name = "once", Resources = Resources("1", "1Mi") },
        ];
        Assert.Equal(1200, PodRequests.Asked(pod, "cpu").MilliValue);
        Assert.Equal(65L * 1024 * 1024, PodRequests.Asked(pod, "memory").Value);
    }

    [Fact]
    public void Pod_level_resources_decide_class_and_cgroup()
    {
        var pod = PodPlannerTests.Spec("a");
        pod.Spec!.Resources = new ResourceRequirements { Requests = new() { ["cpu"] = "500m", ["memory"] = "64Mi" }, Limits = new() { ["cpu"] = "500m", ["memory"] = "64Mi" } };
        Assert.Equal(QosClass.Guaranteed, QosClass.Of(pod));
        Assert.Equal(new PodLimits(512, 50_000, 64L * 1024 * 1024), PodLimits.Of(pod));
        pod.Spec.Resources.Requests["cpu"] = "250m";
        Assert.Equal(QosClass.Burstable, QosClass.Of(pod));
        Assert.Equal(256, PodLimits.Of(pod).CpuShares);
    }

    private static Pod Asking(string cpu, string memory)
    {
        var pod = PodPlannerTests.Spec("a");
        pod.Spec!.Containers![0].Resources = Resources(cpu, memory);
        return pod;
    }

    private static Pod Given(Pod pod, string cpu, string memory)
    {
        pod.Status = new PodStatus { ContainerStatuses = [new ContainerStatus { Name = "a", State = new() { Running = new() }, Resources = Resources(cpu, memory) }] };
        return pod;
    }

    private static ResourceRequirements Resources(string cpu, string memory) => new() { Requests = new() { ["cpu"] = cpu, ["memory"] = memory } };
}
