using System.Collections.Concurrent;
using Mesh.Client;

namespace Mesh.Controllers.Framework;

/// <summary>
/// What a controller has asked for and its cache has not shown yet. While a key has open expectations the cache is known to be
/// behind, and creating or deleting again would overshoot. Expectations older than five minutes no longer count: whatever was
/// lost, the next decision starts from the cache.
/// </summary>
internal sealed class Expectations(TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);
    private readonly ConcurrentDictionary<ObjectKey, Entry> _entries = new();

    internal void ExpectCreations(ObjectKey key, int count)
    {
        var entry = Fresh(key);
        lock (entry) entry.Creations += count;
    }

    internal void ExpectDeletions(ObjectKey key, IEnumerable<string> uids)
    {
        var entry = Fresh(key);
        lock (entry) entry.Deletions.UnionWith(uids);
    }

    internal void CreationObserved(ObjectKey key, int count = 1)
    {
        if (!_entries.TryGetValue(key, out var entry)) return;
        lock (entry) entry.Creations = Math.Max(0, entry.Creations - count);
    }

    internal void DeletionObserved(ObjectKey key, string uid)
    {
        if (!_entries.TryGetValue(key, out var entry)) return;
        lock (entry) entry.Deletions.Remove(uid);
    }

    internal void Forget(ObjectKey key) => _entries.TryRemove(key, out _);

    internal bool Satisfied(ObjectKey key)
    {
        if (!_entries.TryGetValue(key, out var entry)) return true;
        lock (entry) return (entry.Creations == 0 && entry.Deletions.Count == 0) || time.GetElapsedTime(entry.Since) > Timeout;
    }

    private Entry Fresh(ObjectKey key)
    {
        var entry = _entries.GetOrAdd(key, _ => new Entry());
        lock (entry)
        {
            if (time.GetElapsedTime(entry.Since) > Timeout) (entry.Creations, _) = (0, entry.Deletions.RemoveWhere(_ => true));
            entry.Since = time.GetTimestamp();
        }

        return entry;
    }

    private sealed class Entry
    {
        internal int Creations { get; set; }

        internal HashSet<string> Deletions { get; } = new(StringComparer.Ordinal);

        internal long Since { get; set; }
    }
}
