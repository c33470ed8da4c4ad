using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Network;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Server;
using Mesh.Testing;

namespace Mesh.NodeAgent.Tests.Metrics;

/// <summary>What is read of the kernel's files, of both hierarchies, and how it is written.</summary>
public sealed class CadvisorMetricsTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mesh-cgroup").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact, Compatibility(17)]
    public void The_one_hierarchy_is_read()
    {
        Write("cgroup.controllers", "cpu memory io");
        const string Own = "kubepods/burstable/podu/c/";
        Write(Own + "memory.stat", "anon 4096\nfile 8192\n");
        Write(Own + "memory.swap.current", "1024\n");
        Write(Own + "cpu.stat", "usage_usec 5\nnr_periods 10\nnr_throttled 3\nthrottled_usec 250000\n");
        Write(Own + "cpu.max", "50000 100000\n");
        Write(Own + "io.stat", "999:7 rbytes=100 wbytes=200 rios=1 wios=2 dbytes=0 dios=0\n999:8 \n");
        Write(Own + "cgroup.procs", "17\n18\n");
        Check(new PodCgroups(CgroupVersion.V2, "/", root));
    }

    [Fact, Compatibility(17)]
    public void A_hierarchy_a_controller_is_read()
    {
        const string Own = "/kubepods/burstable/podu/c/";
        Write("memory" + Own + "memory.stat", "cache 1\nrss 2\ntotal_cache 8192\ntotal_rss 4096\ntotal_swap 1024\n");
        Write("cpu" + Own + "cpu.stat", "nr_periods 10\nnr_throttled 3\nthrottled_time 250000000\n");
        Write("cpu" + Own + "cpu.cfs_quota_us", "50000\n");
        Write("blkio" + Own + "blkio.throttle.io_service_bytes_recursive", "999:7 Read 100\n999:7 Write 200\n999:7 Total 300\nTotal 300\n");
        Write("blkio" + Own + "blkio.throttle.io_serviced_recursive", "999:7 Read 1\n999:7 Write 2\nTotal 3\n");
        Write("cpu" + Own + "cgroup.procs", "17\n18\n");
        Check(new PodCgroups(CgroupVersion.V1, "/", root));
    }

    [Theory, Compatibility(17)]
    [InlineData("max 100000", true)]
    [InlineData("-1", false)]
    public void Without_a_limit_on_cpu_there_are_no_periods(string limit, bool one)
    {
        var version = one ? CgroupVersion.V2 : CgroupVersion.V1;
        Write(one ? "kubepods/podu/c/cpu.max" : "cpu/kubepods/podu/c/cpu.cfs_quota_us", limit);
        var reading = new PodCgroups(version, "/", root).Read("u", "c");
        Assert.NotNull(reading);
        Assert.Null(reading.Cfs);
        Assert.Empty(reading.Devices);
    }

    [Fact, Compatibility(17)]
    public void Every_name_is_written_with_its_value()
    {
        The_one_hierarchy_is_read();
        var usage = new ContainerUsage("c", "u", "ns", "p", "main", DateTime.UnixEpoch.AddSeconds(1), 2_500_000_000, 10, 20, 30, 40);
        var network = InterfaceUsage.Parse("Inter-|\n face |\n    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0: 100 2 3 4 0 0 0 0 500 6 7 8 0 0 0 0\n");
        var text = "\n" + new CadvisorMetrics(
            [new MeasuredContainer(usage, "busybox:1", new PodCgroups(CgroupVersion.V2, "/", root).Read("u", "c"))],
            [new MeasuredSandbox("u", "s", "ns", "p", "pause:1", network, DateTime.UnixEpoch.AddSeconds(2))]).Write();
        Assert.All(DashboardMetrics.Of("cadvisor"), name => Assert.True(DashboardMetrics.Serves(text, name), name));
        const string Labels = "id=\"/kubepods/podu/c\",image=\"busybox:1\",name=\"c\",namespace=\"ns\",pod=\"p\"";
        Assert.Contains("container_cpu_usage_seconds_total{container=\"main\"," + Labels + ",cpu=\"total\"} 2.5 1000\n", text, StringComparison.Ordinal);
        Assert.Contains("container_cpu_cfs_throttled_periods_total{container=\"main\"," + Labels + "} 3 1000\n", text, StringComparison.Ordinal);
        Assert.Contains("container_memory_cache{container=\"main\"," + Labels + "} 8192 1000\n", text, StringComparison.Ordinal);
        Assert.Contains("container_fs_writes_bytes_total{container=\"main\",device=\"999:7\"," + Labels + "} 200 1000\n", text, StringComparison.Ordinal);
        const string Network = "{container=\"\",id=\"/kubepods/podu/s\",image=\"pause:1\",interface=\"eth0\",name=\"s\",namespace=\"ns\",pod=\"p\"}";
        Assert.Contains("container_network_receive_packets_dropped_total" + Network + " 4 2000\n", text, StringComparison.Ordinal);
        Assert.Contains("container_network_transmit_bytes_total" + Network + " 500 2000\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("interface=\"lo\"", text, StringComparison.Ordinal);
    }

    private static void Check(PodCgroups cgroups)
    {
        var reading = cgroups.Read("u", "c")!;
        Assert.Equal((8192, 4096, 1024), (reading.CacheBytes, reading.RssBytes, reading.SwapBytes));
        Assert.Equal((10, 3, 0.25), reading.Cfs);
        Assert.Equal([new DeviceUsage("999:7", 1, 100, 2, 200)], reading.Devices);
        Assert.Equal(17, cgroups.ProcessOf("u", "c"));
        Assert.True(cgroups.Exists("u"));
        Assert.Null(cgroups.Read("u", "other"));
        Assert.False(cgroups.Exists("other"));
    }

    private void Write(string file, string text)
    {
        var path = Path.Combine(root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
