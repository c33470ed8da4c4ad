using Mesh.Store.Mvcc;
using Mesh.Store.Wal;

namespace Mesh.Store.Watching;

/// <summary>
/// Brings new versions to watches. The committer leaves each batch here, and before its callers are answered it is matched against the synced watchers, whose streams
/// are woken: a few send on the committer's own thread, so that an event leaves with the answer, not a switch of threads later; many, and much, go to the pool.
/// A watcher whose stream does not keep up becomes unsynced: what was queued for it is dropped and its stream reads history instead, at its own pace.
/// Watchers that history has been compacted away from are cancelled with the compact revision.
/// Lock: <c>Gate</c> guards the index, the watchers and the streams' queues; nothing is awaited and no other lock but history's is taken under it.
/// </summary>
internal sealed class WatchHub(MvccStore store, StoreIdentity identity)
{
    private const int LittleWork = 256; // versions times watchers, at most: a few microseconds, less than another thread is woken in
    private const int FewStreams = 2; // each a send
    private readonly Lock _inbox = new();
    private List<(List<KeyVersion> Versions, long Revision)> _batches = [];
    private bool _dispatching;
    private int _left; // versions in the batches
    private readonly WatcherIndex _index = new();
    private readonly List<Watcher> _matched = [];
    private readonly HashSet<WatchStream> _touched = [];
    private readonly List<WatchStream> _few = []; // of the one that dispatches
    private readonly HashSet<WatchStream> _waitingForProgress = [];

    /// <summary>The hub's one lock.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Ids for answers.</summary>
    public StoreIdentity Identity => identity;

    /// <summary>The store behind.</summary>
    public MvccStore Store => store;

    /// <summary>Revision up to which synced watchers have been fed. Under <see cref="Gate"/>.</summary>
    public long Revision { get; private set; } = store.Published.Revision;

    /// <summary>Number of synced watchers, for metrics.</summary>
    public int SyncedCount { get; private set; }

    /// <summary>Takes a batch from the committer, in order; <see cref="Distribute"/> follows.</summary>
    public void Publish(List<KeyVersion> versions, long revision)
    {
        lock (_inbox)
        {
            _batches.Add((versions, revision));
            _left += versions.Count;
        }
    }

    /// <summary>Brings what was left here to the watchers.</summary>
    public void Distribute()
    {
        bool little;
        lock (_inbox)
        {
            if (_dispatching || _batches.Count == 0) return;
            _dispatching = true;
            little = (long)_left * (1 + SyncedCount) <= LittleWork;
        }

        if (little) Dispatch(here: true);
        else ThreadPool.UnsafeQueueUserWorkItem(static hub => hub.Dispatch(here: false), this, preferLocal: false);
    }

    /// <summary>Registers a watcher from its <see cref="Watcher.Next"/> on. Under <see cref="Gate"/>.</summary>
    internal void Enter(Watcher watcher)
    {
        watcher.Synced = watcher.Next > Revision;
        if (!watcher.Synced) return;
        _index.Add(watcher);
        SyncedCount++;
    }

    /// <summary>Takes a watcher out of the index. Under <see cref="Gate"/>.</summary>
    internal void Leave(Watcher watcher)
    {
        if (!watcher.Synced) return;
        watcher.Synced = false;
        _index.Remove(watcher);
        SyncedCount--;
    }

    /// <summary>Wakes the stream when the hub has reached what was published when it asked. Under <see cref="Gate"/>.</summary>
    internal void AwaitProgress(WatchStream stream) => _waitingForProgress.Add(stream);

    private void Dispatch(bool here)
    {
        List<(List<KeyVersion> Versions, long Revision)> batches;
        lock (_inbox)
        {
            batches = _batches;
            _batches = [];
            _left = 0;
        }

        lock (Gate)
        {
            foreach (var (versions, revision) in batches)
            {
                if (SyncedCount > 0) Match(versions);
                Revision = revision;
            }

            foreach (var stream in _waitingForProgress) _touched.Add(stream);
            _waitingForProgress.Clear();
            here &= _touched.Count <= FewStreams;
            foreach (var stream in _touched)
            {
                if (here && stream.IsSynced) _few.Add(stream);
                else stream.Wake();
            }

            _touched.Clear();
        }

        foreach (var stream in _few) stream.Wake(here: true);
        _few.Clear();

        lock (_inbox)
        {
            if (_batches.Count == 0)
            {
                _dispatching = false;
                return;
            }
        }

        // More has come: not for ever on the thread of one of the callers.
        ThreadPool.UnsafeQueueUserWorkItem(static hub => hub.Dispatch(here: false), this, preferLocal: false);
    }

    private void Match(List<KeyVersion> versions)
    {
        foreach (var version in versions)
        {
            _matched.Clear();
            _index.Match(version.Entry.Key, _matched);
            foreach (var watcher in _matched)
            {
                if (version.ModRevision < watcher.Next || !watcher.Wants(version)) continue;
                watcher.Stream.Queue(watcher, version);
                _touched.Add(watcher.Stream);
            }
        }
    }
}
