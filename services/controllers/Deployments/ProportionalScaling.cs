using Mesh.Api.Apps.V1;
using static Mesh.Controllers.Deployments.DeploymentFacts;

namespace Mesh.Controllers.Deployments;

/// <summary>
/// The wanted number changed, perhaps in the middle of a roll-out or while paused: one active set takes it all; several share
/// the difference in proportion to their sizes, largest first, what rounding leaves to the largest.
/// </summary>
internal static class ProportionalScaling
{
    internal static IReadOnlyList<DeploymentAction> Scale(Deployment d, ReplicaSet? current, IReadOnlyList<ReplicaSet> old)
    {
        var all = current is null ? old : [.. old, current];
        var active = all.Where(rs => Replicas(rs) > 0).ToList();
        if (active.Count <= 1)
        {
            // The only active one; else the newest, when all are empty.
            var only = active.Count == 1 ? active[0] : current ?? Oldest(all).LastOrDefault();
            if (only is null) return [];
            return Replicas(only) == Replicas(d) && IntAnnotation(only, DesiredReplicas) == Replicas(d) ? [] : [DeploymentDecision.Scaled(d, only, Replicas(d))];
        }

        // The new set is full: old ones are only waiting to go.
        if (current is not null && Replicas(current) == Replicas(d) && (current.Status?.AvailableReplicas ?? 0) == Replicas(d)
            && IntAnnotation(current, DesiredReplicas) == Replicas(d))
            return [.. old.Where(rs => Replicas(rs) > 0).Select(rs => DeploymentDecision.Scaled(d, rs, 0))];

        if (!IsRolling(d)) return [];
        var allowed = Replicas(d) > 0 ? Replicas(d) + MaxSurge(d) : 0;
        var toAdd = allowed - active.Sum(Replicas);
        // Growing: largest and newest first. Shrinking: largest and oldest first.
        var ordered = toAdd > 0
            ? active.OrderByDescending(Replicas).ThenByDescending(rs => rs.Metadata.CreationTimestamp).ThenByDescending(rs => rs.Metadata.Name, StringComparer.Ordinal).ToList()
            : active.OrderByDescending(Replicas).ThenBy(rs => rs.Metadata.CreationTimestamp).ThenBy(rs => rs.Metadata.Name, StringComparer.Ordinal).ToList();
        var added = 0;
        var sizes = new int[ordered.Count];
        for (var i = 0; i < ordered.Count; i++)
        {
            sizes[i] = Replicas(ordered[i]);
            if (toAdd == 0) continue;
            var share = Share(d, ordered[i], toAdd, added);
            sizes[i] += share;
            added += share;
        }

        if (toAdd != 0) sizes[0] = Math.Max(0, sizes[0] + toAdd - added);
        return [.. ordered.Select((rs, i) => DeploymentDecision.Scaled(d, rs, sizes[i]))
            .Where((u, i) => u.From is not null || IntAnnotation(ordered[i], DesiredReplicas) != Replicas(d))];
    }

    /// <summary>What one set gets: its fraction of the new size less what it has, within what is left.</summary>
    private static int Share(Deployment d, ReplicaSet rs, int toAdd, int added)
    {
        var left = toAdd - added;
        var fraction = Fraction(d, rs);
        return toAdd > 0 ? Math.Min(fraction, left) : Math.Max(fraction, left);
    }

    private static int Fraction(Deployment d, ReplicaSet rs)
    {
        if (Replicas(d) == 0) return -Replicas(rs);
        var before = IntAnnotation(rs, MaxReplicas) is { } max and not 0 ? max : d.Status?.Replicas ?? 0;
        if (before == 0) return 0;
        var size = (double)Replicas(rs) * (Replicas(d) + MaxSurge(d)) / before;
        return (int)Math.Round(size, MidpointRounding.AwayFromZero) - Replicas(rs);
    }
}
