using System.Globalization;

namespace Mesh.NodeAgent.Cgroups;

/// <summary>Reads and writes of one block device ("/dev/sda") since the cgroup was made.</summary>
internal sealed record DeviceUsage(string Device, long Reads, long ReadBytes, long Writes, long WrittenBytes);

/// <summary>
/// What the kernel counts for one container, beyond what the runtime tells: memory in bytes; CPU periods only where there is a limit on CPU,
/// as without one there are none. Of v1's and v2's files.
/// </summary>
internal sealed record CgroupReading
{
    public long CacheBytes { get; private init; }

    public long SwapBytes { get; private init; }

    public long? RssBytes { get; private init; }

    public (long Periods, long Throttled, double ThrottledSeconds)? Cfs { get; private init; }

    public IReadOnlyList<DeviceUsage> Devices { get; private init; } = [];

    /// <summary>Reads a v2 directory.</summary>
    public static CgroupReading ReadV2(string directory, string devices)
    {
        var memory = Pairs(Path.Combine(directory, "memory.stat"));
        var cpu = Pairs(Path.Combine(directory, "cpu.stat"));
        var limited = Text(Path.Combine(directory, "cpu.max")) is { Length: > 0 } max && !max.StartsWith("max", StringComparison.Ordinal);
        var io = new List<DeviceUsage>();
        foreach (var line in Lines(Path.Combine(directory, "io.stat")))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var values = fields.Skip(1).Select(static f => f.Split('=')).Where(static p => p.Length == 2).ToDictionary(static p => p[0], static p => Number(p[1]));
            if (values.Count > 0)
                io.Add(new DeviceUsage(Device(fields[0], devices), values.GetValueOrDefault("rios"), values.GetValueOrDefault("rbytes"), values.GetValueOrDefault("wios"), values.GetValueOrDefault("wbytes")));
        }

        return new CgroupReading
        {
            CacheBytes = memory.GetValueOrDefault("file"),
            RssBytes = memory.TryGetValue("anon", out var anon) ? anon : null,
            SwapBytes = Number(Text(Path.Combine(directory, "memory.swap.current")).Trim()),
            Cfs = limited ? (cpu.GetValueOrDefault("nr_periods"), cpu.GetValueOrDefault("nr_throttled"), cpu.GetValueOrDefault("throttled_usec") / 1e6) : null,
            Devices = io,
        };
    }

    /// <summary>Reads the directories of a v1 container, one a controller.</summary>
    public static CgroupReading ReadV1(string memoryDirectory, string cpuDirectory, string blkioDirectory, string devices)
    {
        var memory = Pairs(Path.Combine(memoryDirectory, "memory.stat"));
        var cpu = Pairs(Path.Combine(cpuDirectory, "cpu.stat"));
        var bytes = ByDevice(blkioDirectory, "blkio.throttle.io_service_bytes");
        var operations = ByDevice(blkioDirectory, "blkio.throttle.io_serviced");
        return new CgroupReading
        {
            CacheBytes = memory.GetValueOrDefault("total_cache"),
            RssBytes = memory.TryGetValue("total_rss", out var rss) ? rss : null,
            SwapBytes = memory.GetValueOrDefault("total_swap"),
            Cfs = Number(Text(Path.Combine(cpuDirectory, "cpu.cfs_quota_us")).Trim()) > 0 ? (cpu.GetValueOrDefault("nr_periods"), cpu.GetValueOrDefault("nr_throttled"), cpu.GetValueOrDefault("throttled_time") / 1e9) : null,
            Devices = [.. bytes.Keys.Union(operations.Keys).Order(StringComparer.Ordinal).Select(d => new DeviceUsage(
                Device(d, devices), Of(operations, d, "Read"), Of(bytes, d, "Read"), Of(operations, d, "Write"), Of(bytes, d, "Write")))],
        };
    }

    private static long Of(Dictionary<string, Dictionary<string, long>> table, string device, string operation) => table.TryGetValue(device, out var row) ? row.GetValueOrDefault(operation) : 0;

    /// <summary>"8:0 Read 4096" in every line; the one with the children where there is such.</summary>
    private static Dictionary<string, Dictionary<string, long>> ByDevice(string directory, string file)
    {
        var result = new Dictionary<string, Dictionary<string, long>>(StringComparer.Ordinal);
        var recursive = Path.Combine(directory, file + "_recursive");
        foreach (var line in Lines(File.Exists(recursive) ? recursive : Path.Combine(directory, file)))
        {
            if (line.Split(' ') is not [var device, var operation, var value])
                continue;
            if (!result.TryGetValue(device, out var row))
                result[device] = row = [];
            row[operation] = Number(value);
        }

        return result;
    }

    /// <summary>"8:0" by the name that the kernel has for it; as it is when it has none any more.</summary>
    private static string Device(string number, string devices)
    {
        var name = Path.GetFileName(new FileInfo(Path.Combine(devices, number)).LinkTarget);
        return string.IsNullOrEmpty(name) ? number : "/dev/" + name;
    }

    private static Dictionary<string, long> Pairs(string path) =>
        Lines(path).Select(static l => l.Split(' ')).Where(static p => p.Length == 2).ToDictionary(static p => p[0], static p => Number(p[1]), StringComparer.Ordinal);

    private static long Number(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static string[] Lines(string path) => Text(path).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Empty when the container has just gone or the kernel counts no such thing.</summary>
    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
