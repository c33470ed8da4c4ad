using Mesh.Store.Commit;
using Microsoft.Extensions.Logging;

namespace Mesh.Store;

/// <summary>Notes on disk how far long leases have run down, so that a restart does not give them their full time again. No long lease, no timer.</summary>
internal sealed class LeaseCheckpoints : IDisposable
{
    private readonly TimeSpan _interval;
    private readonly StoreEngine _engine;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private bool _armed;
    private bool _disposed;

    public LeaseCheckpoints(StoreOptions options, StoreEngine engine, TimeProvider time, ILogger logger)
    {
        (_interval, _engine, _logger) = (options.LeaseCheckpointInterval, engine, logger);
        _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A lease may have been granted.</summary>
    public void Note()
    {
        if (_interval <= TimeSpan.Zero) return;
        lock (_lock)
        {
            if (_armed || _disposed || !_engine.Lessor.AnyLongerThan(_interval)) return;
            _armed = true;
            _timer.Change(_interval, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock) _disposed = true;
        _timer.Dispose();
    }

    private void OnTimer()
    {
        lock (_lock) _armed = false;
        Note();
        var due = _engine.Lessor.DueCheckpoints(_interval);
        if (due.Count > 0) _ = WriteAsync(due);
    }

    private async Task WriteAsync(List<(long, long)> due)
    {
        try
        {
            await _engine.ProposeAsync(new LeaseCheckpointCommand(due));
        }
        catch (StoreException e)
        {
            Log.CheckpointFailed(_logger, e);
        }
    }
}
