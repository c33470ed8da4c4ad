using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Pods;

public sealed class NumbersTests
{
    [Fact]
    public void Backoff_doubles_to_its_limit_and_starts_again_after_a_long_quiet()
    {
        var backoff = Backoff.Standard();
        var now = DateTime.UnixEpoch;
        Assert.Null(backoff.NotBefore("c", now, now));
        foreach (var seconds in new[] { 10, 20, 40, 80, 160, 300, 300 })
        {
            backoff.Next("c", now, now);
            Assert.Equal(now.AddSeconds(seconds), backoff.NotBefore("c", now, now));
            now = now.AddSeconds(seconds);
        }

        Assert.Null(backoff.NotBefore("c", now.AddMinutes(11), now.AddMinutes(11)));
    }

    [Theory]
    [InlineData(null, null, null, null, "BestEffort")]
    [InlineData("100m", null, null, null, "Burstable")]
    [InlineData("100m", "100m", "64Mi", "64Mi", "Guaranteed")]
    [InlineData(null, "100m", null, "64Mi", "Guaranteed")]
    [InlineData("50m", "100m", "64Mi", "64Mi", "Burstable")]
    [InlineData("0.1", "100m", "65536Ki", "64Mi", "Guaranteed")]
    public void Quality_of_service_follows_requests_and_limits(string? cpuRequest, string? cpuLimit, string? memoryRequest, string? memoryLimit, string expected)
    {
        var resources = new ResourceRequirements { Requests = [], Limits = [] };
        foreach (var (map, name, value) in new[] { (resources.Requests, "cpu", cpuRequest), (resources.Limits, "cpu", cpuLimit), (resources.Requests, "memory", memoryRequest), (resources.Limits, "memory", memoryLimit) })
            if (value is not null)
                map[name] = value;
        Assert.Equal(expected, QosClass.Of(TestPods.Sleeper("q", change: p => p.Spec!.Containers![0].Resources = resources)));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1000, 1024)]
    [InlineData(250, 256)]
    [InlineData(1, 2)]
    public void Shares_come_from_requests(long milli, long shares) => Assert.Equal(shares, ResourceMath.CpuShares(milli));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(500, 50000)]
    [InlineData(1, 1000)]
    public void Quota_comes_from_limits(long milli, long quota) => Assert.Equal(quota, ResourceMath.CpuQuota(milli));

    [Fact]
    public void Oom_score_prefers_those_who_asked_for_little()
    {
        Assert.Equal(-997, ResourceMath.OomScoreAdjust(QosClass.Guaranteed, 0, 1000));
        Assert.Equal(1000, ResourceMath.OomScoreAdjust(QosClass.BestEffort, 0, 1000));
        Assert.Equal(750, ResourceMath.OomScoreAdjust(QosClass.Burstable, 250, 1000));
        Assert.Equal(999, ResourceMath.OomScoreAdjust(QosClass.Burstable, 0, 1000));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1024, 39)]
    [InlineData(262144, 10000)]
    public void Weight_of_cgroup_v2_follows_shares(long shares, long weight) => Assert.Equal(weight, PodCgroups.Weight(shares));

    [Fact]
    public void Pod_has_a_memory_limit_only_when_every_container_has_one()
    {
        var pod = PodPlannerTests.Spec("a", "b");
        pod.Spec!.Containers![0].Resources = new ResourceRequirements { Limits = new() { ["memory"] = "10Mi", ["cpu"] = "1" } };
        Assert.Equal(0, PodLimits.Of(pod).MemoryBytes);
        pod.Spec.Containers[1].Resources = new ResourceRequirements { Limits = new() { ["memory"] = "20Mi" } };
        Assert.Equal((30L * 1024 * 1024, 0L), (PodLimits.Of(pod).MemoryBytes, PodLimits.Of(pod).CpuQuota));
    }

    [Fact]
    public void Version_2_cgroups_are_made_and_filled()
    {
        var root = Directory.CreateTempSubdirectory("cgroup2").FullName;
        File.WriteAllText(Path.Combine(root, "cgroup.controllers"), "cpuset cpu io memory pids\n");
        Assert.Equal(CgroupVersion.V2, CgroupHost.Detect(root));
        var groups = new PodCgroups(CgroupVersion.V2, "/mesh", root);
        var pod = TestPods.Sleeper("g", change: p => p.Spec!.Containers![0].Resources = new ResourceRequirements { Requests = new() { ["cpu"] = "1" }, Limits = new() { ["memory"] = "1Mi" } });
        var path = groups.Ensure(pod);
        Assert.Equal($"/mesh/kubepods/burstable/pod{pod.Metadata.Uid}", path);
        Assert.Equal("1048576", File.ReadAllText(root + path + "/memory.max"));
        Assert.Equal("39", File.ReadAllText(root + path + "/cpu.weight"));
        Assert.Contains("+memory", File.ReadAllText(root + "/mesh/cgroup.subtree_control"));
        Assert.Equal([pod.Metadata.Uid!], groups.KnownPods());
        Directory.Delete(root, recursive: true);
    }
}
