using System.Buffers;
using System.Threading.Tasks.Sources;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

#pragma warning disable CA1001 // the timer is disposed of when the call ends, however it does
/// <summary>One unary call of a client: the stream's state for the connection, and the result for the caller.</summary>
internal sealed class ClientCall(string path, byte[] message, int length, TimeSpan? timeout, string? authorization) : IValueTaskSource<ReadOnlyMemory<byte>>, IThreadPoolWorkItem
#pragma warning restore CA1001
{
    private ManualResetValueTaskSourceCore<ReadOnlyMemory<byte>> _result;
    private CancellationTokenRegistration _cancellation;
    private Timer? _deadline;
    private CancellationToken _token;
    private ClientOutput? _output;
    private byte[]? _message = message;
    private byte[]? _answer;
    private Exception? _failure;
    private int _done;

    public string Path => path;

    public TimeSpan? Timeout => timeout;

    public string? Authorization => authorization;

    /// <summary>The answer; await it once.</summary>
    public ValueTask<ReadOnlyMemory<byte>> Answer => new(this, _result.Version);

    public bool IsDone => Volatile.Read(ref _done) != 0;

    // Under the output's lock:

    /// <summary>The stream; 0 before the call is sent.</summary>
    public int Stream { get; set; }

    /// <summary>What the peer lets us send on the stream.</summary>
    public long Window { get; set; }

    /// <summary>Bytes of the message that are sent.</summary>
    public int Sent { get; set; }

    public ReadOnlySpan<byte> Unsent => _message is null ? default : _message.AsSpan(Sent, length - Sent);

    public bool HasUnsent => _message is not null && Sent < length;

    // By the read loop alone:

    /// <summary>Assembles the answer from DATA frames.</summary>
    public MessageAssembler Input { get; } = new();

    /// <summary>The answer's first header block.</summary>
    public AnswerHead? Head { get; set; }

    /// <summary>The message of the answer.</summary>
    public byte[]? Received { get; set; }

    /// <summary>Bytes the server sent that it has not been given back as window.</summary>
    public int Unreturned { get; set; }

    /// <summary>Begins to listen for the caller's cancellation and deadline; before the call is given to a connection.</summary>
    public void Watch(CancellationToken token)
    {
        _token = token;
        if (timeout is { } time) _deadline = new Timer(static call => ((ClientCall)call!).OnDeadline(), this, time, System.Threading.Timeout.InfiniteTimeSpan);
        if (token.CanBeCanceled) _cancellation = token.UnsafeRegister(static call => ((ClientCall)call!).OnCancelled(), this);
        if (IsDone) _cancellation.Unregister();
    }

    /// <summary>The call is a connection's now. False when nobody waits for it any more.</summary>
    public bool TryAttach(ClientOutput output)
    {
        // A full fence between this and the look at the end: who cancels sees the output, or we see the cancellation.
        Interlocked.Exchange(ref _output, output);
        return !IsDone;
    }

    /// <summary>Ends the call with its answer; true for the first to end it. The caller goes on when the call is executed.</summary>
    public bool TrySucceed(byte[] answer) => TryEnd(answer, null);

    /// <summary>Ends the call with a failure; as <see cref="TrySucceed"/>.</summary>
    public bool TryFail(Exception failure) => TryEnd(null, failure);

    /// <summary>Ends the call with a failure; the caller goes on somewhere else.</summary>
    public void Fail(Exception failure)
    {
        if (TryFail(failure)) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The message is sent, or will never be. Under the output's lock, when the call had one.</summary>
    public void DropMessage()
    {
        if (_message is null) return;
        ArrayPool<byte>.Shared.Return(_message);
        _message = null;
    }

    /// <summary>The caller goes on, on this thread.</summary>
    public void Execute()
    {
        if (_failure is not null) _result.SetException(_failure);
        else _result.SetResult(_answer);
    }

    public ReadOnlyMemory<byte> GetResult(short token) => _result.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _result.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _result.OnCompleted(continuation, state, token, flags);

    private bool TryEnd(byte[]? answer, Exception? failure)
    {
        if (Interlocked.Exchange(ref _done, 1) != 0) return false;
        (_answer, _failure) = (answer, failure);
        _cancellation.Unregister();
        _deadline?.Dispose();
        return true;
    }

    private void OnCancelled() => Abandon(new OperationCanceledException(_token));

    private void OnDeadline() => Abandon(new RpcException(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded")));

    private void Abandon(Exception reason)
    {
        if (!TryFail(reason)) return;
        Volatile.Read(ref _output)?.Abandon(this);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }
}
