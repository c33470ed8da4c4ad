using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Scheduler.Constraints;

namespace Mesh.Scheduler.Queue;

/// <summary>
/// Pods that wait: active (ready), back-off (1 s, doubled to 10 s), unschedulable (until the cluster changes, five minutes at most), and
/// gated. A change of the cluster moves unschedulable pods on; one that comes while a pod is being tried counts for that pod too. Another
/// pod's coming or change moves only those whose constraints heed it.
/// </summary>
internal sealed class SchedulingQueue(TimeProvider time)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxUnschedulable = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, QueuedPod> _pods = [];

    // Pods with constraints on other pods; those that have left are taken out when a change comes by.
    private readonly HashSet<QueuedPod> _heeding = [];

    // Entries that have moved on meanwhile are passed over when they come up.
    private readonly PriorityQueue<QueuedPod, (int Priority, long Since)> _active = new();
    private readonly PriorityQueue<QueuedPod, long> _backoff = new();
    private TaskCompletionSource _changed = NewSignal();
    private long _moves;

    /// <summary>How many pods are in a part.</summary>
    public int Count(QueuePart part)
    {
        lock (_lock) return _pods.Values.Count(p => p.Part == part);
    }

    /// <summary>A pod that has no node yet, new or changed.</summary>
    public void Set(Pod pod)
    {
        var gated = pod.Spec?.SchedulingGates is { Count: > 0 };
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var key = ObjectKey.Of(pod);
            if (_pods.TryGetValue(key, out var known) && known.Uid == pod.Metadata.Uid)
            {
                var changed = known.Update(pod);
                if (known.Blueprint.IsConstrained) _heeding.Add(known);
                if (known.Part == QueuePart.Gated && !gated) Activate(known, now);
                else if (known.Part == QueuePart.Unschedulable && changed) MoveOn(known, now);
                return;
            }

            var added = _pods[key] = new QueuedPod(pod, now);
            if (added.Blueprint.IsConstrained) _heeding.Add(added);
            if (gated) added.Part = QueuePart.Gated;
            else Activate(added, now);
        }
    }

    /// <summary>The pod is bound or gone.</summary>
    public void Remove(ObjectKey key, string? uid)
    {
        lock (_lock)
        {
            if (_pods.TryGetValue(key, out var known) && (uid is null || known.Uid == uid)) _pods.Remove(key);
        }
    }

    /// <summary>Forgets the pods that another shard has now.</summary>
    public void RemoveWhere(Func<QueuedPod, bool> lost)
    {
        lock (_lock)
        {
            foreach (var pod in _pods.Values.Where(lost).ToArray()) _pods.Remove(pod.Key);
        }
    }

    /// <summary>Takes the next pod and those right behind it that can be placed in the same run; empty when none is ready.</summary>
    public IReadOnlyList<QueuedPod> PopRun(int max)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            Flush(now);
            var run = new List<QueuedPod>();
            while (run.Count < max && _active.TryPeek(out var next, out _))
            {
                if (next.Part != QueuePart.Active || !IsCurrent(next))
                {
                    _active.Dequeue();
                    continue;
                }

                if (run.Count > 0 && next.Blueprint.Signature != run[0].Blueprint.Signature) break;
                _active.Dequeue();
                next.Part = QueuePart.InFlight;
                next.Attempts++;
                next.MovesAtPop = _moves;
                next.Disturbed = false;
                run.Add(next);
            }

            return run;
        }
    }

    /// <summary>A pod that was tried fits nowhere: waits for a change, or for its back-off when there was one during the try.</summary>
    public void Unschedulable(QueuedPod pod) => Return(pod, null);

    /// <summary>A pod that was placed could not be bound: tried again after its back-off.</summary>
    public void Retry(QueuedPod pod) => Return(pod, QueuePart.Backoff);

    /// <summary>The cluster changed so that pods may fit now.</summary>
    public void MoveAll()
    {
        lock (_lock)
        {
            _moves++;
            var now = time.GetUtcNow();
            foreach (var pod in _pods.Values)
            {
                if (pod.Part == QueuePart.Unschedulable) MoveOn(pod, now);
            }
        }
    }

    /// <summary>A pod came to a node or changed there: those that heed it may fit now.</summary>
    public void MoveHeeding(PodIdentity pod) => MoveHeeding(p => p.Blueprint.Constraints!.Heeds(pod));

    /// <summary>Something came or changed that any constraint may heed.</summary>
    public void MoveHeeding() => MoveHeeding(_ => true);

    /// <summary>Completes when a pod may have become ready: something was activated, or the next back-off has ended.</summary>
    public async Task WaitAsync(CancellationToken ct)
    {
        Task changed;
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            Flush(now);
            while (_active.TryPeek(out var next, out _) && (next.Part != QueuePart.Active || !IsCurrent(next))) _active.Dequeue();
            if (_active.Count > 0) return;
            wait = _pods.Values.Any(p => p.Part == QueuePart.Unschedulable) ? TimeSpan.FromSeconds(30) : Timeout.InfiniteTimeSpan;
            if (_backoff.TryPeek(out _, out var ticks))
            {
                var until = new DateTimeOffset(ticks, TimeSpan.Zero) - now;
                wait = until > TimeSpan.FromMilliseconds(1) ? until : TimeSpan.FromMilliseconds(1);
            }

            if (_changed.Task.IsCompleted) _changed = NewSignal();
            changed = _changed.Task;
        }

        // An idle scheduler has no timer running.
        try
        {
            await changed.WaitAsync(wait, time, ct);
        }
        catch (TimeoutException)
        {
        }
    }

    /// <summary>Back-off after so many tries.</summary>
    internal static TimeSpan Backoff(int attempts)
    {
        var backoff = FirstBackoff * Math.Pow(2, Math.Max(0, Math.Min(attempts, 10) - 1));
        return backoff < MaxBackoff ? backoff : MaxBackoff;
    }

    private void Return(QueuedPod pod, QueuePart? part)
    {
        lock (_lock)
        {
            part ??= pod.MovesAtPop != _moves || pod.Disturbed ? QueuePart.Backoff : QueuePart.Unschedulable;
            if (!IsCurrent(pod) || pod.Part != QueuePart.InFlight) return;
            var now = time.GetUtcNow();
            pod.Since = now;
            pod.BackoffUntil = now + Backoff(pod.Attempts);
            if (part == QueuePart.Unschedulable) pod.Part = QueuePart.Unschedulable;
            else MoveOn(pod, now);
        }
    }

    private void MoveHeeding(Func<QueuedPod, bool> heeds)
    {
        lock (_lock)
        {
            if (_heeding.Count == 0) return;
            _heeding.RemoveWhere(p => !IsCurrent(p) || !p.Blueprint.IsConstrained);
            var now = time.GetUtcNow();
            foreach (var pod in _heeding)
            {
                if (pod.Part is not (QueuePart.Unschedulable or QueuePart.InFlight) || !heeds(pod)) continue;
                if (pod.Part == QueuePart.Unschedulable) MoveOn(pod, now);
                else pod.Disturbed = true;
            }
        }
    }

    private void MoveOn(QueuedPod pod, DateTimeOffset now)
    {
        if (pod.BackoffUntil <= now)
        {
            Activate(pod, now);
            return;
        }

        pod.Part = QueuePart.Backoff;
        _backoff.Enqueue(pod, pod.BackoffUntil.UtcTicks);
        _changed.TrySetResult(); // the waiter must learn of an earlier end
    }

    private void Activate(QueuedPod pod, DateTimeOffset now)
    {
        pod.Part = QueuePart.Active;
        pod.Since = now;
        _active.Enqueue(pod, (-pod.Blueprint.Priority, now.UtcTicks));
        _changed.TrySetResult();
    }

    private void Flush(DateTimeOffset now)
    {
        while (_backoff.TryPeek(out var pod, out var ticks) && (pod.Part != QueuePart.Backoff || !IsCurrent(pod) || ticks <= now.UtcTicks))
        {
            _backoff.Dequeue();
            if (pod.Part == QueuePart.Backoff && IsCurrent(pod)) Activate(pod, now);
        }

        foreach (var pod in _pods.Values)
        {
            if (pod.Part == QueuePart.Unschedulable && now - pod.Since > MaxUnschedulable) Activate(pod, now);
        }
    }

    private bool IsCurrent(QueuedPod pod) => _pods.TryGetValue(pod.Key, out var known) && ReferenceEquals(known, pod);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
