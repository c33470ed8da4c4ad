namespace Mesh.NodeAgent.Nodes;

/// <summary>How much of the machine is left, and below which marks the node says so. Bytes; percentages 0…100.</summary>
internal sealed record NodePressure
{
    /// <summary>kubelet's hard marks: 100 MiB of memory, 10 % of the disk, 5 % of its inodes.</summary>
    public const long MemoryMark = 100L * 1024 * 1024;
    public const double DiskMarkPercent = 10;

    public required long MemoryAvailable { get; init; }

    public required long DiskTotal { get; init; }

    public required long DiskAvailable { get; init; }

    public required int Pids { get; init; }

    public required int MaxPids { get; init; }

    public bool Memory => MemoryAvailable < MemoryMark;

    public bool Disk => DiskTotal > 0 && DiskAvailable * 100.0 / DiskTotal < DiskMarkPercent;

    public bool Pid => MaxPids > 0 && Pids > MaxPids * 0.95;

    public static NodePressure Read(string dataDirectory, int maxPids)
    {
        var (total, free) = DiskSpace(dataDirectory);
        return new NodePressure
        {
            MemoryAvailable = MachineInfo.MemInfo("MemAvailable:") * 1024,
            DiskTotal = total,
            DiskAvailable = free,
            Pids = Tasks(),
            MaxPids = maxPids,
        };
    }

    private static (long Total, long Free) DiskSpace(string directory)
    {
        try
        {
            var drive = new DriveInfo(Directory.Exists(directory) ? directory : "/");
            return (drive.TotalSize, drive.AvailableFreeSpace);
        }
        catch (IOException)
        {
            return (0, 0);
        }
    }

    /// <summary>All tasks of the machine: the second number of the fourth field of /proc/loadavg.</summary>
    private static int Tasks()
    {
        var fields = File.ReadAllText("/proc/loadavg").Split(' ');
        return fields.Length > 3 && fields[3].Split('/') is [_, var all] && int.TryParse(all, out var count) ? count : 0;
    }
}
