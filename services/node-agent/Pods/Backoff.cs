namespace Mesh.NodeAgent.Pods;

/// <summary>
/// Delays that double from the first to the longest, per key. A key that stayed quiet for twice the longest delay starts again.
/// Not thread-safe; belongs to one pod's worker.
/// </summary>
internal sealed class Backoff(TimeSpan initial, TimeSpan max)
{
    private readonly Dictionary<string, (TimeSpan Delay, DateTime Updated)> entries = [];

    /// <summary>Kubernetes' restart and pull back-off: 10 s to 5 min.</summary>
    public static Backoff Standard() => new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5));

    /// <summary>The present delay of the key, or null when it has none.</summary>
    public TimeSpan? Get(string key) => entries.TryGetValue(key, out var entry) ? entry.Delay : null;

    /// <summary>When a new attempt is due after a failure at the given time, or null when it is due now.</summary>
    public DateTime? NotBefore(string key, DateTime failedAt, DateTime now)
    {
        if (!entries.TryGetValue(key, out var entry) || Expired(entry.Updated, failedAt))
            return null;
        var due = failedAt + entry.Delay;
        return due > now ? due : null;
    }

    /// <summary>Remembers an attempt after a failure at the given time: the next delay doubles.</summary>
    public void Next(string key, DateTime failedAt, DateTime now)
    {
        if (!entries.TryGetValue(key, out var entry) || Expired(entry.Updated, failedAt))
            entries[key] = (initial, now);
        else
            entries[key] = (entry.Delay + entry.Delay < max ? entry.Delay + entry.Delay : max, now);
    }

    /// <summary>Sets a delay that was learned elsewhere (a restarted agent reads restart counts).</summary>
    public void Restore(string key, int failures, DateTime now)
    {
        var delay = initial;
        for (var i = 1; i < failures && delay < max; i++)
            delay += delay;
        entries[key] = (delay < max ? delay : max, now);
    }

    private bool Expired(DateTime updated, DateTime at) => at - updated > max + max;
}
