using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Engine;

/// <summary>
/// The reference: one node at a time, one rule after the other, nothing clever. The native engine must agree with it to the last node.
/// </summary>
internal sealed class ManagedEngine : IPlacementEngine
{
    private readonly List<Node> _nodes = [];

    /// <inheritdoc/>
    public string Name => "managed";

    /// <inheritdoc/>
    public void SetNode(int slot, NodeRow row) => At(slot).Row = row;

    /// <inheritdoc/>
    public void RemoveNode(int slot)
    {
        if (slot < _nodes.Count) _nodes[slot] = new Node();
    }

    /// <inheritdoc/>
    public void Use(int slot, PodDemand demand, int sign) => At(slot).Use(demand, sign);

    /// <inheritdoc/>
    public int Place(PodClass pod, Span<int> slots)
    {
        var spread = pod.Spread is null ? null : Padded(pod.Spread);
        for (var placed = 0; placed < slots.Length; placed++)
        {
            var fitting = Enumerable.Range(0, _nodes.Count).Where(slot => Judge(pod, slot) == Verdict.Fits).ToList();
            if (fitting.Count == 0) return placed;
            var best = Scores.Best(pod, fitting, _nodes, spread, (p, s) => _nodes[s].Row is { } row && Affine(p, row));
            slots[placed] = best;
            _nodes[best].Use(pod.Demand, 1);
            if (spread is not null) spread[best]++;
        }

        return slots.Length;
    }

    /// <inheritdoc/>
    public void Explain(PodClass pod, Span<Verdict> verdicts)
    {
        for (var slot = 0; slot < verdicts.Length; slot++) verdicts[slot] = slot < _nodes.Count ? Judge(pod, slot) : Verdict.NoNode;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private int[] Padded(int[] counts)
    {
        var padded = new int[_nodes.Count];
        counts.AsSpan(0, Math.Min(counts.Length, padded.Length)).CopyTo(padded);
        return padded;
    }

    private Verdict Judge(PodClass pod, int slot)
    {
        var node = _nodes[slot];
        if (node.Row is not { } row) return Verdict.NoNode;
        if (row.Unschedulable && !pod.ToleratesUnschedulable) return Verdict.Unschedulable;
        if (pod.Node != PodClass.AnyNode && pod.Node != slot) return Verdict.NodeName;
        if (row.Taints.Any(pod.BlockedTaints.Contains)) return Verdict.Taint;
        if (!Affine(pod, row)) return Verdict.Affinity;
        if (pod.BusyPorts.Any(port => node.Ports.GetValueOrDefault(port) > 0)) return Verdict.Ports;
        var lack = node.Lacking(pod.Demand);
        if (lack != 0) return Verdict.Resources | lack;
        if (pod.Allowed is not null && (pod.Allowed[slot >> 6] >> (slot & 63) & 1) == 0) return Verdict.NotAllowed;
        return Verdict.Fits;
    }

    /// <summary>Whether node selector and required node affinity allow a node.</summary>
    internal static bool Affine(PodClass pod, NodeRow row) =>
        (pod.Selector is null || Matches(pod.Selector, row))
        && (pod.Required is null || pod.Required.Any(term => Matches(term, row)));

    /// <summary>Whether a term holds on a node.</summary>
    internal static bool Matches(Term term, NodeRow row) => term.Requirements.Length > 0 && term.Requirements.All(requirement => requirement.Op switch
    {
        RequirementOp.HasPair => requirement.Ids.Any(row.Pairs.Contains),
        RequirementOp.LacksPairs => !requirement.Ids.Any(row.Pairs.Contains),
        RequirementOp.HasKey => requirement.Ids.Any(row.Keys.Contains),
        _ => !requirement.Ids.Any(row.Keys.Contains),
    });

    private Node At(int slot)
    {
        while (_nodes.Count <= slot) _nodes.Add(new Node());
        return _nodes[slot];
    }

    /// <summary>A node and what is in use on it.</summary>
    internal sealed class Node
    {
        public NodeRow? Row { get; set; }

        public long Cpu { get; private set; }

        public long Memory { get; private set; }

        public long Ephemeral { get; private set; }

        public long ScoreCpu { get; private set; }

        public long ScoreMemory { get; private set; }

        public int Pods { get; private set; }

        public Dictionary<int, long> Extended { get; } = [];

        public Dictionary<int, int> Ports { get; } = [];

        public void Use(PodDemand demand, int sign)
        {
            Cpu += sign * demand.Cpu;
            Memory += sign * demand.Memory;
            Ephemeral += sign * demand.Ephemeral;
            ScoreCpu += sign * demand.ScoreCpu;
            ScoreMemory += sign * demand.ScoreMemory;
            Pods += sign;
            for (var i = 0; i < demand.Extended.Length; i++)
            {
                Extended[demand.Extended[i]] = Extended.GetValueOrDefault(demand.Extended[i]) + (sign * demand.ExtendedAmounts[i]);
            }

            foreach (var port in demand.Ports) Ports[port] = Ports.GetValueOrDefault(port) + sign;
        }

        public Verdict Lacking(PodDemand demand)
        {
            var lack = Verdict.Fits;
            if (Pods + 1 > Row!.Pods) lack |= Verdict.Pods;

            // What a pod does not ask for cannot keep it away, however overcommitted the node is.
            if (demand.Cpu > 0 && demand.Cpu > Row.Cpu - Cpu) lack |= Verdict.Cpu;
            if (demand.Memory > 0 && demand.Memory > Row.Memory - Memory) lack |= Verdict.Memory;
            if (demand.Ephemeral > 0 && demand.Ephemeral > Row.Ephemeral - Ephemeral) lack |= Verdict.Ephemeral;
            for (var i = 0; i < demand.Extended.Length; i++)
            {
                var at = Array.IndexOf(Row.Extended, demand.Extended[i]);
                var offered = at < 0 ? 0 : Row.ExtendedAllocatable[at];
                if (demand.ExtendedAmounts[i] > 0 && demand.ExtendedAmounts[i] > offered - Extended.GetValueOrDefault(demand.Extended[i]))
                {
                    lack |= (Verdict)((uint)Verdict.Extended << Math.Min(i, 16));
                }
            }

            return lack;
        }
    }
}
