using System.Collections.Immutable;

namespace Mesh.Gateway.Storage;

/// <summary>
/// All objects of a resource, in key order, with the recent changes: the state half of the watch cache (the feed half is
/// <see cref="CacheFeed"/>). Invariants: state and ring change together under the lock; state objects are immutable, so readers
/// take them without it; Revision never goes back within one generation (between two <see cref="Reset"/>).
/// </summary>
internal sealed class ResourceCache(CacheLayout layout, TimeProvider time)
{
    private const int MaxEvents = 65_536;

    /// <summary>A state shares most of itself with the next, but not its path from the root, a kilobyte: one event in so many remembers its own.</summary>
    private const int RememberedEvery = 32;
    private static readonly TimeSpan Youth = TimeSpan.FromSeconds(75);
    private readonly Lock gate = new();
    private readonly List<CacheWatch> watches = [];
    private readonly List<(long Revision, TaskCompletionSource Done)> waiters = [];
    private EventRing ring = new(MaxEvents, Youth, time);
    private CacheState state = CacheState.Empty;

    /// <summary>The resource and what selectors see of it.</summary>
    public CacheLayout Layout => layout;

    /// <summary>Everything now; IsReady is false before the first full list.</summary>
    public CacheState State => Volatile.Read(ref state);

    /// <summary>Number of open watches.</summary>
    public int WatchCount
    {
        get
        {
            lock (gate) return watches.Count;
        }
    }

    /// <summary>Replaces everything by a fresh list (first start, or the feed lost its place). Watches are closed: their clients come again.</summary>
    public void Reset(IEnumerable<CacheEntry> entries, long revision)
    {
        lock (gate)
        {
            ring = new EventRing(MaxEvents, Youth, time);
            Volatile.Write(ref state, new CacheState(CacheState.Empty.Entries.Union(entries), revision, revision, revision, true));
            CloseWatches();
            CompleteWaiters(revision);
        }
    }

    /// <summary>The feed ended: nothing here is fresh any more until the next <see cref="Reset"/>.</summary>
    public void Close()
    {
        lock (gate)
        {
            Volatile.Write(ref state, State with { IsReady = false });
            CloseWatches();
        }
    }

    /// <summary>A key has a new value.</summary>
    public void Put(CacheEntry entry) => Apply([new CacheChange(entry.Key, entry.Revision, entry)]);

    /// <summary>A key is gone.</summary>
    public void Delete(string key, long revision) => Apply([new CacheChange(key, revision, null)]);

    /// <summary>Changes in their order; readers see all of them or none. What the cache has already is passed over.</summary>
    public void Apply(ReadOnlySpan<CacheChange> changes)
    {
        foreach (ref readonly var change in changes) change.Entry?.Keep();
        lock (gate)
        {
            // One builder for all: the parts of the tree that several changes touch are copied once.
            var entries = state.Entries.ToBuilder();
            var (now, changedAt) = (time.GetTimestamp(), 0L);
            foreach (ref readonly var change in changes)
            {
                var before = ring.Next % RememberedEvery == 0 ? entries.ToImmutable() : null;
                if (Change(entries, change, now) is not { } item) continue;
                item.Before = before;
                Append(item);
                changedAt = item.Revision;
            }

            if (changedAt == 0) return;
            Volatile.Write(ref state, state with { Entries = entries.ToImmutable(), Revision = Math.Max(state.Revision, changedAt), ChangedAt = changedAt });
            CompleteWaiters(changedAt);
        }
    }

    /// <summary>Everything up to the revision has been applied.</summary>
    public void Progress(long revision)
    {
        lock (gate)
        {
            if (revision <= state.Revision) return;
            Volatile.Write(ref state, state with { Revision = revision });
            CompleteWaiters(revision);
        }
    }

    /// <summary>Completes when the cache has applied everything up to the revision.</summary>
    public Task WaitForAsync(long revision)
    {
        lock (gate)
        {
            if (state.Revision >= revision && state.IsReady) return Task.CompletedTask;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Add((revision, done));
            return done.Task;
        }
    }

    /// <summary>The state at a revision not after the present one, or null when it is older than the ring remembers.</summary>
    public CacheState? StateAt(long revision)
    {
        lock (gate)
        {
            if (revision >= state.ChangedAt) return state with { Revision = Math.Min(revision, state.Revision) };
            var next = ring.After(revision);
            return next > ring.First ? state with { Entries = EntriesBefore(next), Revision = revision } : null;
        }
    }

    /// <summary>Lets go of events that have grown old while nothing happened.</summary>
    public void Trim()
    {
        lock (gate) ring.Trim(time.GetTimestamp());
    }

    /// <summary>Opens a watch after the revision; null when the ring does not reach back so far.</summary>
    public CacheWatch? WatchAfter(long revision, EntryFilter filter)
    {
        lock (gate)
        {
            if (!state.IsReady || revision < state.Start || (ring.First > 0 && revision < ring[ring.First].Revision - 1)) return null;
            return Open(filter, ring.After(revision));
        }
    }

    /// <summary>Opens a watch after the present state and gives that state.</summary>
    public (CacheWatch Watch, CacheState State)? WatchNow(EntryFilter filter)
    {
        lock (gate)
        {
            return state.IsReady ? (Open(filter, ring.Next), state) : null;
        }
    }

    /// <summary>Wakes every watch so that it can send a bookmark.</summary>
    public void WakeAll()
    {
        lock (gate)
        {
            foreach (var watch in watches) watch.Wake();
        }
    }

    internal (WatchState State, long Revision) Drain(CacheWatch watch, List<(ChangeType Type, CacheEntry Entry)> into, int max)
    {
        CacheEvent[] batch;
        var revision = 0L;
        lock (gate)
        {
            if (watch.IsClosed) return (WatchState.Closed, 0);
            var from = watch.Pending < 0 ? ring.Next : Math.Max(watch.Pending, watch.Cursor);
            if (from < ring.First) return (WatchState.Expired, 0);
            var to = Math.Min(ring.Next, from + max);
            batch = new CacheEvent[to - from];
            for (var s = from; s < to; s++) batch[s - from] = ring[s];
            watch.Cursor = to;
            watch.Pending = to < ring.Next ? to : -1;
            revision = to < ring.Next ? batch[^1].Revision : state.Revision;
            if (to < ring.Next) watch.Wake();
        }

        foreach (var item in batch)
        {
            if (item.For(watch.Filter) is { } seen) into.Add(seen);
        }

        return (WatchState.Open, revision);
    }

    internal void Remove(CacheWatch watch)
    {
        lock (gate)
        {
            var at = watches.IndexOf(watch);
            if (at < 0) return;
            watches[at] = watches[^1];
            watches.RemoveAt(watches.Count - 1);
        }
    }

    private CacheWatch Open(EntryFilter filter, long cursor)
    {
        var watch = new CacheWatch(this, filter, cursor) { Pending = cursor < ring.Next ? cursor : -1 };
        if (watch.Pending >= 0) watch.Wake();
        watches.Add(watch);
        return watch;
    }

    /// <summary>All objects as they were before an event: from the next state that is remembered, or from now, back.</summary>
    private ImmutableSortedSet<CacheEntry> EntriesBefore(long sequence)
    {
        var from = sequence;
        while (from < ring.Next && ring[from].Before is null) from++;
        var entries = from < ring.Next ? ring[from].Before! : state.Entries;
        for (var s = from - 1; s >= sequence; s--)
        {
            var item = ring[s];
            if (item.Type != ChangeType.Deleted) entries = entries.Remove(item.Current);
            if (item.Previous is { } previous) entries = entries.Add(previous);
        }

        return entries;
    }

    private CacheEvent? Change(ImmutableSortedSet<CacheEntry>.Builder entries, in CacheChange change, long now)
    {
        var previous = entries.TryGetValue(change.Entry ?? CacheEntry.Unstored(layout, change.Key, []), out var found) ? found : null;
        if (change.Entry is null)
        {
            if (previous is null) return null;
            entries.Remove(previous);
            return new CacheEvent(ChangeType.Deleted, previous, previous, change.Revision, now);
        }

        if (previous is not null && previous.Revision >= change.Revision) return null;
        if (previous is not null) entries.Remove(previous);
        entries.Add(change.Entry);
        return new CacheEvent(previous is null ? ChangeType.Added : ChangeType.Modified, change.Entry, previous, change.Revision, now);
    }

    private void Append(CacheEvent item)
    {
        var sequence = ring.Next;
        ring.Add(item);
        foreach (var watch in watches)
        {
            if (watch.Pending >= 0) continue;
            if (!watch.Filter.Matches(item.Current) && (item.Previous is null || !watch.Filter.Matches(item.Previous))) continue;
            watch.Pending = sequence;
            watch.Wake();
        }
    }

    private void CloseWatches()
    {
        foreach (var watch in watches)
        {
            watch.IsClosed = true;
            watch.Wake();
        }

        watches.Clear();
    }

    private void CompleteWaiters(long revision)
    {
        for (var i = waiters.Count - 1; i >= 0; i--)
        {
            if (waiters[i].Revision > revision || !state.IsReady) continue;
            waiters[i].Done.TrySetResult();
            waiters.RemoveAt(i);
        }
    }
}
