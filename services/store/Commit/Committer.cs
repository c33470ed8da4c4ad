using Mesh.Store.Files;
using Mesh.Store.Mvcc;
using Mesh.Store.Wal;

namespace Mesh.Store.Commit;

/// <summary>
/// The one thread that writes. Each round it takes every queued proposal, (1) appends them to the log, (2) makes the log durable with one fdatasync,
/// (3) applies them in order, (4) publishes the new revision, hands the new versions to the watches and answers the callers, (5) does what may only be
/// done between batches: captures for snapshots, and a slice of compaction. With nothing queued it sleeps without a timer.
/// </summary>
internal sealed class Committer : IDisposable
{
    private const int MaxBatchBytes = 8 << 20;
    private const int CompactionSlice = 2000;

    private readonly WriteAheadLog _log;
    private readonly StateMachine _machine;
    private readonly Action<List<KeyVersion>, long> _published;
    private readonly Action<Exception> _failed;
    private readonly Thread _thread;
    private readonly Lock _fill = new();
    private readonly SemaphoreSlim _wake = new(0);
    private List<object> _queue = []; // Proposal or Action
    private bool _sleeping;
    private bool _stopping;
    private Exception? _failure;

    public Committer(WriteAheadLog log, StateMachine machine, Action<List<KeyVersion>, long> published, Action<Exception> failed)
    {
        (_log, _machine, _published, _failed) = (log, machine, published, failed);
        _thread = new Thread(Run) { Name = "store-committer", IsBackground = true };
    }

    /// <summary>Why the committer gave up, or null. After that nothing in memory is to be trusted beyond what was published.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Set when the last batch was refused because the disk is full.</summary>
    public bool DiskFull { get; private set; }

    public void Start() => _thread.Start();

    /// <summary>Queues a command; the task ends when it is durable and applied, or refused.</summary>
    public ValueTask<object> Propose(object command, ReadOnlyMemory<byte> payload)
    {
        var proposal = new Proposal(command, payload);
        Enqueue(proposal);
        return proposal.Task;
    }

    /// <summary>Runs something on the committer's thread between batches.</summary>
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
        _wake.Release();
        if (_thread.IsAlive && Thread.CurrentThread != _thread) _thread.Join();
        _wake.Dispose();
        _log.Dispose();
    }

    private void Enqueue(object item)
    {
        bool wake;
        lock (_fill)
        {
            if (_stopping || _failure is not null) throw Refusals.Stopped;
            _queue.Add(item);
            wake = _sleeping;
            _sleeping = false;
        }

        if (wake) _wake.Release();
    }

    private void Run()
    {
        var spare = new List<object>();
        var batch = new List<Proposal>();
        while (true)
        {
            var (items, stopping) = Take(spare, wait: !_machine.Store.CompactionPending);
            if (items.Count == 0 && stopping) return;
            try
            {
                for (var at = 0; at < items.Count;) at = Round(items, at, batch);
                if (_machine.Store.CompactionPending) _machine.Store.CompactStep(CompactionSlice);
            }
            catch (Exception e)
            {
                Fail(e, items);
                return;
            }

            items.Clear();
            spare = items;
        }
    }

    private (List<object> Items, bool Stopping) Take(List<object> spare, bool wait)
    {
        while (true)
        {
            lock (_fill)
            {
                if (_queue.Count > 0 || _stopping || !wait)
                {
                    var items = _queue;
                    _queue = spare;
                    _sleeping = false;
                    return (items, _stopping);
                }

                _sleeping = true;
            }

            _wake.Wait();
        }
    }

    /// <summary>One batch from <paramref name="items"/>, beginning at <paramref name="at"/>; returns where the next begins.</summary>
    private int Round(List<object> items, int at, List<Proposal> batch)
    {
        batch.Clear();
        for (; at < items.Count && _log.StagedBytes < MaxBatchBytes; at++)
        {
            if (items[at] is not Proposal proposal) break;
            _log.Stage(CommandCodec.TypeOf(proposal.Command), proposal.Payload.Span);
            batch.Add(proposal);
        }

        if (batch.Count > 0) Commit(batch);
        for (; at < items.Count && items[at] is Action work; at++) work();
        return at;
    }

    private void Commit(List<Proposal> batch)
    {
        try
        {
            _log.Commit();
            DiskFull = false;
        }
        catch (DiskFullException)
        {
            DiskFull = true;
            foreach (var proposal in batch)
            {
                proposal.Set(Refusals.NoSpace);
                proposal.Complete();
            }

            return;
        }

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
        foreach (var proposal in batch) proposal.Complete();
    }

    /// <summary>A failed write or fdatasync: what is on disk is unknown, so nobody is answered "done" and nothing more is taken.</summary>
    private void Fail(Exception e, List<object> items)
    {
        List<object> waiting;
        lock (_fill)
        {
            _failure = e;
            waiting = _queue;
            _queue = [];
        }

        _failed(e);
        foreach (var item in items.Concat(waiting))
        {
            if (item is Proposal proposal)
            {
                proposal.Set(Refusals.Stopped);
                try
                {
                    proposal.Complete();
                }
                catch (InvalidOperationException)
                {
                    // answered before the failure
                }
            }
            else
            {
                ((Action)item)();
            }
        }
    }
}
