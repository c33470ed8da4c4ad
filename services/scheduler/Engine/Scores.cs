using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Engine;

/// <summary>
/// Scores of kube-scheduler's default profile, with its weights: NodeResourcesFit (least allocated) 1, NodeResourcesBalancedAllocation 1,
/// TaintToleration 3, NodeAffinity 2, PodTopologySpread with the cluster's default constraints 2. Each is brought to 0..100 first.
/// </summary>
internal static class Scores
{
    private const long Max = 100;
    private const long TaintWeight = 3;
    private const long AffinityWeight = 2;
    private const long SpreadWeight = 2;
    private const int HostSkew = 3;
    private const int ZoneSkew = 5;

    /// <summary>The best of the nodes that fit.</summary>
    public static int Best(PodClass pod, List<int> fitting, List<ManagedEngine.Node> nodes, int[]? spread, Func<PodClass, int, bool> affine)
    {
        var soft = fitting.ToDictionary(s => s, s => (long)nodes[s].Row!.Taints.Count(pod.SoftTaints.Contains));
        var preferred = fitting.ToDictionary(s => s, s => pod.Preferred.Where(t => ManagedEngine.Matches(t, nodes[s].Row!)).Sum(t => (long)t.Weight));
        var spreading = spread is null ? null : Spreading(pod, fitting, nodes, spread, affine);
        var best = -1;
        var bestScore = 0L;
        foreach (var slot in fitting)
        {
            var score = Resources(pod.Demand, nodes[slot]);
            score += TaintWeight * (soft.Values.Max() == 0 ? Max : Max - (soft[slot] * Max / soft.Values.Max()));
            if (preferred.Values.Max() > 0) score += AffinityWeight * (preferred[slot] * Max / preferred.Values.Max());
            if (spreading is not null) score += SpreadWeight * spreading[slot];
            if (pod.Bonus is not null) score += pod.Bonus[slot];
            if (best >= 0 && (score < bestScore || (score == bestScore && Tie(slot, pod.Seed) >= Tie(best, pod.Seed)))) continue;
            best = slot;
            bestScore = score;
        }

        return best;
    }

    private static long Resources(PodDemand demand, ManagedEngine.Node node)
    {
        var row = node.Row!;
        long sum = 0;
        long weights = 0;
        if (row.Cpu > 0)
        {
            sum += Least(row.Cpu, node.ScoreCpu + demand.ScoreCpu);
            weights++;
        }

        if (row.Memory > 0)
        {
            sum += Least(row.Memory, node.ScoreMemory + demand.ScoreMemory);
            weights++;
        }

        var score = weights == 0 ? 0 : sum / weights;
        if (demand.Cpu == 0 && demand.Memory == 0) return score;
        var deviation = 0.0;
        if (row.Cpu > 0 && row.Memory > 0)
        {
            deviation = Math.Abs((Fraction(node.Cpu + demand.Cpu, row.Cpu) - Fraction(node.Memory + demand.Memory, row.Memory)) / 2);
        }

        return score + (long)((1 - deviation) * Max);
    }

    private static long Least(long capacity, long requested) => requested > capacity ? 0 : (capacity - requested) * Max / capacity;

    private static double Fraction(long requested, long capacity) => Math.Min((double)requested / capacity, 1);

    // Fewer pods of the group on the node and in its zone are better; logarithms keep many small domains from drowning few large ones.
    private static Dictionary<int, long> Spreading(
        PodClass pod, List<int> fitting, List<ManagedEngine.Node> nodes, int[] spread, Func<PodClass, int, bool> affine)
    {
        var zones = fitting.Select(s => nodes[s].Row!.Zone).Where(z => z >= 0).Distinct().Count();
        var hostWeight = Math.Log(fitting.Count + 2.0);
        var zoneWeight = Math.Log(zones + 2.0);
        var zonePods = Enumerable.Range(0, nodes.Count)
            .Where(s => nodes[s].Row is { Zone: >= 0 } && affine(pod, s))
            .GroupBy(s => nodes[s].Row!.Zone)
            .ToDictionary(g => g.Key, g => g.Sum(s => (long)spread[s]));
        var raw = new Dictionary<int, long>();
        foreach (var slot in fitting)
        {
            var score = (spread[slot] * hostWeight) + (HostSkew - 1);
            if (nodes[slot].Row!.Zone is >= 0 and var zone) score += (zonePods[zone] * zoneWeight) + (ZoneSkew - 1);
            raw[slot] = (long)Math.Round(score, MidpointRounding.AwayFromZero);
        }

        var max = raw.Values.Max();
        var min = raw.Values.Min();
        return raw.ToDictionary(r => r.Key, r => max == 0 ? Max : Max * (max + min - r.Value) / max);
    }

    private static uint Tie(int slot, uint seed)
    {
        var x = unchecked((uint)slot * 2654435761u) ^ seed;
        x ^= x >> 16;
        x = unchecked(x * 0x85ebca6bu);
        return x ^ (x >> 13);
    }
}
