using System.Diagnostics.CodeAnalysis;

namespace Mesh.Client;

/// <summary>
/// A queue of keys with client-go's promises: a key waiting is there once, however often it is added; a key being worked on
/// is never handed to a second worker, and when it was added meanwhile it comes back after <see cref="Done"/>.
/// </summary>
/// <remarks>
/// dirty: must be worked on. processing: some worker has it. ready: dirty and not processing, in order of arrival.
/// waiting: to be added later, the earliest time of a key wins. One lock guards all four; the semaphore counts ready.
/// </remarks>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Queue<TKey> _ready = new();
    private readonly HashSet<TKey> _dirty = [];
    private readonly Dictionary<TKey, long> _processing = [];
    private readonly Dictionary<TKey, long> _addedAt = [];
    private readonly PriorityQueue<TKey, DateTimeOffset> _waiting = new();
    private readonly Dictionary<TKey, DateTimeOffset> _waitingUntil = [];
    private readonly SemaphoreSlim _available = new(0);
    private readonly TimeProvider _time;
    private readonly IRateLimiter<TKey> _limiter;
    private readonly ITimer _timer;
    private readonly WorkQueueMetrics? _metrics;
    private readonly KeyValuePair<string, object?> _label;
    private DateTimeOffset _timerAt = DateTimeOffset.MaxValue;
    private bool _shutDown;

    /// <summary>A queue; the name is the metrics' label.</summary>
    public WorkQueue(string name, TimeProvider? time = null, IRateLimiter<TKey>? limiter = null, WorkQueueMetrics? metrics = null)
    {
        Name = name;
        _time = time ?? TimeProvider.System;
        _limiter = limiter ?? new ControllerRateLimiter<TKey>(_time);
        _timer = _time.CreateTimer(_ => MoveDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _label = new KeyValuePair<string, object?>("name", name);
        _metrics = metrics;
        _metrics?.Register(this, name, () => Count, Running);
    }

    /// <summary>The name given at construction.</summary>
    public string Name { get; }

    /// <summary>Keys ready to be taken.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _ready.Count;
        }
    }

    /// <summary>Asks for the key to be worked on.</summary>
    public void Add(TKey key)
    {
        lock (_gate) AddLocked(key);
    }

    /// <summary>Asks for the key to be worked on after the delay.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        lock (_gate)
        {
            if (_shutDown) return;
            if (delay <= TimeSpan.Zero)
            {
                AddLocked(key);
                return;
            }

            var due = _time.GetUtcNow() + delay;
            if (_waitingUntil.TryGetValue(key, out var at) && at <= due) return;
            _waitingUntil[key] = due;
            _waiting.Enqueue(key, due);
            if (due < _timerAt) SetTimer(due);
        }
    }

    /// <summary>Asks for a retry after the rate limiter's wait.</summary>
    public void AddRateLimited(TKey key)
    {
        _metrics?.Retry(_label);
        AddAfter(key, _limiter.When(key));
    }

    /// <summary>The key succeeded (or is given up): its next failure starts at the shortest wait.</summary>
    public void Forget(TKey key) => _limiter.Forget(key);

    /// <summary>Failures since the last <see cref="Forget"/>.</summary>
    public int Failures(TKey key) => _limiter.Failures(key);

    /// <summary>Waits for a key; false when the queue is shut down and drained. Every key taken must be given to <see cref="Done"/>.</summary>
    public async ValueTask<(bool Ok, TKey Key)> TakeAsync(CancellationToken ct = default)
    {
        await _available.WaitAsync(ct).ConfigureAwait(false);
        if (TryTakeLocked(out var key)) return (true, key);
        _available.Release(); // shut down: let the other workers see it too
        return (false, default!);
    }

    /// <summary>Takes a key if one is ready now.</summary>
    public bool TryTake([MaybeNullWhen(false)] out TKey key)
    {
        if (_available.Wait(0))
        {
            if (TryTakeLocked(out key)) return true;
            _available.Release();
        }

        key = default;
        return false;
    }

    /// <summary>The worker is finished with the key.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            if (_processing.Remove(key, out var started)) _metrics?.Worked(_label, _time.GetElapsedTime(started));
            if (_dirty.Contains(key)) MakeReady(key);
        }
    }

    /// <summary>Refuses new keys; takers drain what is ready and then see the end.</summary>
    public void ShutDown()
    {
        lock (_gate)
        {
            if (_shutDown) return;
            _shutDown = true;
            _waiting.Clear();
            _waitingUntil.Clear();
        }

        _available.Release();
    }

    /// <summary>Shuts down and stops the timer.</summary>
    public void Dispose()
    {
        ShutDown();
        _timer.Dispose();
        _metrics?.Unregister(this);
    }

    private bool TryTakeLocked([MaybeNullWhen(false)] out TKey key)
    {
        lock (_gate)
        {
            if (!_ready.TryDequeue(out key)) return false;
            _dirty.Remove(key);
            var now = _time.GetTimestamp();
            _processing[key] = now;
            if (_addedAt.Remove(key, out var added)) _metrics?.Waited(_label, _time.GetElapsedTime(added, now));
            return true;
        }
    }

    private void AddLocked(TKey key)
    {
        if (_shutDown || !_dirty.Add(key)) return;
        _metrics?.Added(_label);
        _addedAt.TryAdd(key, _time.GetTimestamp());
        if (!_processing.ContainsKey(key)) MakeReady(key);
    }

    private void MakeReady(TKey key)
    {
        _ready.Enqueue(key);
        _available.Release();
    }

    private void MoveDue()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            _timerAt = DateTimeOffset.MaxValue;
            while (_waiting.TryPeek(out var key, out var due))
            {
                // An entry that a shorter delay overtook is stale: its key was already added.
                var stale = !_waitingUntil.TryGetValue(key, out var at) || at != due;
                if (!stale && due > now)
                {
                    SetTimer(due);
                    return;
                }

                _waiting.Dequeue();
                if (stale) continue;
                _waitingUntil.Remove(key);
                AddLocked(key);
            }
        }
    }

    private void SetTimer(DateTimeOffset due)
    {
        _timerAt = due;
        var wait = due - _time.GetUtcNow();
        _timer.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait, Timeout.InfiniteTimeSpan);
    }

    private (double Total, double Longest) Running()
    {
        lock (_gate)
        {
            double total = 0, longest = 0;
            foreach (var started in _processing.Values)
            {
                var s = _time.GetElapsedTime(started).TotalSeconds;
                total += s;
                longest = Math.Max(longest, s);
            }

            return (total, longest);
        }
    }
}
