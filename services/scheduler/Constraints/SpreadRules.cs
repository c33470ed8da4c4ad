using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Constraints;

/// <summary>PodTopologySpread with the constraints of the pod itself: DoNotSchedule refuses nodes, ScheduleAnyway scores them.</summary>
internal static class SpreadRules
{
    private const long Max = 100;

    /// <summary>Refuses nodes where a domain would come out of balance.</summary>
    public static void Filter(ConstraintState state, PodConstraints own, PodClass shape, Refusal[] refusals)
    {
        if (own.HardSpread.Length == 0) return;
        var domains = Domains(state, own.HardSpread, shape);
        for (var slot = 0; slot < refusals.Length; slot++)
        {
            if (state.Nodes[slot] is null || refusals[slot] != Refusal.None) continue;
            foreach (var domain in domains)
            {
                if (domain.Column[slot] is < 0) refusals[slot] = Refusal.SpreadLabelMissing;
                else if (domain.Sums[domain.Column[slot]] + (domain.Constraint.CountsItself ? 1 : 0) - domain.Least > domain.Constraint.MaxSkew) refusals[slot] = Refusal.Spread;
                else continue;
                break;
            }
        }
    }

    /// <summary>0..100 by slot for the nodes that fit: more the emptier their domains are. Nodes without the labels get none.</summary>
    public static long[] Score(ConstraintState state, PodConstraints own, PodClass shape, ReadOnlySpan<Verdict> verdicts)
    {
        var domains = Domains(state, own.SoftSpread, shape);
        var scored = new List<int>();
        var scores = new long[verdicts.Length];
        for (var slot = 0; slot < verdicts.Length; slot++)
        {
            if (verdicts[slot] == Verdict.Fits && Array.TrueForAll(domains, d => d.Column[slot] >= 0)) scored.Add(slot);
        }

        if (scored.Count == 0) return scores;

        // Few large domains and many small ones are brought to the same scale.
        var weights = Array.ConvertAll(domains, d => Math.Log((d.Constraint.TopologyKey == Topology.Hostname ? scored.Count : scored.Select(s => d.Column[s]).Distinct().Count()) + 2.0));
        foreach (var slot in scored)
        {
            var score = 0.0;
            for (var i = 0; i < domains.Length; i++)
            {
                var domain = domains[i];
                var pods = domain.Constraint.TopologyKey == Topology.Hostname ? domain.Pods[slot] : domain.Sums[domain.Column[slot]];
                score += (pods * weights[i]) + (domain.Constraint.MaxSkew - 1);
            }

            scores[slot] = (long)Math.Round(score, MidpointRounding.AwayFromZero);
        }

        var most = scored.Max(s => scores[s]);
        var least = scored.Min(s => scores[s]);
        foreach (var slot in scored) scores[slot] = most == 0 ? Max : Max * (most + least - scores[slot]) / most;
        return scores;
    }

    // Only nodes that have the labels of all constraints of the kind count, and of these what the constraint's policies include.
    private static Domain[] Domains(ConstraintState state, SpreadConstraint[] constraints, PodClass shape)
    {
        var columns = Array.ConvertAll(constraints, c => state.Topology.Of(c.TopologyKey));
        return [.. constraints.Select((constraint, i) => new Domain(constraint, columns[i], state.Tallies.Of($"spread;{constraint.Pods}", false, constraint.Counts), state, shape, columns))];
    }

    private sealed class Domain
    {
        public Domain(SpreadConstraint constraint, Topology.Column column, SlotCounts pods, ConstraintState state, PodClass shape, Topology.Column[] all)
        {
            (Constraint, Column, Pods) = (constraint, column, pods);
            Sums = new long[column.Domains];
            var seen = new bool[column.Domains];
            for (var slot = 0; slot < state.Nodes.Count; slot++)
            {
                if (state.Nodes[slot] is not { } node || !HasAll(all, slot)) continue;
                if (constraint.HonoursNodeAffinity && !ManagedEngine.Affine(shape, node.Row)) continue;
                if (constraint.HonoursTaints && node.Row.Taints.Any(shape.BlockedTaints.Contains)) continue;
                Sums[column[slot]] += pods[slot];
                seen[column[slot]] = true;
            }

            var count = 0;
            var least = long.MaxValue;
            for (var i = 0; i < seen.Length; i++)
            {
                if (!seen[i]) continue;
                count++;
                least = Math.Min(least, Sums[i]);
            }

            Least = count == 0 || count < constraint.MinDomains ? 0 : least;
        }

        public SpreadConstraint Constraint { get; }

        public Topology.Column Column { get; }

        public SlotCounts Pods { get; }

        public long[] Sums { get; }

        public long Least { get; }

        private static bool HasAll(Topology.Column[] columns, int slot)
        {
            foreach (var column in columns)
            {
                if (column[slot] < 0) return false;
            }

            return true;
        }
    }
}
