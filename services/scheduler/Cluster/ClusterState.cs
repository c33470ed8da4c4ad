using Mesh.Api.Core.V1;
using Mesh.Scheduler.Decisions;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Cluster;

/// <summary>
/// The nodes and what is in use on them: pods the API says are bound, and pods this scheduler has placed and not yet seen bound
/// (assumed). One lock for all of it; held for a decision, never for a call.
/// </summary>
internal sealed class ClusterState(IPlacementEngine engine, Func<uint> seeds) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Vocabulary _words = new();
    private readonly Dictionary<string, int> _slots = [];
    private readonly List<Entry?> _nodes = [];
    private readonly Stack<int> _free = [];
    private readonly Dictionary<string, Placed> _pods = [];
    private readonly Dictionary<string, HashSet<string>> _podsByNode = [];
    private readonly Dictionary<string, int[]> _groups = [];

    /// <summary>Number of nodes.</summary>
    public int NodeCount
    {
        get
        {
            lock (_lock) return _slots.Count;
        }
    }

    /// <summary>Adds or changes a node. True when it may now take pods that it did not before.</summary>
    public bool SetNode(Node node)
    {
        var name = node.Metadata.Name!;
        lock (_lock)
        {
            var row = NodeReader.Read(node, _words);
            var known = _slots.TryGetValue(name, out var slot);
            if (!known)
            {
                slot = _free.TryPop(out var free) ? free : _nodes.Count;
                if (slot == _nodes.Count) _nodes.Add(null);
                _slots[name] = slot;
            }

            var before = _nodes[slot]?.Row;
            if (before is not null && Same(before, row)) return false;
            _nodes[slot] = new Entry(name, row);
            engine.SetNode(slot, row);

            // Pods may have been seen before their node.
            if (!known)
            {
                foreach (var uid in _podsByNode.GetValueOrDefault(name) ?? []) Count(_pods[uid], slot, 1);
            }

            return true;
        }
    }

    /// <summary>Removes a node; its pods stay known by name.</summary>
    public void RemoveNode(string name)
    {
        lock (_lock)
        {
            if (!_slots.Remove(name, out var slot)) return;
            foreach (var uid in _podsByNode.GetValueOrDefault(name) ?? [])
            {
                if (_pods[uid].Owner is { } owner && _groups.TryGetValue(owner, out var counts)) counts[slot] = 0;
            }

            engine.RemoveNode(slot);
            _nodes[slot] = null;
            _free.Push(slot);
        }
    }

    /// <summary>A pod is bound to its node: counts it there, once.</summary>
    public void SetPod(string uid, string node, PodBlueprint pod)
    {
        lock (_lock)
        {
            if (_pods.TryGetValue(uid, out var known))
            {
                if (known.Node == node && known.Signature == pod.Signature)
                {
                    known.Confirmed = true;
                    return;
                }

                Remove(uid);
            }

            Put(uid, new Placed(node, pod.Demand(_words), pod.Owner, pod.Priority, pod.Signature) { Confirmed = true });
        }
    }

    /// <summary>A placed pod was not bound: takes it back, unless the API has shown it bound meanwhile.</summary>
    public void Forget(string uid)
    {
        lock (_lock)
        {
            if (_pods.TryGetValue(uid, out var placed) && !placed.Confirmed) Remove(uid);
        }
    }

    /// <summary>A pod is gone or has ended. True when it was counted.</summary>
    public bool RemovePod(string uid)
    {
        lock (_lock) return Remove(uid);
    }

    /// <summary>
    /// Places pods of one class and counts them in use. Answers the nodes of the first of them, as many as fit; with it, why the rest
    /// fits nowhere (null when all were placed).
    /// </summary>
    public Placement Place(PodBlueprint pod, IReadOnlyList<string> uids)
    {
        lock (_lock)
        {
            var resolved = pod.Resolve(_words, name => _slots.GetValueOrDefault(name, PodClass.NoNode), Spread(pod.Owner), seeds());
            var slots = new int[uids.Count];
            var count = engine.Place(resolved, slots);
            var nodes = new string[count];
            for (var i = 0; i < count; i++)
            {
                // The engine has counted them already.
                var placed = new Placed(_nodes[slots[i]]!.Name, resolved.Demand, pod.Owner, pod.Priority, pod.Signature);
                nodes[i] = placed.Node;
                Note(uids[i], placed);
                if (pod.Owner is not null) Group(pod.Owner, slots[i])[slots[i]]++;
            }

            return new Placement(nodes, count == uids.Count ? null : Explain(pod, resolved));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => engine.Dispose();

    private string Explain(PodBlueprint pod, PodClass resolved)
    {
        var verdicts = new Verdict[_nodes.Count];
        engine.Explain(resolved, verdicts);
        var nodes = new List<(Verdict, NodeRow, bool)>();
        for (var slot = 0; slot < verdicts.Length; slot++)
        {
            if (_nodes[slot] is not { } entry) continue;
            var victims = FitFailure.IsResolvable(verdicts[slot]) && (_podsByNode.GetValueOrDefault(entry.Name) ?? []).Any(uid => _pods[uid].Priority < pod.Priority);
            nodes.Add((verdicts[slot], entry.Row, victims));
        }

        return FitFailure.Describe(nodes, pod, resolved, _words);
    }

    private int[]? Spread(string? owner) => owner is null ? null : Group(owner, Math.Max(_nodes.Count - 1, 0));

    private int[] Group(string owner, int slot)
    {
        if (!_groups.TryGetValue(owner, out var counts)) _groups[owner] = counts = new int[Math.Max(_nodes.Count, slot + 1)];
        if (counts.Length <= slot)
        {
            Array.Resize(ref counts, Math.Max(_nodes.Count, slot + 1));
            _groups[owner] = counts;
        }

        return counts;
    }

    private void Put(string uid, Placed placed)
    {
        Note(uid, placed);
        if (_slots.TryGetValue(placed.Node, out var slot)) Count(placed, slot, 1);
    }

    private void Note(string uid, Placed placed)
    {
        _pods[uid] = placed;
        if (!_podsByNode.TryGetValue(placed.Node, out var pods)) _podsByNode[placed.Node] = pods = [];
        pods.Add(uid);
    }

    private bool Remove(string uid)
    {
        if (!_pods.Remove(uid, out var placed)) return false;
        var pods = _podsByNode[placed.Node];
        pods.Remove(uid);
        if (pods.Count == 0) _podsByNode.Remove(placed.Node);
        if (_slots.TryGetValue(placed.Node, out var slot)) Count(placed, slot, -1);
        return true;
    }

    private void Count(Placed placed, int slot, int sign)
    {
        engine.Use(slot, placed.Demand, sign);
        if (placed.Owner is null) return;
        var counts = Group(placed.Owner, slot);
        counts[slot] += sign;
        if (sign < 0 && counts[slot] == 0 && Array.TrueForAll(counts, c => c == 0)) _groups.Remove(placed.Owner);
    }

    private static bool Same(NodeRow a, NodeRow b) =>
        a.Cpu == b.Cpu && a.Memory == b.Memory && a.Ephemeral == b.Ephemeral && a.Pods == b.Pods && a.Zone == b.Zone && a.Unschedulable == b.Unschedulable
        && a.Pairs.AsSpan().SequenceEqual(b.Pairs) && a.Taints.AsSpan().SequenceEqual(b.Taints)
        && a.Extended.AsSpan().SequenceEqual(b.Extended) && a.ExtendedAllocatable.AsSpan().SequenceEqual(b.ExtendedAllocatable);

    private sealed record Entry(string Name, NodeRow Row);

    private sealed record Placed(string Node, PodDemand Demand, string? Owner, int Priority, string Signature)
    {
        /// <summary>The API has said so; before that it is an assumption of ours.</summary>
        public bool Confirmed { get; set; }
    }
}

/// <summary>Where pods of a run go; why the rest goes nowhere.</summary>
internal sealed record Placement(IReadOnlyList<string> Nodes, string? Failure);
