using System.Globalization;

namespace Mesh.Telemetry;

/// <summary>
/// <c>process_*</c> as the Prometheus clients name them, from /proc, and a few of the runtime. They are of the process: where several services
/// share one, each shows the same.
/// </summary>
internal sealed class ProcessMetrics(TimeProvider time)
{
    private const double TicksPerSecond = 100;
    private static readonly string[] Generations = ["0", "1", "2", "large", "pinned"];
    private readonly double _started = ReadStart(time);

    public void Write(ref PrometheusWriter writer)
    {
        for (var generation = 0; generation <= 2; generation++)
        {
            if (generation == 0) writer.Header("dotnet_gc_collections_total", "Garbage collections, by generation.", MetricKind.Counter);
            writer.Sample("dotnet_gc_collections_total", "", $"generation=\"{generation}\"", null, GC.CollectionCount(generation));
        }
        One(ref writer, "dotnet_gc_allocated_bytes_total", "Bytes allocated in the managed heap since the start.", MetricKind.Counter, GC.GetTotalAllocatedBytes());
        One(ref writer, "dotnet_gc_heap_bytes", "Bytes in the managed heap.", MetricKind.Gauge, GC.GetTotalMemory(false));
        Collected(ref writer);
        One(ref writer, "dotnet_gc_pause_seconds_total", "Time all threads were paused by the garbage collector.", MetricKind.Counter, GC.GetTotalPauseDuration().TotalSeconds);
        One(ref writer, "dotnet_threadpool_threads", "Threads of the pool.", MetricKind.Gauge, ThreadPool.ThreadCount);
        var usage = Environment.CpuUsage;
        One(ref writer, "go_goroutines", "Work under way, under the name that dashboards of Go services look for: running and waiting items of the pool.", MetricKind.Gauge, ThreadPool.ThreadCount + ThreadPool.PendingWorkItemCount);
        One(ref writer, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", MetricKind.Counter, usage.TotalTime.TotalSeconds);
        One(ref writer, "process_max_fds", "Maximum number of open file descriptors.", MetricKind.Gauge, MaxFiles());
        One(ref writer, "process_open_fds", "Number of open file descriptors.", MetricKind.Gauge, OpenFiles());
        var (virtualBytes, residentBytes) = Memory();
        One(ref writer, "process_resident_memory_bytes", "Resident memory size in bytes.", MetricKind.Gauge, residentBytes);
        One(ref writer, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", MetricKind.Gauge, _started);
        One(ref writer, "process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricKind.Gauge, virtualBytes);
    }

    /// <summary>What the last collection found.</summary>
    private static void Collected(ref PrometheusWriter writer)
    {
        var info = GC.GetGCMemoryInfo(GCKind.Any);
        One(ref writer, "dotnet_gc_committed_bytes", "Bytes of the managed heap that are backed by memory, at the last collection.", MetricKind.Gauge, info.TotalCommittedBytes);
        One(ref writer, "dotnet_gc_fragmented_bytes", "Bytes between the objects of the managed heap, at the last collection.", MetricKind.Gauge, info.FragmentedBytes);
        writer.Header("dotnet_gc_generation_bytes", "Bytes in each part of the managed heap after the last collection.", MetricKind.Gauge);
        for (var i = 0; i < info.GenerationInfo.Length; i++)
            writer.Sample("dotnet_gc_generation_bytes", "", $"generation=\"{Generations[i]}\"", null, info.GenerationInfo[i].SizeAfterBytes);
    }

    private static void One(ref PrometheusWriter writer, string name, string help, MetricKind kind, double value)
    {
        writer.Header(name, help, kind);
        writer.Sample(name, "", "", null, value);
    }

    private static (double Virtual, double Resident) Memory()
    {
        // statm: size and resident set, in pages.
        var fields = Read("/proc/self/statm").Split(' ');
        return fields.Length > 1
            ? (double.Parse(fields[0], CultureInfo.InvariantCulture) * Environment.SystemPageSize, double.Parse(fields[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize)
            : (0, Environment.WorkingSet);
    }

    private static int OpenFiles() => Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;

    private static double MaxFiles()
    {
        foreach (var line in Read("/proc/self/limits").Split('\n'))
        {
            if (!line.StartsWith("Max open files", StringComparison.Ordinal)) continue;
            var soft = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
            return double.TryParse(soft, NumberStyles.Integer, CultureInfo.InvariantCulture, out var limit) ? limit : double.PositiveInfinity;
        }
        return 0;
    }

    /// <summary>Field 22 of stat is the start in clock ticks after boot; the process's name before it may hold spaces, hence the last parenthesis.</summary>
    private static double ReadStart(TimeProvider time)
    {
        var stat = Read("/proc/self/stat");
        var uptime = Read("/proc/uptime").Split(' ')[0];
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        return fields.Length > 19 && double.TryParse(uptime, CultureInfo.InvariantCulture, out var up)
            ? now - up + (double.Parse(fields[19], CultureInfo.InvariantCulture) / TicksPerSecond)
            : now;
    }

    private static string Read(string path) => File.Exists(path) ? File.ReadAllText(path) : "";
}
