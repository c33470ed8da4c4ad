using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Tests.Containerd;
using Mesh.NodeAgent.Tests.Support;
using Mesh.Testing;

namespace Mesh.NodeAgent.Tests.Metrics;

/// <summary>What dashboards and alerts read of a node, under job="kubelet" and job="cadvisor", of real containers.</summary>
[Collection("containerd")]
public sealed class DashboardMetricsTests(ContainerdFixture containerd)
{
    // The kernel counts reads and writes by device only where it has devices: the heads are there, the values are CadvisorMetricsTests'.
    private static readonly string[] ByDevice = ["container_fs_reads_bytes_total", "container_fs_reads_total", "container_fs_writes_bytes_total", "container_fs_writes_total"];

    [Fact, Compatibility(17)]
    public async Task Every_name_of_the_dashboards_is_served_for_a_pod_that_runs()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await using var app = await ServedAgent.StartAsync(agent.Node, agent.Metrics);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var directory = Directory.CreateTempSubdirectory("mesh-claim").FullName;
        await api.CreateAsync(new PersistentVolume { Metadata = { Name = "data" }, Spec = new() { Local = new() { Path = directory } } });
        await api.CreateAsync(new PersistentVolumeClaim { Metadata = { Name = "data", Namespace = "default" }, Spec = new() { VolumeName = "data" }, Status = new() { Phase = "Bound" } });
        await api.CreateAsync(TestPods.Sleeper("unmounted", change: static p => p.Spec!.Volumes = [new Volume { Name = "none", ConfigMap = new() { Name = "missing" } }]));
        await api.CreateAsync(TestPods.Sleeper("measured", change: static p =>
        {
            p.Spec!.Containers![0].Resources = new() { Limits = new() { ["cpu"] = "500m" } };
            p.Spec.Volumes = [new Volume { Name = "data", PersistentVolumeClaim = new() { ClaimName = "data" } }, new Volume { Name = "scratch", EmptyDir = new() }];
        }));
        await TestPods.PhaseAsync(api, "measured", "Running", seconds: 60);
        await agent.Node.Pods.RelistAsync(CancellationToken.None);
        await agent.Node.Pods.RelistAsync(CancellationToken.None);
        await Assert.ThrowsAnyAsync<Exception>(() => agent.Runtime.StartContainerAsync("none", CancellationToken.None));

        string kubelet = "", cadvisor = "";
        await Eventually.TrueAsync(
            () =>
            {
                kubelet = "\n" + http.GetStringAsync("/metrics").GetAwaiter().GetResult();
                cadvisor = "\n" + http.GetStringAsync("/metrics/cadvisor").GetAwaiter().GetResult();
                return Missing(kubelet, cadvisor).Count == 0;
            },
            TimeSpan.FromSeconds(60),
            () => string.Join("\n", Missing(kubelet, cadvisor)));
        Assert.All(ByDevice, name => Assert.Contains($"# TYPE {name} counter\n", cadvisor, StringComparison.Ordinal));
        Assert.Contains("kubelet_node_name{node=\"test-node\"} 1\n", kubelet, StringComparison.Ordinal);
        Assert.Contains("kubelet_running_containers{container_state=\"running\"} 1\n", kubelet, StringComparison.Ordinal);
        Assert.Contains("kubelet_running_pods 1\n", kubelet, StringComparison.Ordinal);
        Assert.Contains("kubelet_pod_start_duration_seconds_count 1\n", kubelet, StringComparison.Ordinal);
        Assert.Contains("kubelet_runtime_operations_errors_total{operation_type=\"start_container\"} 1\n", kubelet, StringComparison.Ordinal);
        Assert.Contains("volume_manager_total_volumes{plugin_name=\"kubernetes.io/configmap\",state=\"actual_state_of_world\"} 0\n", kubelet, StringComparison.Ordinal);
        Assert.Contains("volume_manager_total_volumes{plugin_name=\"kubernetes.io/local-volume\",state=\"actual_state_of_world\"} 1\n", kubelet, StringComparison.Ordinal);
        Assert.Contains("kubelet_volume_stats_capacity_bytes{namespace=\"default\",persistentvolumeclaim=\"data\"} ", kubelet, StringComparison.Ordinal);
        Assert.Matches("container_memory_working_set_bytes\\{container=\"main\",id=\"[^\"]+\",image=\"[^\"]+busybox[^\"]*\"", cadvisor);
        Assert.Matches("container_network_receive_bytes_total\\{container=\"\",id=\"[^\"]+\",image=\"[^\"]+\",interface=\"eth0\",name=\"[0-9a-f]{64}\",namespace=\"default\",pod=\"measured\"\\} [1-9]", cadvisor);
        await TestPods.RemoveAsync(api, "measured");
        await TestPods.RemoveAsync(api, "unmounted");
        Assert.Contains("kubelet_cgroup_manager_duration_seconds_count{operation_type=\"destroy\"}", await http.GetStringAsync("/metrics"), StringComparison.Ordinal);
        Directory.Delete(directory);
    }

    [Fact, Compatibility(17)]
    public void Every_name_has_its_job_or_is_said_to_have_none()
    {
        Assert.All(DashboardMetrics.All, static n => Assert.True(DashboardMetrics.JobOf(n.Section).Length > 0 != DashboardMetrics.Foreign.Contains(n.Section), n.ToString()));
        Assert.All(DashboardMetrics.NotServed.Keys, static n => Assert.Contains(DashboardMetrics.All, a => a.Name == n));
    }

    private static List<string> Missing(string kubelet, string cadvisor) =>
    [
        // The test's agent speaks to a fake API without a connection, which is what rest_client_* and the version come from: ClientMetricsTests.
        .. DashboardMetrics.Of("kubelet").Concat(DashboardMetrics.Of("every").Where(static n => !n.StartsWith("rest_", StringComparison.Ordinal) && n != "kubernetes_build_info")).Where(n => !DashboardMetrics.Serves(kubelet, n)),
        .. DashboardMetrics.Of("cadvisor").Except(ByDevice).Where(n => !DashboardMetrics.Serves(cadvisor, n)),
    ];
}
