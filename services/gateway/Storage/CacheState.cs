using System.Collections.Immutable;

namespace Mesh.Gateway.Storage;

/// <summary>All objects of a resource at one revision.</summary>
/// <param name="Entries">In key order.</param>
/// <param name="Revision">Everything up to it is in Entries.</param>
/// <param name="ChangedAt">Revision of the last change that is in Entries.</param>
/// <param name="Start">Revision at which the cache was filled: it knows no events before.</param>
/// <param name="IsReady">Whether it is being kept up to date.</param>
internal sealed record CacheState(ImmutableSortedSet<CacheEntry> Entries, long Revision, long ChangedAt, long Start, bool IsReady)
{
    /// <summary>Before the first list.</summary>
    public static CacheState Empty { get; } = new(ImmutableSortedSet<CacheEntry>.Empty.WithComparer(ByKey.Instance), 0, 0, 0, false);

    /// <summary>Index of a key; when it is not there, the complement of the index where it would be.</summary>
    public int IndexOf(string key)
    {
        var (low, high) = (0, Entries.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = string.CompareOrdinal(Entries[middle].Key, key);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        return ~low;
    }

    /// <summary>The object of a key, or null.</summary>
    public CacheEntry? Find(string key) => IndexOf(key) is >= 0 and var at ? Entries[at] : null;

    /// <summary>Indexes of the keys with a prefix: from, and one past the last.</summary>
    public (int From, int To) Range(string prefix)
    {
        var from = IndexOf(prefix);
        var to = IndexOf(prefix[..^1] + (char)(prefix[^1] + 1));
        return (from < 0 ? ~from : from, to < 0 ? ~to : to);
    }

    /// <summary>The objects with a key prefix, from an index on (for pages).</summary>
    public IEnumerable<CacheEntry> Slice(int from, int to)
    {
        if (from == 0 && to == Entries.Count)
        {
            foreach (var entry in Entries) yield return entry;
            yield break;
        }

        for (var i = from; i < to; i++) yield return Entries[i];
    }

    private sealed class ByKey : IComparer<CacheEntry>
    {
        public static readonly ByKey Instance = new();

        public int Compare(CacheEntry? x, CacheEntry? y) => string.CompareOrdinal(x!.Key, y!.Key);
    }
}
