using Mesh.Api;

namespace Mesh.NodeAgent.Pods;

/// <summary>Quantities as plain numbers, and the kernel's units made from them.</summary>
internal static class ResourceMath
{
    /// <summary>Shares of a container that asked for no CPU.</summary>
    public const long MinShares = 2;
    public const long MaxShares = 262144;
    public const long QuotaPeriodMicroseconds = 100_000;
    public const long MinQuotaMicroseconds = 1000;

    /// <summary>The amount under a name; zero when absent (the API has refused what is no quantity).</summary>
    public static Quantity Get(IReadOnlyDictionary<string, string>? list, string name) =>
        list is not null && list.TryGetValue(name, out var text) && Quantity.TryParse(text, out var value) ? value : Quantity.Zero;

    /// <summary>Whole bytes, rounded up.</summary>
    public static long Bytes(IReadOnlyDictionary<string, string>? list, string name) => Get(list, name).Value;

    /// <summary>Thousandths of a core, rounded up.</summary>
    public static long MilliCpu(IReadOnlyDictionary<string, string>? list, string name = "cpu") => Get(list, name).MilliValue;

    /// <summary>cgroup v1 cpu.shares for a request in thousandths of a core.</summary>
    public static long CpuShares(long milliCpu) => milliCpu == 0 ? MinShares : Math.Clamp(milliCpu * 1024 / 1000, MinShares, MaxShares);

    /// <summary>CFS quota in microseconds per period for a limit in thousandths of a core; 0 is no limit.</summary>
    public static long CpuQuota(long milliCpu) => milliCpu == 0 ? 0 : Math.Max(milliCpu * QuotaPeriodMicroseconds / 1000, MinQuotaMicroseconds);

    /// <summary>
    /// oom_score_adj: guaranteed pods are killed last, best-effort ones first, burstable ones the sooner the less of the node's memory they asked for.
    /// </summary>
    public static long OomScoreAdjust(string qosClass, long memoryRequestBytes, long nodeMemoryBytes)
    {
        if (qosClass == QosClass.Guaranteed)
            return -997;
        if (qosClass == QosClass.BestEffort || nodeMemoryBytes <= 0)
            return 1000;
        var adjust = 1000 - (1000 * (decimal)memoryRequestBytes / nodeMemoryBytes);
        return Math.Clamp((long)Math.Floor(adjust), 3, 999);
    }
}
