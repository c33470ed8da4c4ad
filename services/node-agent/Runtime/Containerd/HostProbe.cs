using Mesh.NodeAgent.Cgroups;

namespace Mesh.NodeAgent.Runtime.Containerd;

/// <summary>What this machine can do, as far as containerd's configuration depends on it.</summary>
internal sealed record HostProbe
{
    public required bool Root { get; init; }

    public required CgroupVersion Cgroups { get; init; }

    /// <summary>Without CAP_SYS_RESOURCE nobody may lower an oom_score_adj.</summary>
    public required bool CanLowerOomScore { get; init; }

    public required bool AppArmor { get; init; }

    public string? Containerd { get; init; }

    public string? OciRuntime { get; init; }

    public string? CniBinDirectory { get; init; }

    public string? Iptables { get; init; }

    public static HostProbe Read() => new()
    {
        Root = Environment.UserName == "root" || Geteuid() == 0,
        Cgroups = CgroupHost.Detect(),
        CanLowerOomScore = HasCapability(24),
        AppArmor = File.Exists("/sys/module/apparmor/parameters/enabled") && Directory.Exists("/sys/kernel/security/apparmor"),
        Containerd = Find("containerd"),
        OciRuntime = Find("runc") ?? Find("crun"),
        CniBinDirectory = CniDirectories.FirstOrDefault(d => File.Exists(Path.Combine(d, "bridge"))),
        Iptables = Find("iptables"),
    };

    /// <summary>Every directory where distributions put CNI plugins.</summary>
    private static readonly string[] CniDirectories = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni", "/usr/local/lib/cni"];

    private static readonly string[] BinDirectories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>Full path of a program, in PATH or in the system's directories (a user's PATH often lacks sbin), or null.</summary>
    public static string? Find(string program)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return path.Concat(BinDirectories).Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists);
    }

    /// <summary>What is missing to run containers here, each with how to get it; empty when nothing is.</summary>
    public IReadOnlyList<string> Missing()
    {
        var missing = new List<string>();
        if (!Root)
            missing.Add("root: containers, networks and mounts need it (run with sudo)");
        if (Containerd is null)
            missing.Add("containerd: apt-get install containerd");
        if (OciRuntime is null)
            missing.Add("runc: apt-get install runc");
        if (CniBinDirectory is null)
            missing.Add("CNI plugins: apt-get install containernetworking-plugins");
        if (Iptables is null)
            missing.Add("iptables (the CNI plugins use it): apt-get install iptables");
        if (Cgroups == CgroupVersion.None)
            missing.Add("cgroups: /sys/fs/cgroup is not mounted");
        return missing;
    }

    private static bool HasCapability(int bit)
    {
        try
        {
            var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
            return line is not null && (Convert.ToUInt64(line[7..].Trim(), 16) & (1UL << bit)) != 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "geteuid")]
    [System.Runtime.InteropServices.DefaultDllImportSearchPaths(System.Runtime.InteropServices.DllImportSearchPath.SafeDirectories)]
    private static extern uint Geteuid();
}
