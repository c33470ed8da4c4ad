using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Workloads;

/// <summary>What controllers ask of a pod's state.</summary>
internal static class PodFacts
{
    /// <summary>Not finished and not on its way out.</summary>
    internal static bool IsActive(Pod pod) => !IsTerminal(pod) && pod.Metadata.DeletionTimestamp is null;

    /// <summary>Succeeded or failed: its containers will not run again.</summary>
    internal static bool IsTerminal(Pod pod) => pod.Status?.Phase is "Succeeded" or "Failed";

    internal static bool IsReady(Pod pod) => Condition(pod, "Ready")?.Status == "True";

    internal static PodCondition? Condition(Pod pod, string type) => pod.Status?.Conditions?.Find(c => c.Type == type);

    /// <summary>Ready for at least this many seconds.</summary>
    internal static bool IsAvailable(Pod pod, int minReadySeconds, DateTime now)
    {
        if (Condition(pod, "Ready") is not { Status: "True" } ready) return false;
        return minReadySeconds <= 0 || (ready.LastTransitionTime is { } since && since.AddSeconds(minReadySeconds) <= now);
    }

    internal static int Restarts(Pod pod) => pod.Status?.ContainerStatuses?.Sum(c => c.RestartCount ?? 0) ?? 0;
}

/// <summary>
/// Which pods go first when there are too many, by Kubernetes' rules in this order: not assigned before assigned; Pending,
/// Unknown, Running; not ready before ready; lower deletion cost; more siblings on the node; ready for a shorter time (on a
/// logarithmic scale); more restarts; younger (same scale).
/// </summary>
internal sealed class DeletionOrder(IReadOnlyDictionary<string, int> siblingsOnNode, DateTime now) : IComparer<Pod>
{
    private const string CostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

    /// <summary>The pods to delete, worst first.</summary>
    internal static IReadOnlyList<Pod> Choose(IReadOnlyList<Pod> active, IEnumerable<Pod> related, int count, DateTime now)
    {
        if (count >= active.Count) return active;
        var siblings = related.Where(p => PodFacts.IsActive(p) && p.Spec?.NodeName is { Length: > 0 })
            .GroupBy(p => p.Spec!.NodeName!).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        return [.. active.Order(new DeletionOrder(siblings, now)).Take(count)];
    }

    public int Compare(Pod? a, Pod? b)
    {
        if (a is null || b is null) return 0;
        int c;
        if ((c = Assigned(a).CompareTo(Assigned(b))) != 0) return c;
        if ((c = Phase(a).CompareTo(Phase(b))) != 0) return c;
        var (readyA, readyB) = (PodFacts.IsReady(a), PodFacts.IsReady(b));
        if ((c = readyA.CompareTo(readyB)) != 0) return c;
        if ((c = Cost(a).CompareTo(Cost(b))) != 0) return c;
        if ((c = Siblings(b).CompareTo(Siblings(a))) != 0) return c;
        if (readyA && (c = Younger(ReadySince(a), ReadySince(b))) != 0) return c;
        if ((c = PodFacts.Restarts(b).CompareTo(PodFacts.Restarts(a))) != 0) return c;
        if ((c = Younger(a.Metadata.CreationTimestamp, b.Metadata.CreationTimestamp)) != 0) return c;
        return string.CompareOrdinal(a.Metadata.Uid, b.Metadata.Uid);
    }

    private static bool Assigned(Pod pod) => !string.IsNullOrEmpty(pod.Spec?.NodeName);

    private static int Phase(Pod pod) => pod.Status?.Phase switch { "Pending" or null or "" => 0, "Unknown" => 1, "Running" => 2, _ => 0 };

    private static int Cost(Pod pod) =>
        pod.Metadata.Annotations?.TryGetValue(CostAnnotation, out var text) == true && int.TryParse(text, out var cost) ? cost : 0;

    private static DateTime? ReadySince(Pod pod) => PodFacts.Condition(pod, "Ready")?.LastTransitionTime;

    private int Siblings(Pod pod) => siblingsOnNode.GetValueOrDefault(pod.Spec?.NodeName ?? "");

    /// <summary>Negative when a is younger; ages within one power of two (nanoseconds, as Kubernetes counts) are equal.</summary>
    private int Younger(DateTime? a, DateTime? b)
    {
        if (a is null || b is null) return (a is null ? 0 : 1).CompareTo(b is null ? 0 : 1);
        return Age(a.Value).CompareTo(Age(b.Value));

        int Age(DateTime since)
        {
            var ticks = (now - since).Ticks;
            return ticks <= 0 ? 0 : (int)Math.Log2(ticks * 100.0);
        }
    }
}
