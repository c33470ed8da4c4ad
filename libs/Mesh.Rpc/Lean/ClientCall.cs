using Grpc.Core;

namespace Mesh.Rpc.Lean;

#pragma warning disable CA1001 // the timer is disposed of when the call ends, however it does
/// <summary>One call of a client: the stream's state for the connection. Executed, it lets its caller go on with what there is.</summary>
internal abstract class ClientCall(string path, TimeSpan? timeout, string? authorization, MessageAssembler input) : IThreadPoolWorkItem
#pragma warning restore CA1001
{
    private CancellationTokenRegistration _cancellation;
    private Timer? _deadline;
    private CancellationToken _token;
    private ClientOutput? _output;
    private int _done;

    public string Path => path;

    public TimeSpan? Timeout => timeout;

    public string? Authorization => authorization;

    /// <summary>Headers of this call's own.</summary>
    public virtual IReadOnlyList<(string Name, string Value)>? Headers => null;

    public bool IsDone => Volatile.Read(ref _done) != 0;

    // Under the output's lock:

    /// <summary>The stream; 0 before the call is sent.</summary>
    public int Stream { get; set; }

    /// <summary>What the peer lets us send on the stream.</summary>
    public long Window { get; set; }

    /// <summary>Bytes wait to be sent, or the end does.</summary>
    public abstract bool HasUnsent { get; }

    /// <summary>The bytes to be sent next.</summary>
    public abstract ReadOnlySpan<byte> Unsent { get; }

    /// <summary>We have ended our side.</summary>
    public abstract bool HasEnded { get; }

    /// <summary>Whether so many bytes more are all there will be.</summary>
    public abstract bool EndsWith(int count);

    /// <summary>So many bytes more are sent.</summary>
    public abstract void Sent(int count);

    /// <summary>Nothing more will be sent.</summary>
    public abstract void DropUnsent();

    // By the read loop alone:

    /// <summary>Assembles messages from DATA frames.</summary>
    public MessageAssembler Input { get; } = input;

    /// <summary>The answer's first header block.</summary>
    public AnswerHead? Head { get; set; }

    /// <summary>The answer's last header block, when it has ended well.</summary>
    public AnswerHead? Tail { get; set; }

    /// <summary>The answer may end here.</summary>
    public abstract bool IsWhole { get; }

    /// <summary>A message has come; true when the caller shall be let go on.</summary>
    /// <exception cref="RpcException">It is one too many.</exception>
    public abstract bool Receive(ArraySegment<byte> message);

    /// <summary>Bytes have come; gives how many the server is to be given back as window now.</summary>
    public abstract int Credit(int received);

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

    /// <summary>Ends the call, with a failure or without; true for the first to end it. The caller goes on when the call is executed.</summary>
    public bool TryEnd(Exception? failure)
    {
        if (Interlocked.Exchange(ref _done, 1) != 0) return false;
        OnEnd(failure);
        _cancellation.Unregister();
        _deadline?.Dispose();
        return true;
    }

    /// <summary>Ends the call with a failure; the caller goes on somewhere else.</summary>
    public void Fail(Exception failure)
    {
        if (TryEnd(failure)) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Ends the call on both sides.</summary>
    public void Abandon(Exception reason)
    {
        if (!TryEnd(reason)) return;
        Volatile.Read(ref _output)?.Abandon(this);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The caller goes on, on this thread, if it waits.</summary>
    public abstract void Execute();

    /// <summary>Where the call is sent; null before.</summary>
    protected ClientOutput? Output => Volatile.Read(ref _output);

    /// <summary>Takes over how the call ended; once.</summary>
    protected abstract void OnEnd(Exception? failure);

    private void OnCancelled() => Abandon(new OperationCanceledException(_token));

    private void OnDeadline() => Abandon(new RpcException(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded")));
}
