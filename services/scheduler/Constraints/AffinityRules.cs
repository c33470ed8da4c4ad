using Mesh.Scheduler.Engine;

namespace Mesh.Scheduler.Constraints;

/// <summary>InterPodAffinity: required terms of the pod and of those that run already refuse nodes, all others score them.</summary>
internal static class AffinityRules
{
    /// <summary>Refuses nodes by the pod's required terms and by the anti-affinity of the pods there; carried are the terms that mean the pod.</summary>
    public static void Filter(ConstraintState state, PodConstraints? own, PodIdentity pod, IReadOnlyList<CarriedTerms.Carried> carried, Refusal[] refusals)
    {
        if (own is { RequiredAffinity.Length: > 0 }) Near(state, own.RequiredAffinity, pod, refusals);
        foreach (var term in own?.RequiredAntiAffinity ?? []) Apart(state, term, Counts(state, term), Refusal.AntiAffinity, refusals);
        foreach (var other in carried)
        {
            if (other.Forbids) Apart(state, other.Term, other.Counts, Refusal.ExistingAntiAffinity, refusals);
        }
    }

    /// <summary>Whether there is anything to score by.</summary>
    public static bool Scores(PodConstraints? own, IReadOnlyList<CarriedTerms.Carried> carried) => own is { Preferred.Length: > 0 } || carried.Any(c => !c.Forbids);

    /// <summary>0..100 by slot for the nodes that fit, from the least liked to the most liked.</summary>
    public static long[] Score(ConstraintState state, PodConstraints? own, IReadOnlyList<CarriedTerms.Carried> carried, ReadOnlySpan<Verdict> verdicts)
    {
        var scores = new long[verdicts.Length];
        foreach (var term in own?.Preferred ?? []) Add(state, term, Counts(state, term), term.Weight, scores);
        foreach (var other in carried)
        {
            if (!other.Forbids) Add(state, other.Term, other.Counts, other.Weight, scores);
        }

        var (least, most) = (long.MaxValue, long.MinValue);
        for (var slot = 0; slot < scores.Length; slot++)
        {
            if (verdicts[slot] != Verdict.Fits) continue;
            least = Math.Min(least, scores[slot]);
            most = Math.Max(most, scores[slot]);
        }

        for (var slot = 0; slot < scores.Length; slot++)
        {
            scores[slot] = verdicts[slot] == Verdict.Fits && most > least ? (long)(100.0 * ((double)(scores[slot] - least) / (most - least))) : 0;
        }

        return scores;
    }

    private static void Near(ConstraintState state, AffinityTerm[] terms, PodIdentity pod, Refusal[] refusals)
    {
        // Only pods that all terms mean count, for each term.
        var counts = state.Tallies.Of(
            string.Join('&', terms.Select(t => t.Pods)), terms.Any(t => t.SelectsNamespaces), p => Array.TrueForAll(terms, t => t.Matches(p, state.Namespaces)));
        var columns = Array.ConvertAll(terms, t => state.Topology.Of(t.TopologyKey));
        var sums = Array.ConvertAll(columns, c => c.Sum(counts, refusals.Length));

        // The first of a series that wants to be together has nobody to join: any node that has the labels will do.
        var first = Array.TrueForAll(sums, s => s.Sum() == 0) && Array.TrueForAll(terms, t => t.Matches(pod, state.Namespaces));
        for (var slot = 0; slot < refusals.Length; slot++)
        {
            if (state.Nodes[slot] is null || refusals[slot] != Refusal.None) continue;
            for (var i = 0; i < columns.Length; i++)
            {
                var domain = columns[i][slot];
                if (domain >= 0 && (first || sums[i][domain] > 0)) continue;
                refusals[slot] = Refusal.Affinity;
                break;
            }
        }
    }

    private static void Apart(ConstraintState state, AffinityTerm term, SlotCounts counts, Refusal refusal, Refusal[] refusals)
    {
        var column = state.Topology.Of(term.TopologyKey);
        var sums = column.Sum(counts, refusals.Length);
        for (var slot = 0; slot < refusals.Length; slot++)
        {
            if (refusals[slot] == Refusal.None && column[slot] is >= 0 and var domain && sums[domain] > 0) refusals[slot] = refusal;
        }
    }

    private static void Add(ConstraintState state, AffinityTerm term, SlotCounts counts, int weight, long[] scores)
    {
        var column = state.Topology.Of(term.TopologyKey);
        var sums = column.Sum(counts, scores.Length);
        for (var slot = 0; slot < scores.Length; slot++)
        {
            if (column[slot] is >= 0 and var domain) scores[slot] += sums[domain] * weight;
        }
    }

    private static SlotCounts Counts(ConstraintState state, AffinityTerm term) => state.Tallies.Of(term.Pods, term.SelectsNamespaces, p => term.Matches(p, state.Namespaces));
}
