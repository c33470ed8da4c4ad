using Mesh.Rpc;
using Mesh.Store.Mvcc;

namespace Mesh.Store.Watching;

/// <summary>
/// The watches of one client stream and what is queued for it. The hub queues under its gate; one sender loop (<see cref="RunAsync"/>) takes what is queued and writes.
/// Order on the wire: control answers, then events, then progress, so that "created" precedes a watch's events and progress never overtakes one.
/// </summary>
internal sealed class WatchStream(WatchHub hub, WatchLimits limits, TimeProvider time) : IDisposable
{
    private readonly WakeSignal _wake = new();
    private readonly Dictionary<long, Watcher> _watchers = [];
    private readonly HashSet<Watcher> _unsynced = [];
    private readonly HashSet<Watcher> _progressDue = [];
    private List<WatchReply> _controls = [];
    private List<Watcher> _dirty = [];
    private long _queuedBytes;
    private long _nextId;
    private long _progressWanted = -1;
    private ITimer? _progressTimer;

    /// <summary>Number of watches open.</summary>
    public int Count
    {
        get { lock (hub.Gate) return _watchers.Count; }
    }

    /// <summary>None of its watches has to read history. Under the hub's gate.</summary>
    internal bool IsSynced => _unsynced.Count == 0;

    /// <summary>Opens a watch and queues its "created" answer. A refused one is answered created and cancelled at once.</summary>
    public void Create(WatchCreation creation)
    {
        lock (hub.Gate)
        {
            var now = hub.Store.Published.Revision;
            var refusal = creation.Range.IsEmpty ? "mvcc: watcher range is empty"
                : creation.WatchId != 0 && _watchers.ContainsKey(creation.WatchId) ? "mvcc: duplicate watch ID provided on the WatchStream"
                : creation.Refusal;
            if (refusal is not null)
            {
                Control(new WatchReply { WatchId = -1, Created = true, Canceled = true, CancelReason = refusal, Revision = now });
                return;
            }

            var id = creation.WatchId;
            if (id == 0)
            {
                while (_watchers.ContainsKey(_nextId)) _nextId++;
                id = _nextId++;
            }

            var watcher = new Watcher(this, id, creation.Range.Detach())
            {
                PrevKv = creation.PrevKv,
                Fragment = creation.Fragment,
                ProgressNotify = creation.ProgressNotify,
                NoPut = creation.NoPut,
                NoDelete = creation.NoDelete,
                Next = creation.StartRevision > 0 ? creation.StartRevision : now + 1,
            };
            _watchers.Add(id, watcher);
            Control(new WatchReply { WatchId = id, Created = true, Revision = now });
            // The hub may be a little behind the store and still hold the compacted events: the answer must not depend on that.
            if (watcher.Next >= hub.Store.CompactRevision) hub.Enter(watcher);
            if (!watcher.Synced) _unsynced.Add(watcher);
            if (watcher.ProgressNotify) StartProgressTimer();
        }
    }

    /// <summary>Ends a watch and queues the answer; an unknown id is let pass, as etcd does.</summary>
    public void Cancel(long id)
    {
        lock (hub.Gate)
        {
            if (!_watchers.TryGetValue(id, out var watcher)) return;
            End(watcher);
            Control(new WatchReply { WatchId = id, Canceled = true, Revision = hub.Revision });
        }
    }

    /// <summary>Asks for one answer with id -1 and no events once everything published until now has been sent.</summary>
    public void RequestProgress()
    {
        lock (hub.Gate)
        {
            _progressWanted = Math.Max(_progressWanted, hub.Store.Published.Revision);
            if (hub.Revision < _progressWanted) hub.AwaitProgress(this);
            Wake();
        }
    }

    /// <summary>Queues an event for a synced watcher; one too many and the watcher falls back to history. Under the hub's gate.</summary>
    internal void Queue(Watcher watcher, KeyVersion version)
    {
        if (!watcher.Synced) return;
        if (watcher.Pending is null)
        {
            watcher.Pending = [];
            _dirty.Add(watcher);
        }

        watcher.Pending.Add(version);
        _queuedBytes += WatchReply.EventBound(version, watcher.PrevKv);
        if (_queuedBytes <= limits.QueuedBytes) return;
        hub.Leave(watcher);
        watcher.Next = watcher.Pending[0].ModRevision;
        watcher.Pending = null;
        _unsynced.Add(watcher);
    }

    /// <summary>Lets the sender look. Never blocks.</summary>
    /// <param name="here">On this thread, which must not have the hub's gate.</param>
    internal void Wake(bool here = false) => _wake.Set(here);

    /// <summary>Sends until cancelled; the writer's back pressure is the stream's pace.</summary>
    public async Task RunAsync(Func<WatchReply, bool, Task> write, CancellationToken cancel)
    {
        await using var cancelled = cancel.UnsafeRegister(static wake => ((WakeSignal)wake!).Set(), _wake);
        while (true)
        {
            await _wake.WaitAsync();
            cancel.ThrowIfCancellationRequested();
            while (true)
            {
                var replies = TakeQueued();
                if (replies.Count == 0) replies = CatchUp();
                if (replies.Count == 0) replies = TakeProgress();
                if (replies.Count == 0) break;
                for (var i = 0; i < replies.Count; i++)
                {
                    replies[i].Identity = hub.Identity;
                    await write(replies[i], i + 1 < replies.Count);
                }
            }
        }
    }

    /// <summary>Closes every watch of the stream.</summary>
    public void Dispose()
    {
        lock (hub.Gate)
        {
            foreach (var watcher in _watchers.Values.ToList()) End(watcher);
            _progressTimer?.Dispose();
            _progressTimer = null;
        }
    }

    private void Control(WatchReply reply)
    {
        _controls.Add(reply);
        Wake();
    }

    private void End(Watcher watcher)
    {
        hub.Leave(watcher);
        watcher.Ended = true;
        watcher.Pending = null;
        _unsynced.Remove(watcher);
        _progressDue.Remove(watcher);
        _watchers.Remove(watcher.Id);
    }

    private List<WatchReply> TakeQueued()
    {
        var replies = new List<WatchReply>();
        lock (hub.Gate)
        {
            if (_controls.Count > 0) (replies, _controls) = (_controls, replies);
            if (_dirty.Count == 0) return replies;
            foreach (var watcher in _dirty)
            {
                if (watcher.Pending is not { } events) continue;
                watcher.Pending = null;
                watcher.Next = Math.Max(watcher.Next, hub.Revision + 1);
                EventSplitter.Split(watcher, events, hub.Revision, limits, replies);
                _progressDue.Remove(watcher);
            }

            _dirty.Clear();
            _queuedBytes = 0;
        }

        return replies;
    }

    /// <summary>A slice of history for the watchers that are behind.</summary>
    private List<WatchReply> CatchUp()
    {
        var replies = new List<WatchReply>();
        List<Watcher> behind;
        long to;
        lock (hub.Gate)
        {
            if (_unsynced.Count == 0) return replies;
            to = hub.Revision;
            foreach (var watcher in _unsynced.ToList())
            {
                if (watcher.Next < hub.Store.CompactRevision)
                {
                    End(watcher);
                    replies.Add(new WatchReply
                    {
                        WatchId = watcher.Id,
                        Canceled = true,
                        CompactRevision = hub.Store.CompactRevision,
                        Revision = to,
                        CancelReason = "etcdserver: mvcc: required revision has been compacted",
                    });
                }
                else if (watcher.Next > to)
                {
                    _unsynced.Remove(watcher);
                    hub.Enter(watcher);
                }
            }

            behind = [.. _unsynced];
        }

        if (behind.Count == 0) return replies;
        var from = behind.Min(w => w.Next);
        var versions = new List<KeyVersion>();
        var next = hub.Store.History.Read(from, to, limits.CatchUpEvents, versions);
        // Trimmed under our hands: the next round cancels whom it concerns.
        if (from < hub.Store.CompactRevision)
        {
            Wake();
            return replies;
        }

        foreach (var watcher in behind)
        {
            if (watcher.Ended) continue;
            var events = new List<KeyVersion>();
            foreach (var version in versions)
            {
                if (version.ModRevision >= watcher.Next && watcher.Range.Contains(version.Entry.Key) && watcher.Wants(version)) events.Add(version);
            }

            EventSplitter.Split(watcher, events, to, limits, replies);
        }

        lock (hub.Gate)
        {
            foreach (var watcher in behind)
            {
                if (watcher.Ended) continue;
                watcher.Next = Math.Max(watcher.Next, next);
                if (watcher.Next <= hub.Revision) continue;
                _unsynced.Remove(watcher);
                hub.Enter(watcher);
            }

            if (_unsynced.Count > 0) Wake();
        }

        return replies;
    }

    private List<WatchReply> TakeProgress()
    {
        var replies = new List<WatchReply>();
        lock (hub.Gate)
        {
            if (_controls.Count > 0 || _dirty.Count > 0 || _unsynced.Count > 0) return replies;
            foreach (var watcher in _progressDue) replies.Add(new WatchReply { WatchId = watcher.Id, Revision = hub.Revision });
            _progressDue.Clear();
            if (_progressWanted >= 0 && hub.Revision >= _progressWanted)
            {
                _progressWanted = -1;
                replies.Add(new WatchReply { WatchId = -1, Revision = hub.Revision });
            }
        }

        return replies;
    }

    private void StartProgressTimer() => _progressTimer ??= time.CreateTimer(
        _ =>
        {
            lock (hub.Gate)
            {
                foreach (var watcher in _watchers.Values.Where(w => w.ProgressNotify)) _progressDue.Add(watcher);
                Wake();
            }
        },
        null, limits.ProgressInterval, limits.ProgressInterval);
}
