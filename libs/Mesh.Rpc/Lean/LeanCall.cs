using System.Buffers;
using System.Threading.Channels;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>One call: the stream's state for the connection, and the context for its handler.</summary>
internal sealed class LeanCall(LeanConnection connection, int stream, CallHead head, LeanMethod method) : ServerCallContext
{
    private readonly Queue<Piece> _pending = [];
    private TaskCompletionSource? _windowWaiter;
    private CancellationTokenSource? _cancellation;
    private Metadata? _requestHeaders;
    private Metadata? _trailers;
    private Status _status = Status.DefaultSuccess;
    private bool _cancelled;
    private int _done;

    public LeanConnection Connection => connection;

    public int Stream => stream;

    public CallHead Head => head;

    public LeanMethod Handler => method;

    /// <summary>Assembles messages from DATA frames; used by the read loop alone.</summary>
    public MessageAssembler Input { get; } = new();

    /// <summary>The request of a method that takes one, until the client has ended it.</summary>
    public byte[]? Request { get; set; }

    /// <summary>Requests of a stream, waiting for the handler.</summary>
    public Channel<byte[]>? Requests { get; set; }

    /// <summary>The client has sent everything.</summary>
    public bool RequestEnded { get; set; }

    /// <summary>Bytes the client sent that it has not been given back as window.</summary>
    public int Unreturned;

    // Under the output's lock:
    public bool HeadersSent { get; set; }

    /// <summary>The stream is gone: nothing is sent on it.</summary>
    public bool Reset { get; set; }

    /// <summary>What the peer lets us send on the stream.</summary>
    public long Window { get; set; }

    public bool HasPending => _pending.Count > 0;

    public Piece? Pending => _pending.TryPeek(out var piece) ? piece : null;

    public (Status? Status, Metadata Trailers)? EndStatus { get; private set; }

    /// <summary>The time until which the client waits; timer running.</summary>
    public DateTime DeadlineTime { get; private set; } = DateTime.MaxValue;

    public Metadata Trailers => _trailers ?? Metadata.Empty;

    public void Enqueue(byte[] buffer, int from, int to) => _pending.Enqueue(new Piece(buffer) { From = from, To = to });

    public void Dequeue()
    {
        ArrayPool<byte>.Shared.Return(_pending.Dequeue().Buffer);
        if (_pending.Count > 0) return;
        _windowWaiter?.SetResult();
        _windowWaiter = null;
    }

    public void DropPending()
    {
        while (_pending.TryDequeue(out var piece)) ArrayPool<byte>.Shared.Return(piece.Buffer);
        _windowWaiter?.SetResult();
        _windowWaiter = null;
    }

    public Task WaitForWindow() => (_windowWaiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void EndWith(Status? status, Metadata trailers) => EndStatus = (status, trailers);

    /// <summary>The last frame is written.</summary>
    public void Ended()
    {
        Reset = true;
        connection.Forget(this);
    }

    /// <summary>Begins to count the client's patience.</summary>
    public void StartDeadline()
    {
        if (head.Timeout is not { } timeout) return;
        DeadlineTime = DateTime.UtcNow + timeout;
        lock (_pending)
        {
            _cancellation ??= new CancellationTokenSource();
            if (Volatile.Read(ref _done) != 0) return;
            _cancellation.Token.UnsafeRegister(static call => ((LeanCall)call!).OnTimeout(), this);
            _cancellation.CancelAfter(timeout);
        }
    }

    /// <summary>Ends the call; only the first end counts.</summary>
    public void Finish(Status status, Metadata? trailers = null)
    {
        if (Interlocked.Exchange(ref _done, 1) != 0) return;
        connection.Output.End(this, status, trailers ?? Trailers);
        Quit();
    }

    /// <summary>Ends the call with what its handler threw.</summary>
    public void Fail(Exception thrown)
    {
        switch (thrown)
        {
            case RpcException rpc:
                Finish(rpc.Status, rpc.Trailers.Count > 0 ? rpc.Trailers : null);
                break;
            case var _ when RpcStatus.TryToRpc(thrown, _cancelled ? new CancellationToken(true) : default) is { } mapped:
                Finish(mapped.Status, mapped.Trailers);
                break;
            default:
                if (!_cancelled) connection.Server.HandlerFailed(head.Path, thrown);
                Finish(new Status(StatusCode.Unknown, "Exception was thrown by handler."));
                break;
        }
    }

    /// <summary>The handler has succeeded.</summary>
    public void Succeed() => Finish(_status);

    /// <summary>The client does not want the answer any more, or cannot be reached.</summary>
    public void Cancel()
    {
        Interlocked.Exchange(ref _done, 1);
        connection.Output.Abandon(this);
        Quit();
    }

    private void OnTimeout()
    {
        if (Volatile.Read(ref _done) == 0) Finish(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded"));
    }

    /// <summary>Tells the handler that nobody waits for it. After a success nobody looks.</summary>
    private void Quit()
    {
        _cancelled = true;
        Requests?.Writer.TryComplete();
        CancellationTokenSource? cancellation;
        lock (_pending) cancellation = _cancellation;
        if (cancellation is null || cancellation.IsCancellationRequested) return;
        // Off this thread: callbacks are foreign code, and this may be under the connection's feet.
        ThreadPool.UnsafeQueueUserWorkItem(static c => c.Cancel(), cancellation, preferLocal: false);
    }

    protected override string MethodCore => head.Path;

    protected override string HostCore => head.Authority;

    protected override string PeerCore => connection.Peer;

    protected override DateTime DeadlineCore => DeadlineTime;

    protected override Metadata RequestHeadersCore => _requestHeaders ??= head.ToMetadata();

    protected override CancellationToken CancellationTokenCore
    {
        get
        {
            lock (_pending)
            {
                _cancellation ??= new CancellationTokenSource();
                if (_cancelled) _cancellation.Cancel();
                return _cancellation.Token;
            }
        }
    }

    protected override Metadata ResponseTrailersCore => _trailers ??= [];

    protected override Status StatusCore
    {
        get => _status;
        set => _status = value;
    }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => connection.Authenticated;

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        connection.Output.Headers(this, responseHeaders);
        return Task.CompletedTask;
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("propagation tokens are for call chains in one process; pass the deadline and the token");

    /// <summary>Part of a message that waits for window.</summary>
    internal sealed class Piece(byte[] buffer)
    {
        public byte[] Buffer => buffer;

        public int From { get; set; }

        public int To { get; init; }
    }
}
