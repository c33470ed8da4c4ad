using Mesh.Api.Core.V1;
using Mesh.Scheduler.Constraints;
using Mesh.Scheduler.Decisions;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Cluster;

/// <summary>
/// The nodes and what is in use on them: pods the API says are bound, and pods this scheduler has placed and not yet seen bound
/// (assumed). One lock for all of it; held for a decision, never for a call.
/// </summary>
internal sealed class ClusterState : IDisposable
{
    private readonly IPlacementEngine _engine;
    private readonly Func<uint> _seeds;
    private readonly ConstraintState _constraints;
    private readonly Lock _lock = new();
    private readonly Vocabulary _words = new();
    private readonly Dictionary<string, int> _slots = [];
    private readonly List<NodeEntry?> _nodes = [];
    private readonly Stack<int> _free = [];
    private readonly Dictionary<string, Placed> _pods = [];
    private readonly Dictionary<string, HashSet<string>> _podsByNode = [];
    private readonly Dictionary<string, int[]> _groups = [];

    public ClusterState(IPlacementEngine engine, Func<uint> seeds)
    {
        _engine = engine;
        _seeds = seeds;
        _constraints = new ConstraintState(_nodes, PodsOnNodes);
    }

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
            _nodes[slot] = new NodeEntry(name, row, node.Metadata.Labels ?? []);
            _engine.SetNode(slot, row);
            _constraints.Topology.Changed(slot);

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
                var placed = _pods[uid];
                if (placed.Owner is { } owner && _groups.TryGetValue(owner, out var counts)) counts[slot] = 0;
                _constraints.Count(placed.Identity, placed.Held, slot, -1);
            }

            _engine.RemoveNode(slot);
            _nodes[slot] = null;
            _constraints.Topology.Changed(slot);
            _free.Push(slot);
        }
    }

    /// <summary>Notes the labels of a namespace (null: it is gone). True when pods that run may bear on others now.</summary>
    public bool SetNamespace(string name, IReadOnlyDictionary<string, string>? labels)
    {
        lock (_lock) return _constraints.SetNamespace(name, labels);
    }

    /// <summary>A pod is bound to its node: counts it there, once. True when it is new there, or is another to the constraints of other pods than it was.</summary>
    public bool SetPod(string uid, string node, PodBlueprint pod)
    {
        lock (_lock)
        {
            if (_pods.TryGetValue(uid, out var known))
            {
                if (known.Node == node && known.Signature == pod.Signature && known.Identity.Same(pod.Identity))
                {
                    var news = !known.Confirmed;
                    known.Confirmed = true;
                    return news;
                }

                Remove(uid);
            }

            Put(uid, new Placed(node, pod.Demand(_words), pod.Owner, pod.Priority, pod.Signature, pod.Identity, _constraints.Carried.Hold(pod.Constraints)) { Confirmed = true });
            return true;
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
    /// fits nowhere (null when all were placed). Identities tell like pods apart where other pods' constraints do; without them all are as the first.
    /// When those part the pods, only the first of one kind are tried.
    /// </summary>
    public Placement Place(PodBlueprint pod, IReadOnlyList<string> uids, IReadOnlyList<PodIdentity>? identities = null)
    {
        lock (_lock)
        {
            var resolved = pod.Resolve(_words, name => _slots.GetValueOrDefault(name, PodClass.NoNode), pod.Constraints is { SpreadsExplicitly: true } ? null : Spread(pod.Owner), _seeds());
            if (_constraints.Concern(pod)) return PlaceJudged(pod, resolved, uids, identities);
            var slots = new int[uids.Count];
            var count = _engine.Place(resolved, slots);
            var nodes = new string[count];
            for (var i = 0; i < count; i++) nodes[i] = Assume(pod, resolved, uids[i], identities?[i] ?? pod.Identity, slots[i]);
            return new Placement(nodes, count == uids.Count ? null : Explain(pod, resolved, null), uids.Count);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _engine.Dispose();

    // Pods on which others bear. What refuses nodes to pods without constraints of their own stays as it is while they are placed; all else is
    // judged for each pod anew, since each may bear on the next.
    private Placement PlaceJudged(PodBlueprint pod, PodClass resolved, IReadOnlyList<string> uids, IReadOnlyList<PodIdentity>? identities)
    {
        var first = identities?[0] ?? pod.Identity;
        var like = 1;
        while (like < uids.Count && (identities is null || identities[like].Same(first))) like++;
        var nodes = new List<string>(like);
        while (nodes.Count < like)
        {
            var judgement = _constraints.Judge(pod.Constraints, first, resolved);
            var shape = resolved with { Allowed = judgement?.Allowed() };
            if (judgement?.Bonus is { } bonus)
            {
                var verdicts = new Verdict[_nodes.Count];
                _engine.Explain(shape, verdicts);
                shape = shape with { Bonus = bonus(verdicts), Seed = _seeds() };
            }

            var slots = new int[pod.IsConstrained || judgement?.Bonus is not null ? 1 : like - nodes.Count];
            var count = _engine.Place(shape, slots);
            for (var i = 0; i < count; i++)
            {
                var at = nodes.Count;
                nodes.Add(Assume(pod, resolved, uids[at], identities?[at] ?? first, slots[i]));
            }

            if (count < slots.Length) return new Placement(nodes, Explain(pod, shape, judgement?.Refusals), like);
        }

        return new Placement(nodes, null, like);
    }

    // The engine has counted it already.
    private string Assume(PodBlueprint pod, PodClass resolved, string uid, PodIdentity identity, int slot)
    {
        var placed = new Placed(_nodes[slot]!.Name, resolved.Demand, pod.Owner, pod.Priority, pod.Signature, identity, _constraints.Carried.Hold(pod.Constraints));
        Note(uid, placed);
        if (pod.Owner is not null) Group(pod.Owner, slot)[slot]++;
        _constraints.Count(identity, placed.Held, slot, 1);
        return placed.Node;
    }

    private IEnumerable<(PodIdentity Pod, int Slot)> PodsOnNodes()
    {
        foreach (var placed in _pods.Values)
        {
            if (_slots.TryGetValue(placed.Node, out var slot)) yield return (placed.Identity, slot);
        }
    }

    private string Explain(PodBlueprint pod, PodClass resolved, Refusal[]? refusals)
    {
        var verdicts = new Verdict[_nodes.Count];
        _engine.Explain(resolved, verdicts);
        var nodes = new List<(Verdict, NodeRow, Refusal, bool)>();
        for (var slot = 0; slot < verdicts.Length; slot++)
        {
            if (_nodes[slot] is not { } entry) continue;
            var refusal = refusals?[slot] ?? Refusal.None;
            var victims = FitFailure.IsResolvable(verdicts[slot], refusal) && (_podsByNode.GetValueOrDefault(entry.Name) ?? []).Any(uid => _pods[uid].Priority < pod.Priority);
            nodes.Add((verdicts[slot], entry.Row, refusal, victims));
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
        _constraints.Carried.Release(placed.Held);
        var pods = _podsByNode[placed.Node];
        pods.Remove(uid);
        if (pods.Count == 0) _podsByNode.Remove(placed.Node);
        if (_slots.TryGetValue(placed.Node, out var slot)) Count(placed, slot, -1);
        return true;
    }

    private void Count(Placed placed, int slot, int sign)
    {
        _engine.Use(slot, placed.Demand, sign);
        _constraints.Count(placed.Identity, placed.Held, slot, sign);
        if (placed.Owner is null) return;
        var counts = Group(placed.Owner, slot);
        counts[slot] += sign;
        if (sign < 0 && counts[slot] == 0 && Array.TrueForAll(counts, c => c == 0)) _groups.Remove(placed.Owner);
    }

    private static bool Same(NodeRow a, NodeRow b) =>
        a.Cpu == b.Cpu && a.Memory == b.Memory && a.Ephemeral == b.Ephemeral && a.Pods == b.Pods && a.Zone == b.Zone && a.Unschedulable == b.Unschedulable
        && a.Pairs.AsSpan().SequenceEqual(b.Pairs) && a.Taints.AsSpan().SequenceEqual(b.Taints)
        && a.Extended.AsSpan().SequenceEqual(b.Extended) && a.ExtendedAllocatable.AsSpan().SequenceEqual(b.ExtendedAllocatable);

    private sealed record Placed(string Node, PodDemand Demand, string? Owner, int Priority, string Signature, PodIdentity Identity, CarriedTerms.Carried[]? Held)
    {
        /// <summary>The API has said so; before that it is an assumption of ours.</summary>
        public bool Confirmed { get; set; }
    }
}

/// <summary>Where pods of a run go; why the rest of those tried goes nowhere.</summary>
internal sealed record Placement(IReadOnlyList<string> Nodes, string? Failure, int Tried);
