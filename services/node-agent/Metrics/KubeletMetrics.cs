using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Volumes;
using Mesh.Telemetry;

namespace Mesh.NodeAgent.Metrics;

/// <summary>
/// kubelet's metric names, so that its dashboards and alerts work. What happens is told by the code that does it; what is there is counted
/// when it is asked for. Simulated nodes of one process share one: their pods are added up.
/// </summary>
internal sealed class KubeletMetrics
{
    private static readonly double[] PodStartBounds = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600];
    private static readonly double[] StorageBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
    private static readonly string[] ContainerStates = ["created", "running", "exited", "unknown"];
    private readonly ConcurrentBag<AgentNode> _nodes = [];
    private readonly Histogram<double> _podStart;
    private readonly Histogram<double> _podWorker;
    private readonly Histogram<double> _cgroup;
    private readonly Histogram<double> _relist;
    private readonly Histogram<double> _relistInterval;
    private readonly Histogram<double> _storage;
    private readonly Counter<long> _storageErrors;

    public KubeletMetrics(IMeterFactory meters, TimeProvider time)
    {
        Time = time;
        var meter = meters.Create(new MeterOptions("Mesh.NodeAgent"));
        Operations = new RuntimeOperations(meter, time);
        _podStart = meter.CreateHistogram("kubelet_pod_start_duration_seconds", PodStartBounds, "Duration in seconds from the node's seeing a pod for the first time to the pod starting to run.");
        _podWorker = meter.CreateHistogram("kubelet_pod_worker_duration_seconds", HistogramBuckets.Default, "Duration in seconds to sync a single pod, by operation: create, update, sync or kill.");
        _cgroup = meter.CreateHistogram("kubelet_cgroup_manager_duration_seconds", HistogramBuckets.Default, "Duration in seconds for cgroup manager operations, by method.");
        _relist = meter.CreateHistogram("kubelet_pleg_relist_duration_seconds", HistogramBuckets.Default, "Duration in seconds of a look at all pods of the runtime.");
        _relistInterval = meter.CreateHistogram("kubelet_pleg_relist_interval_seconds", HistogramBuckets.Default, "Interval in seconds between the ends of two looks at all pods of the runtime.");
        _storage = meter.CreateHistogram("storage_operation_duration_seconds", StorageBounds, "Storage operation duration.");
        _storageErrors = meter.CreateCounter<long>("storage_operation_errors_total", description: "Storage operations that failed.");
        meter.CreateObservableGauge("kubelet_running_pods", () => _nodes.Sum(static n => n.Pods.Workers.Count(static w => w.Observed.Sandboxes.Any(static s => s.Ready))), description: "Number of pods that have a running pod sandbox.");
        meter.CreateObservableGauge("kubelet_running_containers", Containers, description: "Number of containers, by their state.");
        meter.CreateObservableGauge("kubelet_node_name", () => _nodes.Select(static n => new Measurement<int>(1, Label("node", n.Services.NodeName))), description: "The node's name. The count is always 1.");
        meter.CreateObservableGauge("kubelet_node_config_error", static () => 0, description: "1 if the node has a configuration error, 0 otherwise: an agent with wrong settings does not start, so one that answers has none.");
        meter.CreateObservableGauge("volume_manager_total_volumes", Volumes, description: "Number of volumes, wanted by pods (desired_state_of_world) and made (actual_state_of_world).");
        Claims(meter, "kubelet_volume_stats_capacity_bytes", "Capacity in bytes of the volume.", static s => s.CapacityBytes);
        Claims(meter, "kubelet_volume_stats_available_bytes", "Number of available bytes in the volume.", static s => s.AvailableBytes);
        Claims(meter, "kubelet_volume_stats_used_bytes", "Number of used bytes in the volume.", static s => s.UsedBytes);
        Claims(meter, "kubelet_volume_stats_inodes", "Maximum number of inodes in the volume.", static s => s.Inodes);
        Claims(meter, "kubelet_volume_stats_inodes_free", "Number of free inodes in the volume.", static s => s.InodesFree);
        Claims(meter, "kubelet_volume_stats_inodes_used", "Number of used inodes in the volume.", static s => s.InodesUsed);
    }

    public TimeProvider Time { get; }

    /// <summary>kubelet_runtime_operations_*.</summary>
    public RuntimeOperations Operations { get; }

    /// <summary>Pods and volumes of this node are counted from now on.</summary>
    public void Watch(AgentNode node) => _nodes.Add(node);

    /// <summary>A pod runs for the first time.</summary>
    public void PodStarted(TimeSpan sinceSeen) => _podStart.Record(sinceSeen.TotalSeconds);

    /// <summary>One round of a pod's worker.</summary>
    public void PodSynced(string operation, TimeSpan took) => _podWorker.Record(took.TotalSeconds, Label("operation_type", operation));

    /// <summary>create, update or destroy of a pod's cgroup.</summary>
    public void Cgroup(string operation, TimeSpan took) => _cgroup.Record(took.TotalSeconds, Label("operation_type", operation));

    /// <summary>A look at all pods of the runtime; no interval at the first.</summary>
    public void Relisted(TimeSpan took, TimeSpan? sinceLast)
    {
        _relist.Record(took.TotalSeconds);
        if (sinceLast is { } interval)
            _relistInterval.Record(interval.TotalSeconds);
    }

    /// <summary>volume_mount or volume_unmount of one volume.</summary>
    public void Storage(string plugin, string operation, TimeSpan took, bool failed)
    {
        _storage.Record(took.TotalSeconds, Label("migrated", "false"), Label("operation_name", operation), Label("status", failed ? "fail-unknown" : "success"), Label("volume_plugin", plugin));
        if (failed)
            _storageErrors.Add(1, Label("operation_name", operation), Label("volume_plugin", plugin));
    }

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private IEnumerable<Measurement<int>> Containers()
    {
        var counts = new int[ContainerStates.Length];
        foreach (var container in _nodes.SelectMany(static n => n.Pods.Workers).SelectMany(static w => w.Observed.Containers))
            counts[container.Phase switch { ContainerPhase.Created => 0, ContainerPhase.Running => 1, ContainerPhase.Exited => 2, _ => 3 }]++;
        // Running is there at zero too: sums over it are wanted of an empty node. The others come with the first such container.
        return ContainerStates.Select((state, i) => (state, Count: counts[i])).Where(static s => s.Count > 0 || s.state == "running").Select(static s => new Measurement<int>(s.Count, Label("container_state", s.state)));
    }

    private IEnumerable<Measurement<int>> Volumes()
    {
        foreach (var node in _nodes)
        {
            var volumes = node.Pods.Workers.SelectMany(w => node.Services.Volumes.Plugins(w.Pod).Select(plugin => (plugin, Made: w.VolumesMade))).ToList();
            foreach (var group in volumes.GroupBy(static v => v.plugin, StringComparer.Ordinal))
            {
                yield return new(group.Count(), Label("plugin_name", group.Key), Label("state", "desired_state_of_world"));
                yield return new(group.Count(static v => v.Made), Label("plugin_name", group.Key), Label("state", "actual_state_of_world"));
            }
        }
    }

    private void Claims(Meter meter, string name, string description, Func<VolumeSpace, long> value) => meter.CreateObservableGauge(
        name,
        () => _nodes.SelectMany(static n => n.Services.Volumes.Claims()).DistinctBy(static c => (c.Namespace, c.Claim))
            .Select(c => (Claim: c, Space: VolumeSpace.Read(c.Path))).Where(static c => c.Space is not null)
            .Select(c => new Measurement<long>(value(c.Space!), Label("namespace", c.Claim.Namespace), Label("persistentvolumeclaim", c.Claim.Claim))),
        description: description);
}
