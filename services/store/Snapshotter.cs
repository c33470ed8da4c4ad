using Mesh.Store.Commit;
using Mesh.Store.Snapshots;
using Mesh.Store.Wal;
using Microsoft.Extensions.Logging;

namespace Mesh.Store;

/// <summary>
/// Writes snapshots beside the running store: an increment (or a new base, see <see cref="SnapshotFiles.Next"/>) for every so many bytes of log, after which the log
/// they cover goes. Captures are taken between batches; writers never wait. Without writes nothing runs.
/// </summary>
internal sealed class Snapshotter(StoreOptions options, SnapshotFiles files, WriteAheadLog log, StateMachine machine, StoreIdentity identity, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>The log that a restart replays is at most this part of the live data (or <see cref="StoreOptions.SnapshotLogBytes"/>).</summary>
    private const int LiveParts = 16;

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _turn = new(1);
    private long _logBytesAtSnapshot;
    private Task _running = Task.CompletedTask;

    /// <summary>Where captures are taken; set before the first write.</summary>
    public required Committer Committer { get; init; }

    /// <summary>Log bytes that recovery found after the newest snapshot.</summary>
    public required long Replayed
    {
        init => _logBytesAtSnapshot = log.SizeInBytes - value;
    }

    /// <summary>More log has come since the last snapshot than a restart should replay. Between batches only.</summary>
    private bool Due => log.SizeInBytes - _logBytesAtSnapshot >= Math.Max(options.SnapshotLogBytes, machine.Store.SizeInBytes / LiveParts);

    /// <summary>Something was written. Between batches only.</summary>
    public void Note()
    {
        if (Due && Volatile.Read(ref _running).IsCompleted) Volatile.Write(ref _running, Task.Run(TryAsync));
    }

    /// <summary>The state now, whole or (with <paramref name="follows"/>) what came since the newest snapshot; <see cref="ReleaseAsync"/> must follow.</summary>
    public Task<SnapshotCapture> CaptureAsync(SnapshotLink? follows = null) => Committer.BetweenBatches(() =>
    {
        var store = machine.Store;
        var header = new SnapshotHeader(log.DurableIndex, store.WriterRevision, store.CompactRevision, identity) { Follows = follows };
        var held = follows is null ? header.Revision : store.CapturedRevision;
        store.Hold(held);
        return new SnapshotCapture(header, store.Published.View, machine.Lessor.Capture(), [.. machine.Alarms], machine.Access)
        {
            Changes = follows is null ? null : store.Changes(header.Revision, header.CompactRevision),
            Held = held,
            LogBytes = log.SizeInBytes,
        };
    });

    /// <summary>Ends a capture.</summary>
    public Task ReleaseAsync(SnapshotCapture capture) => Committer.BetweenBatches(() =>
    {
        machine.Store.Release(capture.Held);
        return true;
    });

    /// <summary>Writes a snapshot now, a base if asked to, and drops the log before it.</summary>
    public async Task SnapshotAsync(bool whole)
    {
        await _turn.WaitAsync(_stop.Token);
        try
        {
            var follows = whole ? null : files.Next(machine.Store.SizeInBytes, options.SnapshotLogBytes);
            var capture = await CaptureAsync(follows);
            try
            {
                await WriteAsync(capture);
            }
            finally
            {
                if (Committer.Failure is null) await ReleaseAsync(capture);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Stops after what is being written is given up.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Volatile.Read(ref _running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task WriteAsync(SnapshotCapture capture)
    {
        var (header, started) = (capture.Header, time.GetTimestamp());
        if (files.Chain is [.., var newest] && newest.Link.Index == header.Index && (header.Follows is not null || newest.Link.Place == 0))
        {
            await Committer.BetweenBatches(() => _logBytesAtSnapshot = capture.LogBytes);
            return;
        }

        var bytes = await Task.Factory.StartNew(() => files.Write(capture, _stop.Token), _stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Committer.BetweenBatches(() =>
        {
            machine.Store.Captured(header.Revision);
            var before = log.SizeInBytes;
            log.DeleteUpTo(header.Index);
            // What came in while the snapshot was written counts towards the next one.
            _logBytesAtSnapshot = capture.LogBytes - (before - log.SizeInBytes);
            return true;
        });
        if (header.Follows is null) files.RemoveOthers();
        Log.SnapshotWritten(logger, header.Place, header.Index, header.Revision, bytes, time.GetElapsedTime(started).TotalMilliseconds);
    }

    private async Task TryAsync()
    {
        try
        {
            // Under heavy writing the next one may be due when one is done; nobody else would look until the next write.
            do
            {
                await SnapshotAsync(whole: false);
            }
            while (await Committer.BetweenBatches(() => Due));
        }
        catch (Exception e)
        {
            // The log still has everything; the next try comes with more log.
            Log.SnapshotFailed(logger, e);
            if (Committer.Failure is null) await Committer.BetweenBatches(() => _logBytesAtSnapshot = log.SizeInBytes);
        }
    }
}
