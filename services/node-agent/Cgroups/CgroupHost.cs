namespace Mesh.NodeAgent.Cgroups;

/// <summary>Which cgroup hierarchy the machine has.</summary>
internal enum CgroupVersion
{
    None,
    V1,
    V2,
}

/// <summary>Finds out about the machine's cgroups.</summary>
internal static class CgroupHost
{
    public const string DefaultRoot = "/sys/fs/cgroup";

    /// <summary>v2 when the controllers are in one tree; v1 when memory and cpu have their own.</summary>
    public static CgroupVersion Detect(string root = DefaultRoot)
    {
        if (File.Exists(Path.Combine(root, "cgroup.controllers")))
            return CgroupVersion.V2;
        return Directory.Exists(Path.Combine(root, "memory")) || Directory.Exists(Path.Combine(root, "cpu")) ? CgroupVersion.V1 : CgroupVersion.None;
    }
}
