using Mesh.Rpc;
using Mesh.Store.Files;
using Mesh.Store.Mvcc;
using Mesh.Store.Wal;

namespace Mesh.Store.Commit;

/// <summary>
/// One writer at a time. Each round takes every queued proposal, (1) appends them to the log, (2) makes the log durable with one fdatasync,
/// (3) applies them in order, (4) publishes the new revision, leaves the new versions for the watches, (5) does what may only be
/// done between batches: captures for snapshots, and a slice of compaction; (6) feeds the watches and answers the callers, what goes to one connection in one send. There is no writer thread: whoever finds the writer's seat empty takes it for one
/// round, so a lone caller's put costs no switch of threads; what came in meanwhile is the next round, on the pool. With nothing queued nothing runs.
/// </summary>
internal sealed class Committer : IDisposable
{
    private const int MaxBatchBytes = 8 << 20;
    private const int CompactionSlice = 2000;
    private static readonly TimeSpan QuickSync = TimeSpan.FromMilliseconds(1);

    private readonly WriteAheadLog _log;
    private readonly StateMachine _machine;
    private readonly Action<List<KeyVersion>, long> _published;
    private readonly Action _answering;
    private readonly Action<Exception> _failed;
    private readonly Lock _fill = new();
    private readonly List<Proposal> _batch = [];
    private readonly KnownBugs _bugs;
    private readonly Action _writeDeferred;
    private List<object> _queue = []; // Proposal or Action
    private List<object> _spare = [];
    private bool _seated; // somebody writes, or is about to on the pool
    private bool _stopping;
    private Exception? _failure;

    public Committer(WriteAheadLog log, StateMachine machine, Action<List<KeyVersion>, long> published, Action answering, Action<Exception> failed, KnownBugs bugs = KnownBugs.None)
    {
        (_log, _machine, _published, _answering, _failed) = (log, machine, published, answering, failed);
        _bugs = bugs;
        _writeDeferred = WriteDeferred;
    }

    /// <summary>Why the committer gave up, or null. After that nothing in memory is to be trusted beyond what was published.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Set when the last batch was refused because the disk is full.</summary>
    public bool DiskFull { get; private set; }

    /// <summary>Goes on with a compaction that recovery left undone.</summary>
    public void Start() => Enqueue((Action)(static () => { }));

    /// <summary>
    /// Queues a command; the task ends when it is durable and applied, or refused. With a <paramref name="batch"/> the round waits for what else
    /// that connection has sent already, and the task's continuation runs on the writer's thread: it must be short and must not block.
    /// </summary>
    public ValueTask<object> Propose(object command, ReadOnlyMemory<byte> payload, ICallBatch? batch = null)
    {
        var proposal = new Proposal(command, payload, batch);
        Enqueue(proposal, batch);
        return proposal.Task;
    }

    /// <summary>Runs something between batches, alone with the state.</summary>
    public Task<T> BetweenBatches<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue((Action)(() =>
        {
            try
            {
                if (Failure is { } failure) throw failure;
                done.TrySetResult(work());
            }
            catch (Exception e)
            {
                done.TrySetException(e);
            }
        }));
        return done.Task;
    }

    public void Dispose()
    {
        lock (_fill) _stopping = true;
        // What is queued is still written and answered.
        while (true)
        {
            lock (_fill)
            {
                if (!_seated) break;
            }

            Thread.Sleep(1);
        }

        _log.Dispose();
    }

    private void Enqueue(object item, ICallBatch? batch = null)
    {
        lock (_fill)
        {
            if (_stopping || _failure is not null) throw Refusals.Stopped;
            _queue.Add(item);
            if (_seated) return;
            _seated = true;
        }

        if (batch is null) Write();
        else batch.Defer(_writeDeferred);
    }

    /// <summary>On a connection's own thread, which reads nothing meanwhile: that is cheaper than another thread as long as the disk is quick.</summary>
    private void WriteDeferred()
    {
        if (_log.SyncTime < QuickSync) Write();
        else ThreadPool.UnsafeQueueUserWorkItem(static committer => committer.Write(), this, preferLocal: false);
    }

    /// <summary>One round; the seat is ours when this begins.</summary>
    private void Write()
    {
        List<object> items;
        lock (_fill)
        {
            items = _queue;
            _queue = _spare;
        }

        var done = new List<Proposal>(items.Count);
        try
        {
            for (var at = 0; at < items.Count;) at = Round(items, at, done);
            if (_machine.Store.CompactionPending) _machine.Store.CompactStep(CompactionSlice);
        }
        catch (Exception e)
        {
            Fail(e, items, done.Count);
            return;
        }

        items.Clear();
        _spare = items;
        var more = true;
        lock (_fill)
        {
            if (_queue.Count == 0 && (_stopping || !_machine.Store.CompactionPending)) _seated = more = false;
        }

        // The next round's fdatasync runs beside the answers of this one.
        if (more) ThreadPool.UnsafeQueueUserWorkItem(static committer => committer.Write(), this, preferLocal: false);
        Answer(done, _answering);
    }

    /// <summary>One batch from <paramref name="items"/>, beginning at <paramref name="at"/>; returns where the next begins.</summary>
    private int Round(List<object> items, int at, List<Proposal> done)
    {
        _batch.Clear();
        for (; at < items.Count && _log.StagedBytes < MaxBatchBytes; at++)
        {
            if (items[at] is not Proposal proposal) break;
            _log.Stage(CommandCodec.TypeOf(proposal.Command), proposal.Payload.Span);
            _batch.Add(proposal);
        }

        if (_batch.Count > 0)
        {
            Commit(_batch);
            done.AddRange(_batch);
        }

        for (; at < items.Count && items[at] is Action work; at++) work();
        return at;
    }

    private void Commit(List<Proposal> batch)
    {
        if (_bugs.HasFlag(KnownBugs.ApplyBeforeLog))
        {
            Apply(batch);
            Append(batch);
        }
        else if (Append(batch))
        {
            Apply(batch);
        }
    }

    /// <summary>False when the disk is full: the batch is refused, nothing of it was written.</summary>
    private bool Append(List<Proposal> batch)
    {
        try
        {
            _log.Commit();
            DiskFull = false;
            return true;
        }
        catch (DiskFullException)
        {
            DiskFull = true;
            foreach (var proposal in batch) proposal.Set(Refusals.NoSpace);
            return false;
        }
    }

    private void Apply(List<Proposal> batch)
    {
        foreach (var proposal in batch)
        {
            try
            {
                proposal.Set(_machine.Apply(proposal.Command));
            }
            catch (StoreException refusal)
            {
                proposal.Set(refusal);
            }
        }

        var versions = _machine.Store.Publish();
        if (versions.Count > 0) _published(versions, _machine.Store.WriterRevision);
    }

    private static void Answer(List<Proposal> done, Action answering)
    {
        foreach (var proposal in done) proposal.Batch?.Hold();
        answering();
        foreach (var proposal in done) proposal.Complete();
        foreach (var proposal in done) proposal.Batch?.Release();
    }

    /// <summary>
    /// A failed write or fdatasync: what is on disk is unknown, so nobody beyond the first <paramref name="done"/> is answered "done" and nothing more is taken.
    /// </summary>
    private void Fail(Exception e, List<object> items, int done)
    {
        List<object> waiting;
        lock (_fill)
        {
            _failure = e;
            waiting = _queue;
            _queue = [];
            _seated = false;
        }

        // On another thread: whoever is told may end the process and wait for this one.
        ThreadPool.UnsafeQueueUserWorkItem(static told => told._failed(told.Failure!), this, preferLocal: false);
        var proposals = items.Concat(waiting).OfType<Proposal>().ToList();
        foreach (var proposal in proposals.Skip(done)) proposal.Set(Refusals.Stopped);
        Answer(proposals, static () => { });
        // They see the failure; those of the round that ran before it do nothing twice.
        foreach (var work in items.Concat(waiting).OfType<Action>()) work();
    }
}
