using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Containers;

namespace Mesh.NodeAgent.Tests.Containers;

/// <summary>What containers get of a pod that has resources as a whole (KEP-2837).</summary>
public sealed class ContainerResourcesTests
{
    private const long Gi = 1L << 30;

    [Fact]
    public void A_container_without_limits_has_the_limits_of_its_pod()
    {
        var made = Build(Pod(limits: new() { ["cpu"] = "2", ["memory"] = "1Gi" }), new Container { Name = "a" });
        Assert.Equal((200_000, 2048, Gi), (made.CpuQuota, made.CpuShares, made.MemoryLimitInBytes));
    }

    [Fact]
    public void A_limit_of_the_container_stands_before_that_of_its_pod()
    {
        var container = new Container { Name = "a", Resources = new() { Limits = new() { ["cpu"] = "500m" }, Requests = new() { ["cpu"] = "250m" } } };
        var made = Build(Pod(limits: new() { ["cpu"] = "2", ["memory"] = "1Gi" }), container);
        Assert.Equal((50_000, 256, Gi), (made.CpuQuota, made.CpuShares, made.MemoryLimitInBytes));
    }

    [Fact]
    public void Without_any_limit_there_is_none()
    {
        var made = Build(Pod(), new Container { Name = "a" });
        Assert.Equal((0, 2, 0), (made.CpuQuota, made.CpuShares, made.MemoryLimitInBytes));
    }

    // The node has 4 GiB. What the pod asks for beyond its two containers counts half for each of them: who asked for more is killed later.
    [Theory]
    [InlineData(null, "4Gi", 500)]
    [InlineData("1Gi", "2Gi", 625)]
    [InlineData("1Gi", "1Gi", 750)]
    public void What_the_pod_asks_beyond_its_containers_is_shared(string? asked, string whole, long adjust)
    {
        var first = new Container { Name = "a", Resources = asked is null ? null : new() { Requests = new() { ["memory"] = asked } } };
        var pod = Pod(requests: new() { ["memory"] = whole }, limits: new() { ["memory"] = "8Gi" });
        pod.Spec!.Containers = [first, new Container { Name = "b" }];
        Assert.Equal(adjust, Build(pod, first).OomScoreAdj);
    }

    private static Cri.LinuxContainerResources Build(Pod pod, Container container)
    {
        pod.Spec!.Containers ??= [container];
        return ContainerResources.Build(pod, container, 4 * Gi, CgroupVersion.V2, mayLowerOomScore: true);
    }

    private static Pod Pod(Dictionary<string, string>? requests = null, Dictionary<string, string>? limits = null) => new()
    {
        Metadata = new() { Name = "p", Namespace = "default", Uid = "u" },
        Spec = new() { Resources = requests is null && limits is null ? null : new() { Requests = requests, Limits = limits } },
    };
}
