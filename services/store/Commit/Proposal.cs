using System.Threading.Tasks.Sources;
using Mesh.Rpc;

namespace Mesh.Store.Commit;

/// <summary>A command on its way through the log; awaiting it gives the answer.</summary>
internal sealed class Proposal(object command, ReadOnlyMemory<byte> payload, ICallBatch? batch = null) : IValueTaskSource<object>
{
    // A call's answer is written where the round ends, beside the other answers of its connection; anybody else's continuation is foreign code.
    private ManualResetValueTaskSourceCore<object> _core = new() { RunContinuationsAsynchronously = batch is null };
    private object? _result;
    private Exception? _error;

    /// <summary>What to do.</summary>
    public object Command => command;

    /// <summary>The command as the log keeps it.</summary>
    public ReadOnlyMemory<byte> Payload => payload;

    /// <summary>The connection that waits for the answer, if it is one that takes answers in batches.</summary>
    public ICallBatch? Batch => batch;

    /// <summary>The answer, later.</summary>
    public ValueTask<object> Task => new(this, _core.Version);

    /// <summary>Notes the outcome; <see cref="Complete"/> tells it.</summary>
    public void Set(object result) => _result = result;

    /// <summary>Notes the refusal; <see cref="Complete"/> tells it.</summary>
    public void Set(Exception error) => _error = error;

    /// <summary>Wakes the caller.</summary>
    public void Complete()
    {
        if (_error is not null) _core.SetException(_error);
        else _core.SetResult(_result!);
    }

    object IValueTaskSource<object>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<object>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<object>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
