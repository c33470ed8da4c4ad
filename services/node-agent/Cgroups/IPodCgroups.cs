using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Cgroups;

/// <summary>The cgroups of pods.</summary>
internal interface IPodCgroups
{
    CgroupVersion Version { get; }

    /// <summary>The parent the runtime shall put the pod's sandbox under, made with the pod's limits.</summary>
    string Ensure(Pod pod);

    /// <summary>Whether the pod has a cgroup.</summary>
    bool Exists(string podUid);

    /// <summary>What the kernel counts for a container of a pod; null when it has no cgroup.</summary>
    CgroupReading? Read(string podUid, string containerId);

    /// <summary>A process of a container or sandbox; null when none runs.</summary>
    int? ProcessOf(string podUid, string containerId);

    /// <summary>Removes what is left of a pod's cgroups.</summary>
    void Remove(string podUid);

    /// <summary>Pods that have a cgroup.</summary>
    IReadOnlyList<string> KnownPods();
}

/// <summary>No cgroups: the simulated node.</summary>
internal sealed class NoCgroups : IPodCgroups
{
    public CgroupVersion Version => CgroupVersion.None;

    public string Ensure(Pod pod) => "";

    public bool Exists(string podUid) => false;

    public CgroupReading? Read(string podUid, string containerId) => null;

    public int? ProcessOf(string podUid, string containerId) => null;

    public void Remove(string podUid)
    {
    }

    public IReadOnlyList<string> KnownPods() => [];
}
