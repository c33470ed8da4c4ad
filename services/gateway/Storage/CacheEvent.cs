using System.Collections.Immutable;

namespace Mesh.Gateway.Storage;

/// <summary>What happened to an object in the store.</summary>
internal enum ChangeType
{
    /// <summary>It is new.</summary>
    Added,

    /// <summary>It changed.</summary>
    Modified,

    /// <summary>It is gone.</summary>
    Deleted,

    /// <summary>Nothing: the revision moved on.</summary>
    Bookmark,
}

/// <summary>What the store tells of a key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Revision">When.</param>
/// <param name="Entry">What it has now; null: it is gone.</param>
internal readonly record struct CacheChange(string Key, long Revision, CacheEntry? Entry);

/// <summary>One change, shared by all watchers.</summary>
internal sealed class CacheEvent(ChangeType type, CacheEntry current, CacheEntry? previous, long revision, long ticks)
{
    private CacheEntry? gone;

    /// <summary>What happened.</summary>
    public ChangeType Type { get; } = type;

    /// <summary>The object after the change; of a deletion, its last state.</summary>
    public CacheEntry Current { get; } = current;

    /// <summary>The object before the change.</summary>
    public CacheEntry? Previous { get; } = previous;

    /// <summary>Revision of the change.</summary>
    public long Revision { get; } = revision;

    /// <summary>All objects before the change, when the event remembers them.</summary>
    public ImmutableSortedSet<CacheEntry>? Before { get; set; }

    /// <summary>When it was seen, in timer ticks.</summary>
    public long Ticks { get; } = ticks;

    /// <summary>The last state with the revision of the change, for watchers that see the object leave.</summary>
    public CacheEntry Gone => gone ?? Interlocked.CompareExchange(ref gone, Previous!.AtRevision(Revision), null) ?? gone;

    /// <summary>The event as one watcher sees it: by what the filter selects before and after; null when it sees nothing.</summary>
    public (ChangeType Type, CacheEntry Entry)? For(EntryFilter filter)
    {
        var now = Type != ChangeType.Deleted && filter.Matches(Current);
        var was = Previous is not null && filter.Matches(Previous);
        return (was, now) switch
        {
            (false, true) => (ChangeType.Added, Current),
            (true, true) => (ChangeType.Modified, Current),
            (true, false) => (ChangeType.Deleted, Gone),
            _ => null,
        };
    }
}
