using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Cgroups;

/// <summary>What a whole pod may use: sums over its containers, and a limit only when every container has one. 0 is no limit.</summary>
internal readonly record struct PodLimits(long CpuShares, long CpuQuota, long MemoryBytes)
{
    public static PodLimits Of(Pod pod)
    {
        long cpuRequest = 0, cpuLimit = 0, memoryLimit = 0;
        var cpuLimited = true;
        var memoryLimited = true;
        void Add(Container c)
        {
            var limits = c.Resources?.Limits;
            var cpu = ResourceMath.MilliCpu(limits);
            var memory = ResourceMath.Bytes(limits, "memory");
            cpuRequest += c.Resources?.Requests?.ContainsKey("cpu") == true ? ResourceMath.MilliCpu(c.Resources.Requests) : cpu;
            (cpuLimit, memoryLimit) = (cpuLimit + cpu, memoryLimit + memory);
            (cpuLimited, memoryLimited) = (cpuLimited && cpu > 0, memoryLimited && memory > 0);
        }

        foreach (var container in pod.MainContainers().Concat(pod.InitContainers().Where(c => c.IsRestartable())))
            Add(container);
        foreach (var container in pod.InitContainers().Where(c => !c.IsRestartable()))
        {
            var limits = container.Resources?.Limits;
            cpuLimit = Math.Max(cpuLimit, ResourceMath.MilliCpu(limits));
            memoryLimit = Math.Max(memoryLimit, ResourceMath.Bytes(limits, "memory"));
            cpuLimited &= ResourceMath.MilliCpu(limits) > 0;
            memoryLimited &= ResourceMath.Bytes(limits, "memory") > 0;
        }

        if (pod.Spec?.Resources?.Requests?.ContainsKey("cpu") == true)
            cpuRequest = ResourceMath.MilliCpu(pod.Spec.Resources.Requests);
        if (pod.Spec?.Resources?.Limits is { } podLevel)
        {
            if (podLevel.ContainsKey("cpu"))
                (cpuLimit, cpuLimited) = (ResourceMath.MilliCpu(podLevel), true);
            if (podLevel.ContainsKey("memory"))
                (memoryLimit, memoryLimited) = (ResourceMath.Bytes(podLevel, "memory"), true);
        }

        return new PodLimits(ResourceMath.CpuShares(cpuRequest), cpuLimited ? ResourceMath.CpuQuota(cpuLimit) : 0, memoryLimited ? memoryLimit : 0);
    }
}
