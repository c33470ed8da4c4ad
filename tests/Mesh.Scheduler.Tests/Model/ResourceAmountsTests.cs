using Mesh.Api.Core.V1;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Tests.Model;

public sealed class ResourceAmountsTests
{
    private static Container Container(string? cpu, string? memory = null, string? restart = null)
    {
        var requests = new Dictionary<string, string>();
        if (cpu is not null) requests["cpu"] = cpu;
        if (memory is not null) requests["memory"] = memory;
        return new Container { Name = "c", RestartPolicy = restart, Resources = new ResourceRequirements { Requests = requests } };
    }

    [Fact]
    public void Containers_add_up_and_init_containers_count_alone()
    {
        var spec = new PodSpec { Containers = [Container("500m", "1Gi"), Container("250m")], InitContainers = [Container("2"), Container("100m", "3Gi")] };
        var amounts = ResourceAmounts.Of(spec);
        Assert.Equal((2000, 3L << 30), (amounts.Cpu, amounts.Memory));
    }

    [Fact]
    public void Sidecars_count_with_both()
    {
        var spec = new PodSpec { Containers = [Container("1")], InitContainers = [Container("500m", restart: "Always"), Container("1200m")] };
        Assert.Equal(1700, ResourceAmounts.Of(spec).Cpu);
    }

    [Fact]
    public void Scores_see_something_where_nothing_is_asked()
    {
        var amounts = ResourceAmounts.Of(new PodSpec { Containers = [Container(null), Container("1", "1Gi")] });
        Assert.Equal((1000, 1100), (amounts.Cpu, amounts.ScoreCpu));
        Assert.Equal((1L << 30) + PodDemand.DefaultScoreMemory, amounts.ScoreMemory);
    }

    [Fact]
    public void Overhead_is_added_and_pod_level_requests_stand_in()
    {
        var spec = new PodSpec { Containers = [Container("1")], Overhead = new() { ["cpu"] = "250m" }, Resources = new ResourceRequirements { Requests = new() { ["cpu"] = "3" } } };
        Assert.Equal(3250, ResourceAmounts.Of(spec).Cpu);
    }

    [Theory]
    [InlineData("2", "1", "1", null, 2000)]
    [InlineData("2", "1", "1", "Deferred", 2000)]
    [InlineData("1000", "1", "1", "Infeasible", 1000)]
    [InlineData("1", "2", "3", null, 3000)]
    [InlineData("1", "1", "1", null, 1000)]
    public void A_resize_under_way_counts_with_the_most_and_an_infeasible_one_with_what_there_is(string asked, string has, string granted, string? pending, int cpu)
    {
        var pod = Build.Pod("a", asked);
        pod.Status = new PodStatus
        {
            ContainerStatuses = [new ContainerStatus { Name = pod.Spec!.Containers![0].Name, Resources = new() { Requests = new() { ["cpu"] = has } }, AllocatedResources = new() { ["cpu"] = granted } }],
            Conditions = pending is null ? null : [new PodCondition { Type = "PodResizePending", Status = "True", Reason = pending }],
        };
        Assert.Equal(cpu, ResourceAmounts.Of(ResizedSpec.Of(pod)).Cpu);
        Assert.Equal(asked, pod.Spec.Containers[0].Resources!.Requests!["cpu"]);
    }

    [Fact]
    public void A_resize_of_the_whole_pod_counts_likewise()
    {
        var pod = Build.Pod("a", "1");
        pod.Spec!.Resources = new() { Requests = new() { ["cpu"] = "1000" } };
        pod.Status = new PodStatus { Resources = new() { Requests = new() { ["cpu"] = "2" } }, AllocatedResources = new() { ["cpu"] = "2" } };
        Assert.Equal(1_000_000, ResourceAmounts.Of(ResizedSpec.Of(pod)).Cpu);
        pod.Status.Conditions = [new PodCondition { Type = "PodResizePending", Status = "True", Reason = "Infeasible" }];
        Assert.Equal(2000, ResourceAmounts.Of(ResizedSpec.Of(pod)).Cpu);
    }

    [Fact]
    public void Like_pods_have_one_signature()
    {
        Assert.Equal(new PodBlueprint(Build.Pod("a", "1")).Signature, new PodBlueprint(Build.Pod("b", "1000m")).Signature);
        Assert.NotEqual(new PodBlueprint(Build.Pod("a", "1")).Signature, new PodBlueprint(Build.Pod("a", "2")).Signature);
        Assert.NotEqual(
            new PodBlueprint(Build.Pod("a")).Signature,
            new PodBlueprint(Build.Pod("a", change: p => p.Spec!.Tolerations = [new Toleration { Operator = "Exists" }])).Signature);
    }
}
