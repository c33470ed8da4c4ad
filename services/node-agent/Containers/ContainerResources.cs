using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Containers;

/// <summary>Requests and limits as the kernel's knobs.</summary>
internal static class ContainerResources
{
    public static Cri.LinuxContainerResources Build(Pod pod, Container container, long nodeMemoryBytes, CgroupVersion cgroups, bool mayLowerOomScore)
    {
        var requests = container.Resources?.Requests;
        var limits = container.Resources?.Limits;
        // A container without a limit may use what its pod as a whole may (KEP-2837).
        var own = pod.Spec?.Resources;
        var cpuLimit = ResourceMath.MilliCpu(limits?.ContainsKey("cpu") == true ? limits : own?.Limits);
        var cpuRequest = requests?.ContainsKey("cpu") == true ? ResourceMath.MilliCpu(requests) : cpuLimit;
        var memoryLimit = ResourceMath.Bytes(limits?.ContainsKey("memory") == true ? limits : own?.Limits, "memory");
        var memoryRequest = ResourceMath.Bytes(requests?.ContainsKey("memory") == true ? requests : limits, "memory");
        var adjust = ResourceMath.OomScoreAdjust(QosClass.Of(pod), memoryRequest + Share(pod), nodeMemoryBytes);
        var resources = new Cri.LinuxContainerResources
        {
            CpuShares = ResourceMath.CpuShares(cpuRequest),
            CpuPeriod = ResourceMath.QuotaPeriodMicroseconds,
            CpuQuota = ResourceMath.CpuQuota(cpuLimit),
            MemoryLimitInBytes = memoryLimit,
            OomScoreAdj = mayLowerOomScore ? adjust : Math.Max(adjust, 0),
        };
        // One process killed for memory means the container is killed: half a container helps nobody.
        if (cgroups == CgroupVersion.V2)
            resources.Unified["memory.oom.group"] = "1";
        return resources;
    }

    /// <summary>A container's part of the memory that the pod asked for beyond what its containers did: it counts for who is killed first.</summary>
    private static long Share(Pod pod)
    {
        var asked = ResourceMath.Bytes(pod.Spec?.Resources?.Requests, "memory");
        if (asked == 0)
            return 0;
        var count = pod.MainContainers().Count + pod.InitContainers().Count;
        return Math.Max(0, asked - PodRequests.OfContainers(pod, "memory").Value) / Math.Max(1, count);
    }
}
