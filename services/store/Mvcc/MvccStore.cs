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
    private readonly List<long> _holds = []; // revisions that captures being written out hold compaction at
    private long _captured = long.MaxValue;  // revision of the newest snapshot
    private List<KeyVersion> _carried = [];  // newer than that, gone from the history, and still needed by the next increment
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

    /// <summary>Compacts no further than the revision until <see cref="Release"/>: a replay on top of a capture must find every key's numbers. Applier only.</summary>
    public void Hold(long revision) => _holds.Add(revision);

    /// <summary>Ends a hold. Applier only.</summary>
    public void Release(long revision) => _holds.Remove(revision);

    /// <summary>Revision of the newest snapshot, after which the next increment begins.</summary>
    public long CapturedRevision => _captured;

    /// <summary>A snapshot of the revision is on disk. Applier only.</summary>
    public void Captured(long revision) => (_captured, _carried) = (revision, []);

    /// <summary>
    /// What was written after the newest snapshot up to the revision, in order, as far as it is needed to have the state at the compact revision and later. To be
    /// read while compaction is held at <see cref="CapturedRevision"/>.
    /// </summary>
    public IEnumerable<KeyVersion> Changes(long revision, long compactRevision)
    {
        foreach (var version in _carried)
        {
            if (Needed(version, version.Entry.OldestAt(compactRevision))) yield return version;
        }

        var slice = new List<KeyVersion>();
        for (var from = _captured + 1; from <= revision;)
        {
            slice.Clear();
            from = History.Read(from, revision, 1000, slice);
            foreach (var version in slice)
            {
                if (version.ModRevision >= compactRevision || Needed(version, version.Entry.OldestAt(compactRevision))) yield return version;
            }
        }
    }

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

            var keep = version.Entry.OldestAt(_scheduledCompaction);
            removed |= Cut(version.Entry, keep, _scheduledCompaction);
            if (version.ModRevision == _scheduledCompaction)
            {
                // The compacted revision itself stays readable for watches that begin at it.
                foreach (var rest in Rest(version)) removed |= Cut(rest.Entry, rest.Entry.OldestAt(_scheduledCompaction), _scheduledCompaction);
                _scheduledCompaction = -1;
                break;
            }

            if (version.ModRevision > _captured && Needed(version, keep) && !Bugs.HasFlag(KnownBugs.ForgetCompacted)) _carried.Add(version);
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

    /// <summary>The entry of a key that a snapshot holds. Before the first publish only.</summary>
    public KeyEntry RestoreKey(ReadOnlySpan<byte> key) => _tree.GetOrAdd(key, out _);

    /// <summary>The oldest version that a restore has put back so far, or null.</summary>
    public static KeyVersion? Oldest(KeyEntry entry)
    {
        var version = entry.Latest;
        while (version?.Previous is { } below) version = below;
        return version;
    }

    /// <summary>Whether anybody can see, from the compact revision on, a key's version that lies below this one; null: nothing lies above it.</summary>
    public static bool IsSeenBelow(KeyVersion? newer, long revision, long compactRevision) =>
        newer is null || newer.ModRevision > compactRevision || revision == compactRevision;

    /// <summary>Puts back a version below the <see cref="Oldest"/> of its key. Before the first publish only.</summary>
    public void RestoreVersion(KeyVersion version, KeyVersion? newer)
    {
        if (newer is null) version.Entry.Latest = version;
        else newer.Previous = version;
        _packer.Add(version);
    }

    /// <summary>Ends a restore: history, leases and the count of bytes follow from the versions.</summary>
    public void FinishRestore(long revision, long compactRevision)
    {
        var history = new List<KeyVersion>();
        var dead = new List<KeyEntry>();
        var walk = _tree.Current.Walk(KeyRange.Everything);
        while (walk.MoveNext())
        {
            var entry = walk.Current;
            if (Gone(entry.Latest))
            {
                dead.Add(entry);
                continue;
            }

            if (entry.Latest is { Lease: not 0 } leased) lessor.Attach(leased.Lease, entry);
            for (var version = entry.Latest; version is not null; version = version.Previous)
            {
                _bytes += version.Footprint;
                if (version.ModRevision >= compactRevision) history.Add(version);
                if (Gone(version.Previous)) version.Previous = null;
            }
        }

        foreach (var entry in dead) _tree.Remove(entry.Key);
        history.Sort(static (a, b) => a.ModRevision != b.ModRevision ? a.ModRevision.CompareTo(b.ModRevision) : a.Sub.CompareTo(b.Sub));
        History.Append(history);
        (_revision, _compactRevision, _captured) = (revision, compactRevision, revision);
        _published = new Published(_tree.Snapshot(), revision);

        bool Gone(KeyVersion? version) => version is { IsTombstone: true } && version.ModRevision < compactRevision;
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

    /// <summary>
    /// Whether an increment must have a version that is older than a compaction, of whose key the compaction keeps <paramref name="keep"/>: that one itself, and a deletion that
    /// nothing followed until then, or files before would bring back what was deleted.
    /// </summary>
    private static bool Needed(KeyVersion version, KeyVersion? keep) => keep is null ? version.IsTombstone : ReferenceEquals(keep, version);

    /// <summary>Drops versions of a key that no revision from the bound on can see but <paramref name="keep"/>, the oldest that is needed; true when the key itself went.</summary>
    private bool Cut(KeyEntry entry, KeyVersion? keep, long revision)
    {
        if (keep is null) return false;
        var dead = keep.Previous;
        keep.Previous = null;
        for (; dead is not null; dead = dead.Previous) _bytes -= dead.Footprint;
        // A deletion at the bound itself stays for watches that begin there; the next compaction takes it.
        if (!keep.IsTombstone || keep.ModRevision == revision) return false;
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
