using Mesh.Store.Commit;
using Microsoft.Extensions.Logging;

namespace Mesh.Store;

/// <summary>
/// Automatic compaction. Works only on what was written: with no write since the last mark there is no timer, and an idle store writes nothing.
/// Periodic: every tenth of the retention it marks (time, revision) and compacts to the newest mark older than the retention.
/// </summary>
internal sealed class Compactor : IDisposable
{
    private readonly StoreOptions _options;
    private readonly StoreEngine _engine;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Queue<(long At, long Revision)> _marks = new();
    private readonly ITimer _timer;
    private readonly TimeSpan _step;
    private long _latest;
    private long _marked;
    private bool _armed;
    private bool _disposed;

    public Compactor(StoreOptions options, StoreEngine engine, TimeProvider time, ILogger logger)
    {
        (_options, _engine, _time, _logger) = (options, engine, time, logger);
        _step = options.AutoCompaction == AutoCompactionMode.Revision ? TimeSpan.FromSeconds(30) : options.AutoCompactionRetention / 10;
        _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A revision was written.</summary>
    public void Note(long revision)
    {
        if (_options.AutoCompaction == AutoCompactionMode.Off) return;
        Volatile.Write(ref _latest, revision);
        if (Volatile.Read(ref _armed)) return;
        lock (_lock)
        {
            if (_armed || _disposed) return;
            _armed = true;
            _timer.Change(_step, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock) _disposed = true;
        _timer.Dispose();
    }

    private void OnTimer()
    {
        long target = -1;
        lock (_lock)
        {
            if (_disposed) return;
            var latest = Volatile.Read(ref _latest);
            if (_options.AutoCompaction == AutoCompactionMode.Revision)
            {
                target = latest - _options.AutoCompactionRevisions;
                _armed = false;
            }
            else
            {
                var now = _time.GetTimestamp();
                if (latest > _marked)
                {
                    _marks.Enqueue((now, latest));
                    _marked = latest;
                }

                while (_marks.TryPeek(out var mark) && _time.GetElapsedTime(mark.At, now) >= _options.AutoCompactionRetention) target = _marks.Dequeue().Revision;
                _armed = _marks.Count > 0;
                if (_armed) _timer.Change(_step, Timeout.InfiniteTimeSpan);
            }
        }

        if (target > _engine.Store.CompactRevision && target > 1) _ = CompactAsync(target);
    }

    private async Task CompactAsync(long revision)
    {
        try
        {
            await _engine.ProposeAsync(new CompactCommand(revision));
            Log.Compacted(_logger, revision);
        }
        catch (StoreException)
        {
            // a client compacted further meanwhile, or the store stops: the next mark tries again
        }
    }
}
