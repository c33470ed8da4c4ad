using System.Security.Cryptography;
using Mesh.Rpc;
using Mesh.Store.Access;
using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Leases;
using Mesh.Store.Mvcc;
using Mesh.Store.Snapshots;
using Mesh.Store.Wal;
using Mesh.Store.Watching;
using Mesh.Store.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.Store;

/// <summary>
/// The whole store of one data directory: log, index, leases, watches. Opening recovers; disposing stops the committer. Lock order, from first to last:
/// watch gate → history → lease lock; the committer's queue lock and the hub's inbox lock are leaves.
/// </summary>
internal sealed class StoreEngine : IAsyncDisposable
{
    private readonly StoreOptions _options;
    private readonly IStoreFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly StateMachine _machine;
    private readonly WriteAheadLog _log;
    private readonly Committer _committer;
    private readonly Snapshotter _snapshots;
    private readonly Compactor _compactor;
    private readonly LeaseCheckpoints _checkpoints;
    private int _raisingNoSpace;
    private int _disposed;
    private IDisposable? _held;

    private StoreEngine(StoreOptions options, IStoreFiles files, TimeProvider time, ILogger logger)
    {
        (_options, _files, _time, _logger) = (options, files, time, logger);
        _machine = new StateMachine(time);
        _machine.Store.Bugs = options.Bugs;
        var started = time.GetTimestamp();
        var snapshots = new SnapshotFiles(files, Path.Combine(options.DataDir, "snap"));
        var from = snapshots.Load(_machine);

        long replayed = 0, replayedBytes = 0;
        var identity = from?.Identity;
        _log = WriteAheadLog.Open(files, Path.Combine(options.DataDir, "wal"), options.SegmentBytes, identity, from?.Index ?? 0, record =>
        {
            Replay(record);
            replayed++;
            replayedBytes += RecordFormat.SizeOnDisk(record.Payload.Length);
        });
        Identity = _log.Identity == default ? NewIdentity() : _log.Identity;
        _log.Adopt(Identity);
        _log.SkipSync = options.Bugs.HasFlag(KnownBugs.SkipSync);
        Log.Recovered(logger, options.DataDir, _machine.Store.Published.Revision, _machine.Store.KeyCount, from?.Index ?? 0, replayed, time.GetElapsedTime(started).TotalMilliseconds);

        if (options.Bugs.HasFlag(KnownBugs.ReuseRevision)) _machine.Store.ForgetDeletions();

        Hub = new WatchHub(_machine.Store, Identity);
        _committer = new Committer(_log, _machine, OnPublished, Hub.Distribute, OnFailed, options.Bugs);
        _snapshots = new Snapshotter(options, snapshots, _log, _machine, Identity, time, logger) { Committer = _committer, Replayed = replayedBytes };
        _compactor = new Compactor(options, this, time, logger);
        _checkpoints = new LeaseCheckpoints(options, this, time, logger);
    }

    /// <summary>Raised once when log or disk failed: the process must restart from disk.</summary>
    public event Action<Exception>? Failed;

    public StoreIdentity Identity { get; }

    public MvccStore Store => _machine.Store;

    public Lessor Lessor => _machine.Lessor;

    public WatchHub Hub { get; }

    public AccessState Access => _machine.Access;

    /// <summary>Alarms raised; a full disk counts as NOSPACE for as long as it lasts, without a record (there is no room for one).</summary>
    public IReadOnlySet<int> Alarms => _committer.DiskFull ? new HashSet<int>(_machine.Alarms) { Alarm.NoSpace } : _machine.Alarms;

    public StoreOptions Options => _options;

    public LeaseCheckpoints Checkpoints => _checkpoints;

    public TimeProvider Time => _time;

    /// <summary>Index of the last durable record.</summary>
    public ulong DurableIndex => _log.DurableIndex;

    /// <summary>Why the store takes no more writes, or null.</summary>
    public Exception? Failure => _committer.Failure;

    /// <summary>Opens a data directory, recovers, and begins to serve.</summary>
    public static StoreEngine Open(StoreOptions options, IStoreFiles files, TimeProvider time, ILogger logger)
    {
        var held = files.Lock(options.DataDir);
        StoreEngine engine;
        try
        {
            engine = new StoreEngine(options, files, time, logger) { _held = held };
        }
        catch
        {
            held.Dispose();
            throw;
        }

        engine._committer.Start();
        engine.Lessor.Promote(engine.Expire);
        engine._compactor.Note(engine.Store.Published.Revision);
        engine._checkpoints.Note();
        return engine;
    }

    /// <summary>Sends a command through the log; the answer comes when it is on disk and applied.</summary>
    public ValueTask<object> ProposeAsync(object command, ReadOnlyMemory<byte> payload, ICallBatch? batch = null) => _committer.Propose(command, payload, batch);

    /// <summary>Sends a command of ours through the log.</summary>
    public ValueTask<object> ProposeAsync(object command) => _committer.Propose(command, CommandCodec.Encode(command));

    /// <summary>Refuses a growing write while the store is over its quota or has been told so by an alarm.</summary>
    public void EnsureSpace()
    {
        if (_machine.Alarms.Contains(Alarm.NoSpace)) throw Refusals.NoSpace;
        if (_options.QuotaBytes <= 0 || Store.SizeInBytes <= _options.QuotaBytes) return;
        RaiseNoSpace();
        throw Refusals.NoSpace;
    }

    /// <summary>A transaction; one that cannot write takes no place in the log.</summary>
    public async ValueTask<TxnReply> TxnAsync(TxnRequest request, ReadOnlyMemory<byte> payload, ICallBatch? batch = null) =>
        request.MayWrite ? (TxnReply)await ProposeAsync(request, payload, batch) : _machine.Txns.ReadOnlyTxn(request);

    /// <summary>Refuses reads below a revision; with <paramref name="physical"/> returns when the old versions are gone.</summary>
    public async Task<long> CompactAsync(long revision, bool physical)
    {
        await ProposeAsync(new CompactCommand(revision));
        while (physical && await _committer.BetweenBatches(() => Store.CompactionPending)) await Task.Yield();
        return Store.Published.Revision;
    }

    /// <summary>The state now, whole or what came since the newest snapshot; <see cref="ReleaseAsync"/> must follow.</summary>
    public Task<SnapshotCapture> CaptureAsync(SnapshotLink? follows = null) => _snapshots.CaptureAsync(follows);

    /// <summary>Ends a capture.</summary>
    public Task ReleaseAsync(SnapshotCapture capture) => _snapshots.ReleaseAsync(capture);

    /// <summary>Writes a snapshot now and drops the log before it; with <paramref name="whole"/> also the increments, which is what Defragment does.</summary>
    public Task SnapshotAsync(bool whole = false) => _snapshots.SnapshotAsync(whole);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        _compactor.Dispose();
        _checkpoints.Dispose();
        await _snapshots.DisposeAsync();
        _committer.Dispose();
        _machine.Dispose();
        _held?.Dispose();
    }

    private static StoreIdentity NewIdentity()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return new StoreIdentity(BitConverter.ToUInt64(bytes) | 1, BitConverter.ToUInt64(bytes[8..]) | 1);
    }

    private void Replay(LogRecord record)
    {
        object command;
        try
        {
            command = CommandCodec.Decode(record.Type, record.Payload);
        }
        catch (FormatException e)
        {
            throw new StoreCorruptException(_options.DataDir, 0, $"record {record.Index} holds its checksum but not its form: {e.Message}");
        }

        try
        {
            _ = _machine.Apply(command);
        }
        catch (StoreException)
        {
            // it was refused the first time, too
        }

        // History is needed in order, and compaction must not pile up in a long replay.
        _machine.Store.Publish();
        if (command is CompactCommand) _machine.Store.CompactStep(int.MaxValue);
    }

    private void OnPublished(List<KeyVersion> versions, long revision)
    {
        Hub.Publish(versions, revision);
        _compactor.Note(revision);
        _snapshots.Note();
    }

    private void OnFailed(Exception e)
    {
        Log.Failed(_logger, e);
        Failed?.Invoke(e);
    }

    private void RaiseNoSpace()
    {
        if (Interlocked.Exchange(ref _raisingNoSpace, 1) == 1) return;
        Log.QuotaExceeded(_logger, Store.SizeInBytes, _options.QuotaBytes);
        _ = RaiseAsync();

        async Task RaiseAsync()
        {
            try
            {
                await ProposeAsync(new AlarmCommand(Alarm.NoSpace, true));
            }
            catch (StoreException)
            {
                // disk full as well, or stopping: the refusal stands without the alarm's record
            }
            finally
            {
                Volatile.Write(ref _raisingNoSpace, 0);
            }
        }
    }

    private void Expire(IReadOnlyList<long> ids)
    {
        foreach (var id in ids) _ = ExpireAsync(id);

        async Task ExpireAsync(long id)
        {
            try
            {
                await ProposeAsync(new LeaseRevokeCommand(id));
            }
            catch (StoreException)
            {
                Lessor.Retry([id]);
            }
        }
    }
}

/// <summary>etcdserverpb.AlarmType.</summary>
internal static class Alarm
{
    public const int NoSpace = 1;
    public const int Corrupt = 2;
}
