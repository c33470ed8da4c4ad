namespace Mesh.Client;

/// <summary>Says how long a key that failed must wait before its next try.</summary>
public interface IRateLimiter<TKey>
    where TKey : notnull
{
    /// <summary>Counts one failure and gives the wait before the retry.</summary>
    TimeSpan When(TKey key);

    /// <summary>Forgets the key's failures: it succeeded, or is given up.</summary>
    void Forget(TKey key);

    /// <summary>Failures counted since the last <see cref="Forget"/>.</summary>
    int Failures(TKey key);
}

/// <summary>Doubles the wait of a key with every failure: client-go's per-item limiter (5 ms up to 1000 s by default).</summary>
public sealed class ItemBackoff<TKey>(TimeSpan? baseDelay = null, TimeSpan? maxDelay = null) : IRateLimiter<TKey>
    where TKey : notnull
{
    private readonly double _baseMs = (baseDelay ?? TimeSpan.FromMilliseconds(5)).TotalMilliseconds;
    private readonly double _maxMs = (maxDelay ?? TimeSpan.FromSeconds(1000)).TotalMilliseconds;
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly Lock _gate = new();

    /// <inheritdoc />
    public TimeSpan When(TKey key)
    {
        int n;
        lock (_gate)
        {
            n = _failures.GetValueOrDefault(key);
            _failures[key] = n + 1;
        }

        // 2^60 ms is already past any maximum: clamp the exponent so that nothing overflows.
        return TimeSpan.FromMilliseconds(Math.Min(_maxMs, _baseMs * Math.Pow(2, Math.Min(n, 60))));
    }

    /// <inheritdoc />
    public void Forget(TKey key)
    {
        lock (_gate) _failures.Remove(key);
    }

    /// <inheritdoc />
    public int Failures(TKey key)
    {
        lock (_gate) return _failures.GetValueOrDefault(key);
    }
}

/// <summary>A token bucket that hands out reservations: past the burst, callers wait for their turn at the given rate.</summary>
public sealed class TokenBucket
{
    private readonly double _perSecond;
    private readonly double _burst;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private double _tokens;
    private long _last;

    /// <summary>A bucket that starts full.</summary>
    public TokenBucket(double perSecond, int burst, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_perSecond, _burst, _tokens, _time) = (perSecond, burst, burst, time);
        _last = time.GetTimestamp();
    }

    /// <summary>Takes one token, if need be from the future, and gives the wait until it is there.</summary>
    public TimeSpan Reserve()
    {
        lock (_gate)
        {
            Refill();
            _tokens -= 1;
            return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens / _perSecond);
        }
    }

    /// <summary>Takes one token if there is one now.</summary>
    public bool TryTake()
    {
        lock (_gate)
        {
            Refill();
            if (_tokens < 1) return false;
            _tokens -= 1;
            return true;
        }
    }

    private void Refill()
    {
        var now = _time.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + (_time.GetElapsedTime(_last, now).TotalSeconds * _perSecond));
        _last = now;
    }
}

/// <summary>The longer of a key's own back-off and the queue's overall rate (10 a second, burst 100, as client-go's default).</summary>
public sealed class ControllerRateLimiter<TKey>(TimeProvider time, double perSecond = 10, int burst = 100) : IRateLimiter<TKey>
    where TKey : notnull
{
    private readonly ItemBackoff<TKey> _items = new();
    private readonly TokenBucket _bucket = new(perSecond, burst, time);

    /// <inheritdoc />
    public TimeSpan When(TKey key)
    {
        var item = _items.When(key);
        var overall = _bucket.Reserve();
        return item > overall ? item : overall;
    }

    /// <inheritdoc />
    public void Forget(TKey key) => _items.Forget(key);

    /// <inheritdoc />
    public int Failures(TKey key) => _items.Failures(key);
}
