using Mesh.Api.Apps.V1;
using static Mesh.Controllers.Deployments.DeploymentFacts;

namespace Mesh.Controllers.Deployments;

/// <summary>One step of a rolling update: grow the new set as far as the surge allows; else shrink old sets as far as availability allows.</summary>
internal static class Rolling
{
    internal static IEnumerable<DeploymentAction> Step(Deployment d, ReplicaSet current, IReadOnlyList<ReplicaSet> old, IReadOnlyList<ReplicaSet> all)
    {
        var wanted = Replicas(current) > Replicas(d) ? Replicas(d)
            : Replicas(current) == Replicas(d) ? Replicas(current)
            : NewReplicas(d, all, Replicas(current));
        if (wanted != Replicas(current)) return [DeploymentDecision.Scaled(d, current, wanted)];
        return ShrinkOld(d, current, old, all);
    }

    /// <summary>How large the new set may be now, given all pods there are.</summary>
    internal static int NewReplicas(Deployment d, IReadOnlyList<ReplicaSet> all, int now)
    {
        var most = Replicas(d) + MaxSurge(d);
        var total = all.Sum(Replicas);
        if (total >= most) return now;
        return now + Math.Min(most - total, Replicas(d) - now);
    }

    private static List<DeploymentAction> ShrinkOld(Deployment d, ReplicaSet current, IReadOnlyList<ReplicaSet> old, IReadOnlyList<ReplicaSet> all)
    {
        var actions = new List<DeploymentAction>();
        var oldPods = old.Sum(Replicas);
        if (oldPods == 0) return actions;
        var minAvailable = MinAvailable(d);
        var newUnavailable = Replicas(current) - Available(current);
        var maxScaledDown = all.Sum(Replicas) - minAvailable - newUnavailable;
        if (maxScaledDown <= 0) return actions;

        // Old pods that are not available anyway go first: they cost nothing and would block the roll-out.
        var sizes = old.ToDictionary(rs => rs, Replicas);
        var cleaned = 0;
        foreach (var rs in Oldest(old))
        {
            if (cleaned >= maxScaledDown) break;
            var available = Available(rs);
            if (sizes[rs] == 0 || sizes[rs] == available) continue;
            var n = Math.Min(maxScaledDown - cleaned, sizes[rs] - available);
            if (n <= 0) continue;
            cleaned += n;
            sizes[rs] -= n;
        }

        // Then healthy ones, as long as enough are available in all.
        var spare = all.Sum(Available) - minAvailable;
        foreach (var rs in Oldest(old))
        {
            if (spare <= 0) break;
            if (sizes[rs] == 0) continue;
            var n = Math.Min(sizes[rs], spare);
            spare -= n;
            sizes[rs] -= n;
        }

        foreach (var (rs, size) in sizes)
        {
            if (size != Replicas(rs)) actions.Add(DeploymentDecision.Scaled(d, rs, size));
        }

        return actions;
    }

    // A set that was just made smaller still counts, in its status, pods that are on their way out: spending them again would go below what must be available.
    private static int Available(ReplicaSet rs) => Math.Min(rs.Status?.AvailableReplicas ?? 0, Replicas(rs));
}
