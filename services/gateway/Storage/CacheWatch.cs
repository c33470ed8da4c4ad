using Mesh.Rpc;

namespace Mesh.Gateway.Storage;

/// <summary>What a drain of a watch found besides events.</summary>
internal enum WatchState
{
    /// <summary>Go on waiting.</summary>
    Open,

    /// <summary>The reader was slower than the ring is long: events are lost, the client must list again (410).</summary>
    Expired,

    /// <summary>The cache lost its feed or stops: the client connects again.</summary>
    Closed,
}

/// <summary>
/// One watcher's cursor into the ring of its cache. There is no queue per watcher: the cache wakes the watcher for changes it may
/// be interested in, and the watcher reads the ring at its own pace, so a slow one costs nobody but itself.
/// </summary>
internal sealed class CacheWatch : IDisposable
{
    private readonly ResourceCache cache;
    private readonly WakeSignal signal = new();

    internal CacheWatch(ResourceCache cache, EntryFilter filter, long cursor)
    {
        this.cache = cache;
        Filter = filter;
        Cursor = cursor;
    }

    /// <summary>The resource.</summary>
    public CacheLayout Layout => cache.Layout;

    /// <summary>What is watched.</summary>
    public EntryFilter Filter { get; }

    /// <summary>Sequence number of the next event to read (guarded by the cache's lock).</summary>
    internal long Cursor { get; set; }

    /// <summary>Sequence number of the first event that may be of interest, -1 for none (guarded by the cache's lock).</summary>
    internal long Pending { get; set; } = -1;

    /// <summary>The cache closed the watch.</summary>
    internal bool IsClosed { get; set; }

    /// <summary>Waits until there may be something to drain, or somebody calls <see cref="Wake"/>.</summary>
    public ValueTask WaitAsync() => signal.WaitAsync();

    /// <summary>Moves new events the watcher sees into the list, at most max at a time; the revision is what the watch has now seen everything up to.</summary>
    public (WatchState State, long Revision) Drain(List<(ChangeType Type, CacheEntry Entry)> into, int max) => cache.Drain(this, into, max);

    /// <summary>Makes <see cref="WaitAsync"/> return.</summary>
    internal void Wake() => signal.Set();

    /// <summary>Ends the watch.</summary>
    public void Dispose() => cache.Remove(this);
}
