using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Mesh.NodeAgent.Network;
using Mesh.NodeAgent.Nodes;
using Mesh.NodeAgent.Runtime;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Mesh.NodeAgent.Server;

/// <summary>/metrics, /metrics/cadvisor, /metrics/resource and /stats/summary, from what the runtime measures.</summary>
internal sealed class NodeMetrics(AgentNode node, MetricsRegistry metrics, string sandboxImage)
{
    public Task MetricsAsync(HttpContext context) => MetricsHttp.WriteAsync(context, metrics);

    /// <summary>The container series that dashboards read under job="cadvisor".</summary>
    public async Task CadvisorAsync(HttpContext context)
    {
        var usage = await node.Services.Runtime.UsageAsync(context.RequestAborted);
        var cgroups = node.Services.Cgroups;
        var containers = usage.Select(u => new MeasuredContainer(u, Image(u), cgroups.Read(u.PodUid, u.ContainerId))).ToList();
        var text = new StringBuilder(new CadvisorMetrics(containers, Sandboxes()).Write());
        text.Append(Invariant($"# HELP machine_cpu_cores Number of logical CPU cores.\n# TYPE machine_cpu_cores gauge\nmachine_cpu_cores {Environment.ProcessorCount}\n"));
        text.Append(Invariant($"# HELP machine_memory_bytes Amount of memory installed on the machine.\n# TYPE machine_memory_bytes gauge\nmachine_memory_bytes {node.Services.MemoryBytes}\n"));
        await TextAsync(context, text);
    }

    /// <summary>What metrics-server reads.</summary>
    public async Task ResourceAsync(HttpContext context)
    {
        var usage = await node.Services.Runtime.UsageAsync(context.RequestAborted);
        var text = new StringBuilder();
        text.Append("# HELP container_cpu_usage_seconds_total Cumulative cpu time consumed by the container in core-seconds\n# TYPE container_cpu_usage_seconds_total counter\n");
        foreach (var u in usage)
            text.Append(Invariant($"container_cpu_usage_seconds_total{{container=\"{u.Container}\",namespace=\"{u.Namespace}\",pod=\"{u.Pod}\"}} {u.CpuNanoseconds / 1e9} {Milliseconds(u)}\n"));
        text.Append("# HELP container_memory_working_set_bytes Current working set of the container in bytes\n# TYPE container_memory_working_set_bytes gauge\n");
        foreach (var u in usage)
            text.Append(Invariant($"container_memory_working_set_bytes{{container=\"{u.Container}\",namespace=\"{u.Namespace}\",pod=\"{u.Pod}\"}} {u.WorkingSetBytes} {Milliseconds(u)}\n"));
        text.Append(Invariant($"# HELP node_memory_working_set_bytes Current working set of the node in bytes\n# TYPE node_memory_working_set_bytes gauge\nnode_memory_working_set_bytes {NodeWorkingSet()}\n"));
        text.Append(Invariant($"# HELP node_cpu_usage_seconds_total Cumulative cpu time consumed by the node in core-seconds\n# TYPE node_cpu_usage_seconds_total counter\nnode_cpu_usage_seconds_total {NodeCpuSeconds()}\n"));
        await TextAsync(context, text);
    }

    public async Task SummaryAsync(HttpContext context)
    {
        var usage = await node.Services.Runtime.UsageAsync(context.RequestAborted);
        var pressure = NodePressure.Read(node.Paths.Data, 0);
        var now = node.Services.Time.GetUtcNow().UtcDateTime;
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteStartObject("node");
        json.WriteString("nodeName", node.Services.NodeName);
        Cpu(json, now, (ulong)(NodeCpuSeconds() * 1e9));
        Memory(json, now, (ulong)NodeWorkingSet(), pressure.MemoryAvailable);
        json.WriteStartObject("fs");
        json.WriteNumber("capacityBytes", pressure.DiskTotal);
        json.WriteNumber("availableBytes", pressure.DiskAvailable);
        json.WriteNumber("usedBytes", pressure.DiskTotal - pressure.DiskAvailable);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("pods");
        foreach (var pod in usage.GroupBy(u => (u.PodUid, u.Namespace, u.Pod)))
        {
            json.WriteStartObject();
            json.WriteStartObject("podRef");
            json.WriteString("name", pod.Key.Pod);
            json.WriteString("namespace", pod.Key.Namespace);
            json.WriteString("uid", pod.Key.PodUid);
            json.WriteEndObject();
            json.WriteStartArray("containers");
            foreach (var container in pod)
            {
                json.WriteStartObject();
                json.WriteString("name", container.Container);
                Cpu(json, container.Timestamp, container.CpuNanoseconds);
                Memory(json, container.Timestamp, container.WorkingSetBytes, null);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            Cpu(json, now, (ulong)pod.Sum(u => (decimal)u.CpuNanoseconds));
            Memory(json, now, (ulong)pod.Sum(u => (decimal)u.WorkingSetBytes), null);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Cpu(Utf8JsonWriter json, DateTime time, ulong nanoseconds)
    {
        json.WriteStartObject("cpu");
        json.WriteString("time", Mesh.Api.KubeTime.Format(time));
        json.WriteNumber("usageCoreNanoSeconds", nanoseconds);
        json.WriteEndObject();
    }

    private static void Memory(Utf8JsonWriter json, DateTime time, ulong workingSet, long? available)
    {
        json.WriteStartObject("memory");
        json.WriteString("time", Mesh.Api.KubeTime.Format(time));
        if (available is { } bytes)
            json.WriteNumber("availableBytes", bytes);
        json.WriteNumber("workingSetBytes", workingSet);
        json.WriteEndObject();
    }

    private string Image(ContainerUsage usage) => node.Pods.Find(usage.PodUid)?.Observed.Containers.FirstOrDefault(c => c.Id == usage.ContainerId)?.Image ?? "";

    /// <summary>Pods with a network of their own; on the node's, its interfaces would be counted once a pod.</summary>
    private List<MeasuredSandbox> Sandboxes()
    {
        var now = node.Services.Time.GetUtcNow().UtcDateTime;
        var result = new List<MeasuredSandbox>();
        foreach (var worker in node.Pods.Workers)
        {
            if (worker.Observed.Sandboxes.FirstOrDefault(static s => s is { Ready: true, HostNetwork: false }) is not { } sandbox || node.Services.Cgroups.ProcessOf(sandbox.PodUid, sandbox.Id) is not { } process)
                continue;
            result.Add(new MeasuredSandbox(sandbox.PodUid, sandbox.Id, sandbox.Namespace, sandbox.Name, sandboxImage, InterfaceUsage.OfProcess(process), now));
        }

        return result;
    }

    private long NodeWorkingSet() => node.Services.MemoryBytes - (MachineInfo.MemInfo("MemAvailable:") * 1024);

    /// <summary>Busy time of all processors: the first line of /proc/stat in hundredths of a second, without idle and iowait.</summary>
    private static double NodeCpuSeconds()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(f => long.Parse(f, CultureInfo.InvariantCulture)).ToArray();
        return (fields.Take(8).Sum() - fields[3] - fields[4]) / 100.0;
    }

    private static long Milliseconds(ContainerUsage usage) => (long)(usage.Timestamp - DateTime.UnixEpoch).TotalMilliseconds;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static async Task TextAsync(HttpContext context, StringBuilder text)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        context.Response.BodyWriter.Write(Encoding.UTF8.GetBytes(text.ToString()));
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
