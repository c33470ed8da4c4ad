namespace Mesh.Scheduler.Constraints;

/// <summary>
/// Affinity terms of the pods that run already, which bear on a pod that comes: required anti-affinity keeps it away, required affinity
/// (weight 1, Kubernetes' hardPodAffinityWeight) and preferred terms draw or repel it. Equal terms are kept once, with how many pods on each node
/// carry them; pods without terms leave no trace.
/// </summary>
internal sealed class CarriedTerms
{
    private const int HardPodAffinityWeight = 1;
    private readonly Dictionary<string, Carried> _terms = [];

    /// <summary>No pod carries any.</summary>
    public bool IsEmpty => _terms.Count == 0;

    /// <summary>The terms that mean the pod.</summary>
    public IEnumerable<Carried> Meaning(PodIdentity pod, NamespaceLabels namespaces) => _terms.Values.Where(c => c.Term.Matches(pod, namespaces));

    /// <summary>The terms of a pod, to be counted with it and released with it; null when it has none.</summary>
    public Carried[]? Hold(PodConstraints? pod)
    {
        if (pod is null) return null;
        Carried[] held =
        [
            .. pod.RequiredAntiAffinity.Select(t => Hold(t, forbids: true, 0)), .. pod.RequiredAffinity.Select(t => Hold(t, forbids: false, HardPodAffinityWeight)),
            .. pod.Preferred.Select(t => Hold(t, forbids: false, t.Weight)),
        ];
        return held.Length == 0 ? null : held;
    }

    /// <summary>A pod that held terms is gone.</summary>
    public void Release(Carried[]? held)
    {
        foreach (var carried in held ?? [])
        {
            if (--carried.Holders == 0) _terms.Remove(carried.Key);
        }
    }

    private Carried Hold(AffinityTerm term, bool forbids, int weight)
    {
        var key = $"{(forbids ? 'x' : 's')}{weight};{term.TopologyKey};{term.Pods}";
        if (!_terms.TryGetValue(key, out var carried)) _terms[key] = carried = new Carried(key, term, forbids, weight);
        carried.Holders++;
        return carried;
    }

    /// <summary>A term and where its carriers are.</summary>
    internal sealed class Carried(string key, AffinityTerm term, bool forbids, int weight)
    {
        public string Key { get; } = key;

        public AffinityTerm Term { get; } = term;

        /// <summary>It keeps pods away; otherwise it weighs.</summary>
        public bool Forbids { get; } = forbids;

        public int Weight { get; } = weight;

        public SlotCounts Counts { get; } = new();

        public int Holders { get; set; }
    }
}
