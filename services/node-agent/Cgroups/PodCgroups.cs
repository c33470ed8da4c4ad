using System.Globalization;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Cgroups;

/// <summary>
/// Pod cgroups on the file system, v1 (a directory in every controller) or v2 (one): ROOT/kubepods for guaranteed pods,
/// kubepods/burstable and kubepods/besteffort for the others, podUID below.
/// </summary>
internal sealed class PodCgroups(CgroupVersion version, string parent, string root = CgroupHost.DefaultRoot) : IPodCgroups
{
    private static readonly string[] V1Controllers = ["cpu", "memory", "pids", "cpuset", "cpuacct", "blkio", "devices", "freezer", "hugetlb", "net_cls", "net_prio", "perf_event", "systemd", "unified"];
    private static readonly string[] V2Controllers = ["cpu", "memory", "pids", "cpuset", "io", "hugetlb"];
    private const string Devices = "/sys/dev/block";
    private readonly string top = "/" + string.Join('/', parent.Split('/', StringSplitOptions.RemoveEmptyEntries).Append("kubepods"));

    public CgroupVersion Version => version;

    public string Ensure(Pod pod)
    {
        var path = PathOf(QosClass.Of(pod), pod.Uid());
        var limits = PodLimits.Of(pod);
        if (version == CgroupVersion.V2)
        {
            EnableControllers(path);
            var directory = Path.Combine(root, path.TrimStart('/'));
            Write(directory, "cpu.weight", Weight(limits.CpuShares).ToString(CultureInfo.InvariantCulture));
            if (limits.CpuQuota > 0)
                Write(directory, "cpu.max", $"{limits.CpuQuota} {ResourceMath.QuotaPeriodMicroseconds}");
            if (limits.MemoryBytes > 0)
                Write(directory, "memory.max", limits.MemoryBytes.ToString(CultureInfo.InvariantCulture));
        }
        else
        {
            foreach (var controller in V1Controllers)
            {
                var mount = Path.Combine(root, controller);
                if (!Directory.Exists(mount))
                    continue;
                var directory = Path.Combine(mount, path.TrimStart('/'));
                Directory.CreateDirectory(directory);
                switch (controller)
                {
                    case "cpu":
                        Write(directory, "cpu.shares", limits.CpuShares.ToString(CultureInfo.InvariantCulture));
                        if (limits.CpuQuota > 0)
                            Write(directory, "cpu.cfs_quota_us", limits.CpuQuota.ToString(CultureInfo.InvariantCulture));
                        break;
                    case "memory" when limits.MemoryBytes > 0:
                        Write(directory, "memory.limit_in_bytes", limits.MemoryBytes.ToString(CultureInfo.InvariantCulture));
                        break;
                    case "cpuset":
                        InheritCpuset(mount, path);
                        break;
                }
            }
        }

        return path;
    }

    public bool Exists(string podUid) => Everywhere($"pod{podUid}").Any();

    public CgroupReading? Read(string podUid, string containerId)
    {
        var own = Containers(podUid, containerId).ToList();
        if (own.Count == 0)
            return null;
        if (version == CgroupVersion.V2)
            return CgroupReading.ReadV2(own[0], Devices);
        string Of(string controller) => own.FirstOrDefault(d => d.StartsWith(Path.Combine(root, controller) + "/", StringComparison.Ordinal)) ?? "/nonexistent";
        return CgroupReading.ReadV1(Of("memory"), Of("cpu"), Of("blkio"), Devices);
    }

    public int? ProcessOf(string podUid, string containerId)
    {
        try
        {
            return Containers(podUid, containerId).FirstOrDefault() is { } directory && int.TryParse(File.ReadLines(Path.Combine(directory, "cgroup.procs")).FirstOrDefault(), out var process) ? process : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Remove(string podUid)
    {
        foreach (var directory in Everywhere($"pod{podUid}"))
            RemoveTree(directory);
    }

    public IReadOnlyList<string> KnownPods()
    {
        var uids = new HashSet<string>();
        foreach (var qos in QosDirectories())
            if (Directory.Exists(qos))
                foreach (var directory in Directory.EnumerateDirectories(qos, "pod*"))
                    uids.Add(Path.GetFileName(directory)[3..]);
        return [.. uids];
    }

    /// <summary>Removes the whole tree and the parent, if it is the node's own (the node's end).</summary>
    public void RemoveAll()
    {
        var own = parent.Trim('/');
        foreach (var mount in Mounts())
            RemoveTree(Path.Combine(mount, own.Length > 0 ? own : top.TrimStart('/')));
    }

    /// <summary>cgroup v2's weight for v1's shares: 2…262144 onto 1…10000.</summary>
    public static long Weight(long shares) => 1 + ((Math.Clamp(shares, 2, 262144) - 2) * 9999 / 262142);

    private string PathOf(string qosClass, string uid) => qosClass switch
    {
        QosClass.Guaranteed => $"{top}/pod{uid}",
        QosClass.Burstable => $"{top}/burstable/pod{uid}",
        _ => $"{top}/besteffort/pod{uid}",
    };

    private IEnumerable<string> Mounts() => version == CgroupVersion.V2 ? [root] : V1Controllers.Select(c => Path.Combine(root, c)).Where(Directory.Exists);

    private IEnumerable<string> QosDirectories()
    {
        foreach (var mount in Mounts())
            foreach (var qos in new[] { "", "/burstable", "/besteffort" })
                yield return Path.Combine(mount, (top + qos).TrimStart('/'));
    }

    /// <summary>A container's own directories below its pod's: the runtime names them by its id.</summary>
    private IEnumerable<string> Containers(string podUid, string containerId) => Everywhere($"pod{podUid}").Select(d => Path.Combine(d, containerId)).Where(Directory.Exists);

    private IEnumerable<string> Everywhere(string name) => QosDirectories().Select(d => Path.Combine(d, name)).Where(Directory.Exists);

    /// <summary>Children may use a controller only when every directory above hands it down.</summary>
    private void EnableControllers(string path)
    {
        var wanted = string.Join(' ', V2Controllers.Intersect(File.ReadAllText(Path.Combine(root, "cgroup.controllers")).Split((char[])[' ', '\n'])).Select(c => "+" + c));
        var directory = root;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            Write(directory, "cgroup.subtree_control", wanted);
            directory = Path.Combine(directory, part);
            Directory.CreateDirectory(directory);
        }
    }

    /// <summary>A v1 cpuset is empty until it is filled, and takes no process so.</summary>
    private static void InheritCpuset(string mount, string path)
    {
        var directory = mount;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var child = Path.Combine(directory, part);
            Directory.CreateDirectory(child);
            foreach (var file in new[] { "cpuset.cpus", "cpuset.mems" })
            {
                try
                {
                    if (File.ReadAllText(Path.Combine(child, file)).Trim().Length == 0)
                        Write(child, file, File.ReadAllText(Path.Combine(directory, file)).Trim());
                }
                catch (IOException)
                {
                    // A host with cpuset.cpus read-only keeps its own.
                }
            }

            directory = child;
        }
    }

    private static void Write(string directory, string file, string value)
    {
        try
        {
            File.WriteAllText(Path.Combine(directory, file), value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A missing controller or a busy knob: the container's own limits still hold.
        }
    }

    private static void RemoveTree(string directory)
    {
        if (!Directory.Exists(directory))
            return;
        foreach (var child in Directory.EnumerateDirectories(directory))
            RemoveTree(child);
        try
        {
            Directory.Delete(directory);
        }
        catch (IOException)
        {
            // Still has a process: the next clean-up gets it.
        }
    }
}
