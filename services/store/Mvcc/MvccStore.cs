using Mesh.Store.Leases;
using Mesh.Store.Wire;

namespace Mesh.Store.Mvcc;

/// <summary>What readers see: the keys and the revision up to which versions count.</summary>
internal sealed record Published(KeyTreeView View, long Revision);

/// <summary>
/// The multi-version map. One thread (the committer) changes it; any thread reads it without a lock.
/// <para>
/// Example: put a=1 (revision 2), put a=2 (3), delete a (4), put a=3 (5). Entry "a" is 5 → 4 (tombstone) → 3 → 2. A read at 3 walks to version 3,
/// created at 2, the key's second write. At 4 it finds the tombstone: no key. Compaction at 4 cuts everything below 5, and a read at 3 is refused.
/// </para>
/// A writer makes versions of revision N+1 reachable before it publishes N+1; readers at N step over them.
/// </summary>
internal sealed class MvccStore(Lessor lessor)
{
    private readonly KeyTree _tree = new();
    private readonly List<KeyVersion> _unpublished = [];
    private readonly ValuePacker _packer = new();
    private volatile Published _published = new(new KeyTree().Current, 1);
    private long _revision = 1; // the writer's; published after each batch
    private long _compactRevision = -1;
    private long _scheduledCompaction = -1;
    private readonly List<long> _holds = []; // revisions of captures being written out
    private long _bytes;

    /// <summary>The history that watches read.</summary>
    public RevisionLog History { get; } = new();

    /// <summary>What readers see now.</summary>
    public Published Published => _published;

    /// <summary>Revisions below this one are gone; -1 before the first compaction.</summary>
    public long CompactRevision => Volatile.Read(ref _compactRevision);

    /// <summary>Keys and values held, history included, with bookkeeping.</summary>
    public long SizeInBytes => Volatile.Read(ref _bytes);

    /// <summary>Whether compaction has been decided, not yet carried out in full, and nothing holds it back.</summary>
    public bool CompactionPending => _scheduledCompaction >= 0 && _holds.TrueForAll(r => _scheduledCompaction <= r);

    /// <summary>Keys in the tree, deleted ones that still have history included.</summary>
    public int KeyCount => _tree.Count;

    /// <summary>The writer's revision: equal to the published one between batches.</summary>
    public long WriterRevision => _revision;

    /// <summary>Begins a transaction of writes at the next revision. Applier only.</summary>
    public MvccWriter BeginWrite() => new(this, _revision + 1);

    /// <summary>Makes everything applied so far visible and returns the new versions in order. Applier only.</summary>
    public List<KeyVersion> Publish()
    {
        if (_unpublished.Count == 0) return [];
        var versions = new List<KeyVersion>(_unpublished);
        _unpublished.Clear();
        History.Append(versions);
        _published = new Published(_tree.Snapshot(), _revision);
        _packer.Add(versions);
        return versions;
    }

    /// <summary>Answers a range at a revision (0 is now) without blocking the writer.</summary>
    public RangeReply Range(RangeRequest request)
    {
        while (true)
        {
            var published = _published;
            if (request.Revision > published.Revision) throw Refusals.FutureRevision;
            var at = request.Revision > 0 ? request.Revision : published.Revision;
            if (request.Revision > 0 && at < CompactRevision) throw Refusals.Compacted;
            var reply = RangeReader.Read(published.View, request, at);
            // Compaction may have cut versions under a walk at a revision below it.
            if (at < CompactRevision)
            {
                if (request.Revision > 0) throw Refusals.Compacted;
                continue;
            }

            reply.Revision = published.Revision;
            return reply;
        }
    }

    /// <summary>Decides a compaction: from now on reads below the revision are refused. The work is done by <see cref="CompactStep"/>. Applier only.</summary>
    public void Compact(long revision)
    {
        if (revision <= CompactRevision) throw Refusals.Compacted;
        if (revision > _revision) throw Refusals.FutureRevision;
        Volatile.Write(ref _compactRevision, revision);
        _scheduledCompaction = revision;
    }

    /// <summary>Keeps what a capture at the revision sees until <see cref="Release"/>: a replay on top of it must find every key's numbers. Applier only.</summary>
    public void Hold(long revision) => _holds.Add(revision);

    /// <summary>Ends a hold. Applier only.</summary>
    public void Release(long revision) => _holds.Remove(revision);

    /// <summary>Does at most <paramref name="steps"/> versions of a decided compaction; true when none is left. Applier only, between batches.</summary>
    public bool CompactStep(int steps)
    {
        if (!CompactionPending) return true;
        var removed = false;
        for (; steps > 0; steps--)
        {
            if (History.OldestBelow(_scheduledCompaction + 1) is not { } version)
            {
                _scheduledCompaction = -1;
                break;
            }

            removed |= Cut(version.Entry, _scheduledCompaction);
            if (version.ModRevision == _scheduledCompaction)
            {
                // The compacted revision itself stays readable for watches that begin at it.
                foreach (var rest in Rest(version)) removed |= Cut(rest.Entry, _scheduledCompaction);
                _scheduledCompaction = -1;
                break;
            }

            History.DropOldest();
        }

        if (removed) _published = _published with { View = _tree.Snapshot() };
        if (_scheduledCompaction < 0 && Bugs.HasFlag(KnownBugs.DropEventAtCompaction) && History.Count > 0) History.DropOldest();
        return _scheduledCompaction < 0;
    }

    /// <summary>The bug of counting from what is alive: revisions of deletions are given out again.</summary>
    public void ForgetDeletions()
    {
        long newest = 1;
        var walk = _published.View.Walk(KeyRange.Everything);
        while (walk.MoveNext())
        {
            if (walk.Current.LiveAt(_revision) is { } version) newest = Math.Max(newest, version.ModRevision);
        }

        _revision = newest;
        _published = _published with { Revision = newest };
    }

    /// <summary>Puts back what a snapshot or the log's replay holds, oldest version first. Before the first publish only.</summary>
    public void Restore(KeyEntry entry)
    {
        _tree.Insert(entry);
        _packer.Add(entry);
        for (var version = entry.Latest; version is not null; version = version.Previous)
        {
            _bytes += version.Footprint;
            if (version.Lease != 0 && ReferenceEquals(version, entry.Latest)) lessor.Attach(version.Lease, entry);
        }
    }

    /// <summary>Ends a restore: the revision, the compacted revision and the history above it, in any order.</summary>
    public void FinishRestore(long revision, long compactRevision, List<KeyVersion> history)
    {
        history.Sort(static (a, b) => a.ModRevision != b.ModRevision ? a.ModRevision.CompareTo(b.ModRevision) : a.Sub.CompareTo(b.Sub));
        History.Append(history);
        _revision = revision;
        _compactRevision = compactRevision;
        _published = new Published(_tree.Snapshot(), revision);
    }

    /// <summary>Mistakes that tests put back.</summary>
    public KnownBugs Bugs { get; set; }

    internal KeyTreeView WriterView => _tree.Current;

    /// <summary>Adds a version on top of its entry; called by <see cref="MvccWriter"/>.</summary>
    internal KeyVersion Add(ReadOnlySpan<byte> key, KeyEntry? entry, Func<KeyEntry, KeyVersion> make)
    {
        entry ??= _tree.GetOrAdd(key, out _);
        var previous = entry.Latest;
        var version = make(entry);
        version.Previous = previous;
        entry.Latest = version;
        _unpublished.Add(version);
        Volatile.Write(ref _bytes, _bytes + version.Footprint);
        var oldLease = previous is { IsTombstone: false } ? previous.Lease : 0;
        if (oldLease != version.Lease)
        {
            if (oldLease != 0) lessor.Detach(oldLease, entry);
            if (version.Lease != 0) lessor.Attach(version.Lease, entry);
        }

        return version;
    }

    internal void Finish(long main) => _revision = main;

    /// <summary>Drops versions of a key that no revision from the bound on can see; true when the key itself went.</summary>
    private bool Cut(KeyEntry entry, long revision)
    {
        if (entry.At(revision) is not { } keep) return false;
        var dead = keep.Previous;
        keep.Previous = null;
        for (; dead is not null; dead = dead.Previous) _bytes -= dead.Footprint;
        if (!keep.IsTombstone) return false;
        if (ReferenceEquals(entry.Latest, keep))
        {
            if (!ReferenceEquals(_tree.Current.Find(entry.Key), entry)) return false; // cut before
            _bytes -= keep.Footprint;
            return _tree.Remove(entry.Key);
        }

        // The tombstone lies under newer versions: nobody can see it any more.
        for (var version = entry.Latest!; ; version = version.Previous!)
        {
            if (!ReferenceEquals(version.Previous, keep)) continue;
            version.Previous = null;
            _bytes -= keep.Footprint;
            return false;
        }
    }

    private List<KeyVersion> Rest(KeyVersion first)
    {
        var versions = new List<KeyVersion>();
        _ = History.Read(first.ModRevision, first.ModRevision, int.MaxValue, versions);
        return versions;
    }
}
