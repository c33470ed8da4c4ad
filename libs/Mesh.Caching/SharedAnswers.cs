namespace Mesh.Caching;

/// <summary>
/// Answers of one kind, found out once for all processes. Asking the cache costs too, so both ways are timed, and the cache is asked only while that
/// is the quicker one; every <see cref="Recheck"/> one caller asks it all the same, to see.
/// </summary>
/// <typeparam name="T">An answer.</typeparam>
/// <param name="kind">Name of the kind, the head of every key.</param>
/// <param name="cache">Where answers are left.</param>
/// <param name="lifetime">How long an answer may be used. It may be shorter for one answer.</param>
/// <param name="write">An answer as bytes.</param>
/// <param name="read">Bytes as an answer; null when they are not one (another version wrote them).</param>
/// <param name="time">What is timed with.</param>
public sealed class SharedAnswers<T>(string kind, ISharedCache cache, TimeSpan lifetime, Func<T, byte[]> write, Func<byte[], T?> read, TimeProvider time)
    where T : class
{
    /// <summary>How often the cache is asked while that is the slower way.</summary>
    public static readonly TimeSpan Recheck = TimeSpan.FromSeconds(30);

    private readonly Cost making = new();
    private readonly Cost asking = new();
    private long recheckAt = time.GetTimestamp();

    /// <summary>Whether the cache is asked at present.</summary>
    public bool Asks => asking.Unknown || making.Unknown || asking.Ticks < making.Ticks;

    /// <summary>The answer: from the cache, else made and left there.</summary>
    /// <param name="state">What key, make and until are given.</param>
    /// <param name="key">All that the answer depends on.</param>
    /// <param name="make">Finds the answer out; null is no answer and is not left behind.</param>
    /// <param name="until">When this answer ends by itself; null: it does not.</param>
    /// <param name="ct">Ends the wait.</param>
    public async ValueTask<T?> GetAsync<TState>(
        TState state, Func<TState, string> key, Func<TState, CancellationToken, ValueTask<T?>> make, Func<T, DateTimeOffset?>? until, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(make);
        string? name = null;
        if (Asks || Due())
        {
            name = kind + ":" + key(state);
            var asked = time.GetTimestamp();
            var found = await cache.GetAsync(name, ct) is { } bytes ? read(bytes) : null;
            asking.Add(time.GetTimestamp() - asked);
            if (found is not null && (until?.Invoke(found) is not { } end || time.GetUtcNow() < end)) return found;
        }

        var began = time.GetTimestamp();
        var made = await make(state, ct);
        making.Add(time.GetTimestamp() - began);
        if (made is null || name is null) return made;
        var life = until?.Invoke(made) is { } ends && ends - time.GetUtcNow() < lifetime ? ends - time.GetUtcNow() : lifetime;
        if (life > TimeSpan.Zero) cache.Set(name, write(made), life);
        return made;
    }

    private bool Due()
    {
        var now = time.GetTimestamp();
        var at = Volatile.Read(ref recheckAt);
        return now >= at && Interlocked.CompareExchange(ref recheckAt, now + (long)(Recheck.TotalSeconds * time.TimestampFrequency), at) == at;
    }

    /// <summary>Mean of the last few measurements. A lost update of two threads costs one of them.</summary>
    private sealed class Cost
    {
        private double mean = double.NaN;

        public bool Unknown => double.IsNaN(Volatile.Read(ref mean));

        public double Ticks => Volatile.Read(ref mean);

        public void Add(long ticks)
        {
            var known = Volatile.Read(ref mean);
            Volatile.Write(ref mean, double.IsNaN(known) ? ticks : known + ((ticks - known) / 8));
        }
    }
}
