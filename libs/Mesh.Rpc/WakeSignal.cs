using System.Threading.Tasks.Sources;

namespace Mesh.Rpc;

/// <summary>
/// Wakes one waiter, such as the sender of a stream; wakings that come before it has gone on are one. Waiting takes no memory. On the pool the waiter goes on from the waking
/// thread's own queue, so before what queues for all threads: an event does not wait behind the requests that came after it.
/// </summary>
public sealed class WakeSignal : IValueTaskSource
{
    private const int Idle = 0;
    private const int Waiting = 1;
    private const int IsSet = 2;

    private ManualResetValueTaskSourceCore<bool> _core; // queues to the thread's own queue
    private int _state;

    /// <summary>Returns when there was a waking since it returned last. One caller at a time.</summary>
    public ValueTask WaitAsync()
    {
        _core.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle) return new ValueTask(this, _core.Version);
        Volatile.Write(ref _state, Idle);
        return ValueTask.CompletedTask;
    }

    /// <summary>Makes the wait return, this one or the next.</summary>
    /// <param name="here">The waiter goes on within this call: only where no lock is held and what it does next is short. Else on the pool.</param>
    public void Set(bool here = false)
    {
        if (Interlocked.Exchange(ref _state, IsSet) != Waiting) return;
        _core.RunContinuationsAsynchronously = !here;
        _core.SetResult(true);
    }

    /// <inheritdoc/>
    void IValueTaskSource.GetResult(short token)
    {
        _core.GetResult(token);
        Volatile.Write(ref _state, Idle);
    }

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _core.OnCompleted(continuation, state, token, flags);
}
