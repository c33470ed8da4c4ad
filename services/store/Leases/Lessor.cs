using Mesh.Store.Mvcc;

namespace Mesh.Store.Leases;

/// <summary>What a client asks about a lease. TTLs in seconds.</summary>
internal readonly record struct LeaseInfo(long Id, long Remaining, long Granted, List<byte[]> Keys);

/// <summary>A lease as a snapshot keeps it; remaining is 0 when no checkpoint was taken.</summary>
internal readonly record struct LeaseState(long Id, long Ttl, long Remaining);

/// <summary>
/// Leases, their keys and their deadlines. Grants, revocations and checkpoints come through the log; keep-alives do not: after a restart every lease
/// has its full time (or its last checkpoint) again, as with a new etcd leader. One timer stands at the earliest deadline and none when there is no lease.
/// Lock: <c>_lock</c> guards everything here, is taken last and held for moments.
/// </summary>
internal sealed class Lessor(TimeProvider time) : IDisposable
{
    /// <summary>Shorter leases are lengthened to this many seconds.</summary>
    public const long MinTtl = 2;

    /// <summary>Longest lease in seconds.</summary>
    public const long MaxTtl = 9_000_000_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, Lease> _leases = [];
    private readonly PriorityQueue<long, long> _deadlines = new(); // lease id by a deadline that may have moved on since
    private Action<IReadOnlyList<long>>? _expire;
    private ITimer? _timer;

    /// <summary>Number of leases.</summary>
    public int Count
    {
        get { lock (_lock) return _leases.Count; }
    }

    /// <summary>Creates a lease; returns its time to live in seconds. Applier only.</summary>
    public long Grant(long id, long ttl, long remaining = 0)
    {
        if (id == 0) throw Refusals.LeaseNotFound;
        if (ttl > MaxTtl) throw Refusals.LeaseTtlTooLarge;
        lock (_lock)
        {
            if (_leases.ContainsKey(id)) throw Refusals.LeaseExists;
            var lease = new Lease(id, Math.Max(ttl, MinTtl)) { Checkpoint = remaining };
            _leases.Add(id, lease);
            if (_expire is not null) Start(lease);
            return lease.Ttl;
        }
    }

    /// <summary>Forgets a lease; returns the keys that go with it, in order. Applier only.</summary>
    public List<KeyEntry> Revoke(long id)
    {
        lock (_lock)
        {
            if (!_leases.Remove(id, out var lease)) throw Refusals.LeaseNotFound;
            var keys = lease.Keys.ToList();
            keys.Sort(static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
            return keys;
        }
    }

    /// <summary>Whether a lease exists.</summary>
    public bool Exists(long id)
    {
        lock (_lock) return _leases.ContainsKey(id);
    }

    /// <summary>Notes how much time a lease had left. Applier only.</summary>
    public void SetCheckpoint(long id, long remaining)
    {
        lock (_lock)
        {
            if (_leases.TryGetValue(id, out var lease)) lease.Checkpoint = remaining;
        }
    }

    /// <summary>Gives a lease its full time again; returns it in seconds, or 0 when there is no such lease. <paramref name="hadCheckpoint"/>: a checkpoint must be cleared.</summary>
    public long Renew(long id, out bool hadCheckpoint)
    {
        lock (_lock)
        {
            hadCheckpoint = false;
            if (!_leases.TryGetValue(id, out var lease) || lease.Deadline <= Now) return 0; // run out: its revocation is on the way
            hadCheckpoint = lease.Checkpoint > 0;
            lease.Deadline = Now + lease.Ttl * TimeSpan.TicksPerSecond;
            return lease.Ttl;
        }
    }

    /// <summary>The state of a lease, or null.</summary>
    public LeaseInfo? Describe(long id, bool keys)
    {
        lock (_lock)
        {
            if (!_leases.TryGetValue(id, out var lease)) return null;
            var remaining = Math.Max(0, (lease.Deadline - Now) / TimeSpan.TicksPerSecond);
            return new LeaseInfo(id, remaining, lease.Ttl, keys ? lease.Keys.Select(k => k.Key).Order(Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b))).ToList() : []);
        }
    }

    /// <summary>Ids of all leases, in order.</summary>
    public List<long> List()
    {
        lock (_lock) return [.. _leases.Keys.Order()];
    }

    /// <summary>All leases for a snapshot.</summary>
    public List<LeaseState> Capture()
    {
        lock (_lock) return [.. _leases.Values.OrderBy(l => l.Id).Select(l => new LeaseState(l.Id, l.Ttl, l.Checkpoint))];
    }

    /// <summary>Leases that have run down by more than the interval since the last checkpoint: id and seconds left.</summary>
    public List<(long Id, long Remaining)> DueCheckpoints(TimeSpan interval)
    {
        lock (_lock)
        {
            var due = new List<(long, long)>();
            foreach (var lease in _leases.Values)
            {
                var left = Math.Max(1, (lease.Deadline - Now) / TimeSpan.TicksPerSecond);
                var known = lease.Checkpoint > 0 ? lease.Checkpoint : lease.Ttl;
                if (known - left >= (long)interval.TotalSeconds) due.Add((lease.Id, left));
            }

            return due;
        }
    }

    /// <summary>Whether any lease is longer than the interval, so that checkpoints are worth a timer.</summary>
    public bool AnyLongerThan(TimeSpan interval)
    {
        lock (_lock) return _leases.Values.Any(l => l.Ttl > interval.TotalSeconds);
    }

    public void Attach(long id, KeyEntry key)
    {
        lock (_lock)
        {
            if (_leases.TryGetValue(id, out var lease)) lease.Keys.Add(key);
        }
    }

    public void Detach(long id, KeyEntry key)
    {
        lock (_lock)
        {
            if (_leases.TryGetValue(id, out var lease)) lease.Keys.Remove(key);
        }
    }

    /// <summary>Starts the clocks: recovery is over. Expired ids go to the callback, which revokes them through the log and calls <see cref="Retry"/> when it cannot.</summary>
    public void Promote(Action<IReadOnlyList<long>> expire)
    {
        lock (_lock)
        {
            _expire = expire;
            _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            foreach (var lease in _leases.Values) Start(lease);
        }
    }

    /// <summary>Tries to expire the leases again in a second.</summary>
    public void Retry(IReadOnlyList<long> ids)
    {
        lock (_lock)
        {
            foreach (var id in ids)
            {
                if (_leases.ContainsKey(id)) _deadlines.Enqueue(id, Now + TimeSpan.TicksPerSecond);
            }

            Schedule();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _expire = null;
            _timer?.Dispose();
            _timer = null;
        }
    }

    private long Now => time.GetElapsedTime(0).Ticks;

    private void Start(Lease lease)
    {
        lease.Deadline = Now + (lease.Checkpoint > 0 ? lease.Checkpoint : lease.Ttl) * TimeSpan.TicksPerSecond;
        var first = !_deadlines.TryPeek(out _, out var next) || lease.Deadline < next;
        _deadlines.Enqueue(lease.Id, lease.Deadline);
        if (first) Schedule();
    }

    private void OnTimer()
    {
        var expired = new List<long>();
        Action<IReadOnlyList<long>>? expire;
        lock (_lock)
        {
            expire = _expire;
            while (_deadlines.TryPeek(out var id, out var at) && at <= Now)
            {
                _deadlines.Dequeue();
                if (!_leases.TryGetValue(id, out var lease)) continue;
                if (lease.Deadline > Now) _deadlines.Enqueue(id, lease.Deadline); // kept alive since
                else expired.Add(id);
            }

            Schedule();
        }

        if (expired.Count > 0) expire?.Invoke(expired);
    }

    private void Schedule()
    {
        // Revoked leases leave their ids behind; dropping them here keeps the timer from waking for nothing.
        while (_deadlines.TryPeek(out var id, out _) && !_leases.ContainsKey(id)) _deadlines.Dequeue();
        if (!_deadlines.TryPeek(out _, out var next)) return;
        var wait = Math.Max(0, next - Now) / TimeSpan.TicksPerMillisecond + 1;
        _timer?.Change(TimeSpan.FromMilliseconds(Math.Min(wait, int.MaxValue)), Timeout.InfiniteTimeSpan);
    }

    private sealed class Lease(long id, long ttl)
    {
        public long Id { get; } = id;
        public long Ttl { get; } = ttl;
        public long Checkpoint { get; set; }
        public long Deadline { get; set; }
        public HashSet<KeyEntry> Keys { get; } = [];
    }
}
