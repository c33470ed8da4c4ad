namespace Mesh.Scheduler.Constraints;

/// <summary>
/// How many pods on each node a constraint means. Counted once over all pods when first asked for, then kept true by every pod that comes
/// or goes; the least recently used give way. Without constraints there is none, and counting costs nothing.
/// </summary>
internal sealed class Tallies(Func<IEnumerable<(PodIdentity Pod, int Slot)>> pods)
{
    private const int Most = 256;
    private readonly Dictionary<string, Tally> _tallies = [];
    private long _clock;

    /// <summary>Counts by slot of the pods that a predicate holds for; the key stands for the predicate.</summary>
    public SlotCounts Of(string key, bool selectsNamespaces, Func<PodIdentity, bool> counts)
    {
        if (!_tallies.TryGetValue(key, out var tally))
        {
            if (_tallies.Count >= Most)
            {
                foreach (var old in _tallies.OrderBy(t => t.Value.Used).Take(Most / 4).Select(t => t.Key).ToArray()) _tallies.Remove(old);
            }

            _tallies[key] = tally = new Tally(counts, selectsNamespaces);
            foreach (var (pod, slot) in pods())
            {
                if (counts(pod)) tally.Counts.Add(slot, 1);
            }
        }

        tally.Used = ++_clock;
        return tally.Counts;
    }

    /// <summary>A pod came to a slot (1) or left it (-1).</summary>
    public void Count(PodIdentity pod, int slot, int sign)
    {
        if (_tallies.Count == 0) return;
        foreach (var tally in _tallies.Values)
        {
            if (tally.Means(pod)) tally.Counts.Add(slot, sign);
        }
    }

    /// <summary>Labels of a namespace are others now: what depends on them is counted anew.</summary>
    public void NamespacesChanged()
    {
        foreach (var (key, tally) in _tallies)
        {
            if (tally.SelectsNamespaces) _tallies.Remove(key);
        }
    }

    private sealed class Tally(Func<PodIdentity, bool> means, bool selectsNamespaces)
    {
        public Func<PodIdentity, bool> Means { get; } = means;

        public bool SelectsNamespaces { get; } = selectsNamespaces;

        public SlotCounts Counts { get; } = new();

        public long Used { get; set; }
    }
}
