namespace Mesh.Rpc.Lean;

/// <summary>
/// Pings the server of a connection with calls under way when it was silent for an interval; one that stays silent is gone. Without calls no timer runs.
/// </summary>
internal sealed class KeepAlive : IDisposable
{
    private readonly ClientOutput _output;
    private readonly MeshChannelOptions _options;
    private readonly Action<Exception> _gone;
    private readonly Lock _lock = new();
    private readonly Timer _timer;
    private volatile bool _heard;
    private bool _running;
    private bool _pinged;
    private bool _disposed;

    public KeepAlive(ClientOutput output, MeshChannelOptions options, Action<Exception> gone)
    {
        (_output, _options, _gone) = (output, options, gone);
        _timer = new Timer(static k => ((KeepAlive)k!).Tick(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>There is a call again.</summary>
    public void Start()
    {
        if (Volatile.Read(ref _running)) return;
        lock (_lock)
        {
            if (_running || _disposed) return;
            (_running, _pinged) = (true, false);
            _timer.Change(_options.KeepAliveInterval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Something came from the server.</summary>
    public void Heard() => _heard = true;

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer.Dispose();
        }
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (_disposed) return;
            if (_output.IsIdle)
            {
                // A call that comes now starts it again: it sees either the flag or us here.
                Volatile.Write(ref _running, false);
                if (!_output.IsIdle) Restart();
                return;
            }

            if (_heard)
            {
                Restart();
                return;
            }

            if (!_pinged)
            {
                _pinged = true;
                _output.Frame(Http2Frame.Ping, 0, 0, new byte[8]);
                _timer.Change(_options.KeepAliveTimeout, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        _gone(new IOException("the server does not answer pings"));
    }

    private void Restart()
    {
        (_running, _heard, _pinged) = (true, false, false);
        _timer.Change(_options.KeepAliveInterval, Timeout.InfiniteTimeSpan);
    }
}
