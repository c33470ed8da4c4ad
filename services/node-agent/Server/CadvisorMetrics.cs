using System.Globalization;
using System.Text;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Network;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Server;

/// <summary>A container with what runtime and kernel count for it.</summary>
internal sealed record MeasuredContainer(ContainerUsage Usage, string Image, CgroupReading? Cgroup);

/// <summary>A pod's sandbox with the interfaces of its network.</summary>
internal sealed record MeasuredSandbox(string PodUid, string SandboxId, string Namespace, string Pod, string Image, IReadOnlyList<InterfaceUsage> Interfaces, DateTime Timestamp);

/// <summary>The series that dashboards read under job="cadvisor", in the text format: of containers, and of pods' networks with an empty container.</summary>
internal sealed class CadvisorMetrics(IReadOnlyList<MeasuredContainer> containers, IReadOnlyList<MeasuredSandbox> sandboxes)
{
    private readonly StringBuilder text = new();

    /// <summary>Every family has its head, also where nothing runs.</summary>
    public string Write()
    {
        One("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", static c => c.Usage.CpuNanoseconds / 1e9, ",cpu=\"total\"");
        One("container_cpu_cfs_periods_total", "counter", "Number of elapsed enforcement period intervals.", static c => c.Cgroup?.Cfs?.Periods);
        One("container_cpu_cfs_throttled_periods_total", "counter", "Number of throttled period intervals.", static c => c.Cgroup?.Cfs?.Throttled);
        One("container_cpu_cfs_throttled_seconds_total", "counter", "Total time duration the container has been throttled.", static c => c.Cgroup?.Cfs?.ThrottledSeconds);
        One("container_memory_working_set_bytes", "gauge", "Current working set in bytes.", static c => c.Usage.WorkingSetBytes);
        One("container_memory_usage_bytes", "gauge", "Current memory usage in bytes.", static c => c.Usage.UsageBytes);
        One("container_memory_rss", "gauge", "Size of RSS in bytes.", static c => c.Usage.RssBytes > 0 ? c.Usage.RssBytes : c.Cgroup?.RssBytes ?? 0);
        One("container_memory_cache", "gauge", "Number of bytes of page cache memory.", static c => c.Cgroup?.CacheBytes);
        One("container_memory_swap", "gauge", "Container swap usage in bytes.", static c => c.Cgroup?.SwapBytes);
        One("container_fs_usage_bytes", "gauge", "Number of bytes that are consumed by the container on this filesystem.", static c => c.Usage.WritableLayerBytes);
        Device("container_fs_reads_total", "Cumulative count of reads completed.", static d => d.Reads);
        Device("container_fs_reads_bytes_total", "Cumulative count of bytes read.", static d => d.ReadBytes);
        Device("container_fs_writes_total", "Cumulative count of writes completed.", static d => d.Writes);
        Device("container_fs_writes_bytes_total", "Cumulative count of bytes written.", static d => d.WrittenBytes);
        Interface("container_network_receive_bytes_total", "Cumulative count of bytes received.", static i => i.ReceivedBytes);
        Interface("container_network_receive_packets_total", "Cumulative count of packets received.", static i => i.ReceivedPackets);
        Interface("container_network_receive_errors_total", "Cumulative count of errors encountered while receiving.", static i => i.ReceiveErrors);
        Interface("container_network_receive_packets_dropped_total", "Cumulative count of packets dropped while receiving.", static i => i.ReceiveDropped);
        Interface("container_network_transmit_bytes_total", "Cumulative count of bytes transmitted.", static i => i.SentBytes);
        Interface("container_network_transmit_packets_total", "Cumulative count of packets transmitted.", static i => i.SentPackets);
        Interface("container_network_transmit_errors_total", "Cumulative count of errors encountered while transmitting.", static i => i.SendErrors);
        Interface("container_network_transmit_packets_dropped_total", "Cumulative count of packets dropped while transmitting.", static i => i.SendDropped);
        return text.ToString();
    }

    private void One(string name, string type, string help, Func<MeasuredContainer, double?> value, string more = "")
    {
        Head(name, type, help);
        foreach (var container in containers)
            if (value(container) is { } number)
                Container(name, container, more, "", number);
    }

    private void Device(string name, string help, Func<DeviceUsage, long> value)
    {
        Head(name, "counter", help);
        foreach (var container in containers)
            foreach (var device in container.Cgroup?.Devices ?? [])
                Container(name, container, "", $",device=\"{device.Device}\"", value(device));
    }

    private void Interface(string name, string help, Func<InterfaceUsage, long> value)
    {
        Head(name, "counter", help);
        foreach (var s in sandboxes)
            foreach (var i in s.Interfaces)
                text.Append(Invariant($"{name}{{container=\"\",id=\"/kubepods/pod{s.PodUid}/{s.SandboxId}\",image=\"{s.Image}\",interface=\"{i.Name}\",name=\"{s.SandboxId}\",namespace=\"{s.Namespace}\",pod=\"{s.Pod}\"}} {value(i)} {Milliseconds(s.Timestamp)}\n"));
    }

    private void Container(string name, MeasuredContainer c, string last, string device, double value)
    {
        var u = c.Usage;
        text.Append(Invariant($"{name}{{container=\"{u.Container}\"{device},id=\"/kubepods/pod{u.PodUid}/{u.ContainerId}\",image=\"{c.Image}\",name=\"{u.ContainerId}\",namespace=\"{u.Namespace}\",pod=\"{u.Pod}\"{last}}} {value} {Milliseconds(u.Timestamp)}\n"));
    }

    private void Head(string name, string type, string help) => text.Append(Invariant($"# HELP {name} {help}\n# TYPE {name} {type}\n"));

    private static long Milliseconds(DateTime time) => (long)(time - DateTime.UnixEpoch).TotalMilliseconds;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
