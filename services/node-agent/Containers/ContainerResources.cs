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
        var cpuLimit = ResourceMath.MilliCpu(limits);
        var cpuRequest = requests?.ContainsKey("cpu") == true ? ResourceMath.MilliCpu(requests) : cpuLimit;
        var memoryLimit = ResourceMath.Bytes(limits, "memory");
        var memoryRequest = requests?.ContainsKey("memory") == true ? ResourceMath.Bytes(requests, "memory") : memoryLimit;
        var adjust = ResourceMath.OomScoreAdjust(QosClass.Of(pod), memoryRequest, nodeMemoryBytes);
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
}
