using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Constraints;

/// <summary>
/// What constraints between pods need to know of the cluster, and what they say of a pod. Under the lock of the cluster state. A cluster in
/// which no pod has constraints holds nothing here.
/// </summary>
internal sealed class ConstraintState(IReadOnlyList<NodeEntry?> nodes, Func<IEnumerable<(PodIdentity Pod, int Slot)>> pods)
{
    private const long AffinityWeight = 2;
    private const long SpreadWeight = 2;

    /// <summary>The nodes by slot.</summary>
    public IReadOnlyList<NodeEntry?> Nodes { get; } = nodes;

    /// <summary>Domains of the nodes.</summary>
    public Topology Topology { get; } = new(nodes);

    /// <summary>Pods by constraint and node.</summary>
    public Tallies Tallies { get; } = new(pods);

    /// <summary>Terms of the pods that run.</summary>
    public CarriedTerms Carried { get; } = new();

    /// <summary>Labels of namespaces.</summary>
    public NamespaceLabels Namespaces { get; } = new();

    /// <summary>Whether a pod with these constraints must be judged at all.</summary>
    public bool Concern(PodBlueprint pod) => pod.IsConstrained || !Carried.IsEmpty;

    /// <summary>A pod came to a slot (1) or left it (-1).</summary>
    public void Count(PodIdentity pod, CarriedTerms.Carried[]? held, int slot, int sign)
    {
        Tallies.Count(pod, slot, sign);
        if (held is null) return;
        foreach (var carried in held) carried.Counts.Add(slot, sign);
    }

    /// <summary>Notes a namespace's labels (null: it is gone). True when pods that run may bear on others now.</summary>
    public bool SetNamespace(string ns, IReadOnlyDictionary<string, string>? labels)
    {
        if (!Namespaces.Set(ns, labels)) return false;
        Tallies.NamespacesChanged();
        return !Carried.IsEmpty;
    }

    /// <summary>What the constraints say of the pod at this moment; null when they say nothing of it.</summary>
    public Judgement? Judge(PodConstraints? own, PodIdentity pod, PodClass shape)
    {
        IReadOnlyList<CarriedTerms.Carried> carried = Carried.IsEmpty ? [] : [.. Carried.Meaning(pod, Namespaces)];
        var filters = own is { HardSpread.Length: > 0 } or { RequiredAffinity.Length: > 0 } or { RequiredAntiAffinity.Length: > 0 } || carried.Any(c => c.Forbids);
        var spreads = own is { SoftSpread.Length: > 0 };
        var nears = AffinityRules.Scores(own, carried);
        if (!filters && !spreads && !nears) return null;
        Refusal[]? refusals = null;
        if (filters)
        {
            refusals = new Refusal[Nodes.Count];
            if (own is not null) SpreadRules.Filter(this, own, shape, refusals);
            AffinityRules.Filter(this, own, pod, carried, refusals);
        }

        return new Judgement(refusals, !spreads && !nears ? null : verdicts =>
        {
            var bonus = new long[verdicts.Length];
            if (spreads) Add(SpreadRules.Score(this, own!, shape, verdicts), SpreadWeight);
            if (nears) Add(AffinityRules.Score(this, own, carried, verdicts), AffinityWeight);
            return bonus;

            void Add(long[] scores, long weight)
            {
                for (var slot = 0; slot < bonus.Length; slot++) bonus[slot] += weight * scores[slot];
            }
        });
    }
}
