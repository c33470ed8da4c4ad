using System.Buffers;
using System.Threading.Tasks.Sources;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>
/// A call of messages both ways. The server may be ahead of the reader by what it was granted as window: it is given back at once while little waits to be read, and
/// else as it is read, so that a slow reader holds a bounded heap and nobody but itself.
/// </summary>
internal sealed class StreamCall(string path, IReadOnlyList<(string Name, string Value)>? headers, string? authorization)
    : ClientCall(path, null, authorization, new MessageAssembler(pooled: true)), IValueTaskSource<bool>
{
    /// <summary>Bytes waiting to be read from which on the server must wait for the reader.</summary>
    private const int EnoughWaiting = Http2.StreamWindow / 2;

    // Under the output's lock:
    private readonly Queue<ArraySegment<byte>> _outgoing = [];
    private TaskCompletionSource? _drained;
    private int _sent;
    private bool _completing;
    private bool _ended;

    // Under the lock of the incoming:
    private readonly Lock _gate = new();
    private readonly Queue<ArraySegment<byte>> _incoming = [];
    private ManualResetValueTaskSourceCore<bool> _read;
    private ArraySegment<byte> _message;
    private Exception? _failure;
    private int _waitingBytes;
    private int _unreturned;
    private bool _reading;
    private bool _woken;
    private bool _over;
    private bool _disposed;

    public override IReadOnlyList<(string Name, string Value)>? Headers => headers;

    public override bool HasUnsent => _outgoing.Count > 0 || (_completing && !_ended);

    public override ReadOnlySpan<byte> Unsent => _outgoing.TryPeek(out var message) ? message.AsSpan(_sent) : default;

    public override bool HasEnded => _ended;

    public override bool IsWhole => Input.AtBoundary;

    /// <summary>The message read last.</summary>
    public ReadOnlyMemory<byte> Message => _message;

    /// <summary>The server's trailers.</summary>
    public Metadata Trailers => Tail?.ToMetadata() ?? [];

    public override bool EndsWith(int count) => _completing && (_outgoing.Count == 0 || (_outgoing.Count == 1 && _sent + count == _outgoing.Peek().Count));

    public override void Sent(int count)
    {
        _ended = EndsWith(count);
        _sent += count;
        if (!_outgoing.TryPeek(out var message) || _sent < message.Count) return;
        ArrayPool<byte>.Shared.Return(_outgoing.Dequeue().Array!);
        _sent = 0;
        if (_outgoing.Count == 0) Drained();
    }

    public override void DropUnsent()
    {
        while (_outgoing.TryDequeue(out var message)) ArrayPool<byte>.Shared.Return(message.Array!);
        (_sent, _completing) = (0, false);
        Drained();
    }

    /// <summary>A message behind those that wait. Under the output's lock.</summary>
    public void Enqueue(ArraySegment<byte> message)
    {
        if (_completing) throw new InvalidOperationException("the call's messages have ended");
        _outgoing.Enqueue(message);
    }

    /// <summary>What was enqueued is the last. Under the output's lock.</summary>
    public void Complete() => _completing = true;

    /// <summary>Completes when nothing waits to be sent; null when nothing does. Under the output's lock.</summary>
    public Task? WaitUntilSent() => _outgoing.Count == 0 ? null : (_drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public override bool Receive(ArraySegment<byte> message)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                Recycle(message);
                return false;
            }

            _incoming.Enqueue(message);
            _waitingBytes += message.Count;
            if (!_reading || _woken) return false;
            return _woken = true;
        }
    }

    public override int Credit(int received)
    {
        lock (_gate)
        {
            _unreturned += received;
            return Credit();
        }
    }

    /// <summary>Sends a message; completes when the server's windows have let it go.</summary>
    public ValueTask WriteAsync(ArraySegment<byte> message, CancellationToken cancellationToken)
    {
        var waiting = Output!.Write(this, message);
        if (waiting is not null) return new ValueTask(WaitAsync(waiting, cancellationToken));
        ThrowIfOver();
        return ValueTask.CompletedTask;
    }

    /// <summary>Says that there will be no more messages.</summary>
    public void EndRequests() => Output!.Complete(this);

    /// <summary>The next message; false after the last.</summary>
    public ValueTask<bool> ReadAsync()
    {
        var credit = 0;
        lock (_gate)
        {
            Recycle(_message);
            _message = default;
            if (_reading) throw new InvalidOperationException("a read is under way");
            if (!TryTake(out var next))
            {
                _read.Reset();
                _reading = true;
                return new ValueTask<bool>(this, _read.Version);
            }

            if (!next && _failure is not null) return ValueTask.FromException<bool>(_failure);
            if (!next) return new ValueTask<bool>(false);
            credit = Credit();
        }

        if (credit > 0) Output!.Return(this, credit);
        return new ValueTask<bool>(true);
    }

    /// <summary>Lets a waiting reader go on, if there is something for it.</summary>
    public override void Execute()
    {
        var credit = 0;
        bool next;
        lock (_gate)
        {
            _woken = false;
            if (!_reading || !TryTake(out next)) return;
            _reading = false;
            credit = Credit();
        }

        if (credit > 0) Output!.Return(this, credit);
        if (!next && _failure is not null) _read.SetException(_failure);
        else _read.SetResult(next);
    }

    /// <summary>Ends the call, if it has not, and lets go of what was not read.</summary>
    public void Dispose()
    {
        Abandon(new ObjectDisposedException(nameof(LeanStream)));
        lock (_gate)
        {
            _disposed = true;
            Recycle(_message);
            _message = default;
            while (_incoming.TryDequeue(out var message)) Recycle(message);
        }
    }

    public bool GetResult(short token) => _read.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _read.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _read.OnCompleted(continuation, state, token, flags);

    /// <summary>Throws why the call ended, if it has.</summary>
    public void ThrowIfOver()
    {
        lock (_gate)
        {
            if (_over) throw _failure ?? new InvalidOperationException("the server has ended the call");
        }
    }

    protected override void OnEnd(Exception? failure)
    {
        lock (_gate) (_over, _failure) = (true, failure);
    }

    /// <summary>Takes the next message (true) or the end (false), if one is there. What was received before the end comes before it, unless the caller itself wants no more.</summary>
    private bool TryTake(out bool next)
    {
        var unwanted = _failure is OperationCanceledException or ObjectDisposedException;
        next = !unwanted && _incoming.TryDequeue(out _message);
        if (next) _waitingBytes -= _message.Count;
        return next || _over;
    }

    private int Credit()
    {
        if (_waitingBytes >= EnoughWaiting || _unreturned < Http2.StreamWindow / 4) return 0;
        var credit = _unreturned;
        _unreturned = 0;
        return credit;
    }

    private async Task WaitAsync(Task sent, CancellationToken cancellationToken)
    {
        await sent.WaitAsync(cancellationToken).ConfigureAwait(false);
        ThrowIfOver();
    }

    private void Drained()
    {
        _drained?.TrySetResult();
        _drained = null;
    }

    private static void Recycle(ArraySegment<byte> message)
    {
        if (message.Array is { Length: > 0 } array) ArrayPool<byte>.Shared.Return(array);
    }
}
