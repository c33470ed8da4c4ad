using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>
/// What a connection sends: frames are appended under the lock to one buffer while the other is being written, so that all answers that come during
/// a write leave with the next. Data beyond the peer's windows waits at its call.
/// </summary>
internal sealed class LeanOutput(PipeWriter transport)
{
    private const int Congestion = 128 * 1024;

    private readonly Lock _lock = new();
    private readonly HeaderBlocks _blocks = new();
    private readonly List<LeanCall> _blocked = [];
    private readonly List<TaskCompletionSource> _waiters = [];
    private readonly FrameBuffer _frames = new();
    private int _holds;
    private bool _flushing;
    private bool _closed;
    private long _window = Http2.DefaultWindow;
    private int _streamWindow = Http2.DefaultWindow;

    /// <summary>The peer reads slower than we write.</summary>
    public bool Congested => _frames.Length > Congestion;

    /// <summary>The window that a new stream begins with.</summary>
    public int StreamWindow => _streamWindow;

    public void Hold()
    {
        lock (_lock) _holds++;
    }

    public void Release()
    {
        lock (_lock)
        {
            _holds--;
            if (!MayFlush()) return;
        }

        _ = FlushAsync();
    }

    /// <summary>Ends when the peer has taken most of what was written, or the connection is closed.</summary>
    public Task DrainedAsync()
    {
        lock (_lock) return _closed || _frames.Length <= Congestion ? Task.CompletedTask : Waiter();
    }

    /// <summary>A control frame.</summary>
    public void Frame(Http2Frame type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        lock (_lock)
        {
            Append(type, flags, stream, payload);
            if (!MayFlush()) return;
        }

        _ = FlushAsync();
    }

    public void Frame(Http2Frame type, int stream, int number)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, number);
        Frame(type, 0, stream, payload);
    }

    public void GoAway(int lastStream, Http2Error error)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
        BinaryPrimitives.WriteInt32BigEndian(payload[4..], (int)error);
        Frame(Http2Frame.GoAway, 0, 0, payload);
    }

    /// <summary>Response headers before the first message, when the handler has some of its own.</summary>
    public void Headers(LeanCall call, Metadata? headers)
    {
        lock (_lock)
        {
            if (_closed || call.Reset || call.HeadersSent) return;
            WriteHeaders(call, headers);
            if (!MayFlush()) return;
        }

        _ = FlushAsync();
    }

    /// <summary>A message with its prefix; the buffer becomes ours and goes back to the pool. The task ends when the next may follow.</summary>
    public Task Message(LeanCall call, byte[] buffer, int length, bool flush)
    {
        Task done;
        lock (_lock)
        {
            if (_closed || call.Reset)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                return Task.FromException(new IOException("the client has ended the call or the connection"));
            }

            if (!call.HeadersSent) WriteHeaders(call, null);
            var sent = call.HasPending ? 0 : Data(call, buffer, 0, length);
            if (sent == length)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
            else
            {
                if (!call.HasPending) _blocked.Add(call);
                call.Enqueue(buffer, sent, length);
            }

            done = call.HasPending ? call.WaitForWindow() : _frames.Length > Congestion ? Waiter() : Task.CompletedTask;
            if (!(flush || !done.IsCompleted) || !MayFlush()) return done;
        }

        _ = FlushAsync();
        return done;
    }

    /// <summary>The end of a call: trailers, after whatever still waits for window.</summary>
    public void End(LeanCall call, Status status, Metadata trailers)
    {
        lock (_lock)
        {
            if (_closed || call.Reset) return;
            if (call.HasPending)
            {
                call.EndWith(status, trailers);
                return;
            }

            WriteEnd(call, status, trailers);
            if (!MayFlush()) return;
        }

        _ = FlushAsync();
    }

    /// <summary>An answer that is no gRPC.</summary>
    public void PlainAnswer(LeanCall call, int status, string contentType, byte[] body)
    {
        lock (_lock)
        {
            if (_closed || call.Reset) return;
            var block = HeaderBlocks.Plain(status, contentType, body.Length);
            Append(Http2Frame.Headers, Http2.EndHeaders, call.Stream, block);
            call.HeadersSent = true;
            var sent = Data(call, body, 0, body.Length);
            if (sent < body.Length)
            {
                var rest = ArrayPool<byte>.Shared.Rent(body.Length - sent);
                body.AsSpan(sent).CopyTo(rest);
                _blocked.Add(call);
                call.Enqueue(rest, 0, body.Length - sent);
                call.EndWith(null, Metadata.Empty);
            }
            else
            {
                EndPlain(call);
            }

            if (!MayFlush()) return;
        }

        _ = FlushAsync();
    }

    /// <summary>Forgets what a call still had to send.</summary>
    public void Abandon(LeanCall call)
    {
        lock (_lock)
        {
            call.Reset = true;
            call.DropPending();
            _blocked.Remove(call);
        }
    }

    /// <summary>The peer's settings: initial window, frame size and table size. Streams that are open have their windows moved by the difference.</summary>
    public void Settings(int? window, int? frameSize, int? tableSize, IEnumerable<LeanCall> open)
    {
        lock (_lock)
        {
            if (frameSize is { } size) _frames.LimitFrames(size);
            if (tableSize is { } table) _blocks.Limit(table);
            if (window is { } initial)
            {
                foreach (var call in open) call.Window += initial - _streamWindow;
                _streamWindow = initial;
            }

            Append(Http2Frame.Settings, Http2.Ack, 0, []);
            Pump();
            if (!MayFlush()) return;
        }

        _ = FlushAsync();
    }

    /// <summary>More room at a stream, or at the connection (null).</summary>
    public void Grow(LeanCall? call, int by)
    {
        lock (_lock)
        {
            if (call is null) _window += by;
            else call.Window += by;
            if ((call is null ? _window : call.Window) > int.MaxValue) throw new Http2Exception(Http2Error.FlowControl, "a window beyond 2^31-1");
            if (_blocked.Count == 0) return;
            Pump();
            if (!MayFlush()) return;
        }

        _ = FlushAsync();
    }

    /// <summary>Nothing is sent any more; whoever waits goes on.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (var call in _blocked) call.DropPending();
            _blocked.Clear();
            Wake();
        }
    }

    private Task Waiter()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiters.Add(waiter);
        return waiter.Task;
    }

    private void Wake()
    {
        foreach (var waiter in _waiters) waiter.SetResult();
        _waiters.Clear();
    }

    /// <summary>Under the lock: takes the writer's part when somebody should.</summary>
    private bool MayFlush()
    {
        if (_flushing || _frames.Length == 0 || (_holds > 0 && _frames.Length <= Congestion)) return false;
        return _flushing = true;
    }

    private async Task FlushAsync()
    {
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> frames;
                lock (_lock)
                {
                    if (_blocked.Count > 0) Pump();
                    frames = _frames.Swap();
                    if (frames.IsEmpty)
                    {
                        _flushing = false;
                        return;
                    }
                }

                var result = await transport.WriteAsync(frames).ConfigureAwait(false);
                lock (_lock)
                {
                    if (result.IsCompleted || result.IsCanceled) _closed = true;
                    if (_waiters.Count > 0 && (_closed || _frames.Length <= Congestion)) Wake();
                    if (!_closed) continue;
                    _flushing = false;
                    return;
                }
            }
        }
        catch (Exception)
        {
            // The read loop finds the same broken connection and ends it.
            Close();
        }
    }

    private void WriteHeaders(LeanCall call, Metadata? headers)
    {
        call.HeadersSent = true;
        Append(Http2Frame.Headers, Http2.EndHeaders, call.Stream, _blocks.Response(headers));
    }

    private void WriteEnd(LeanCall call, Status status, Metadata trailers)
    {
        var block = call.HeadersSent ? _blocks.Trailers(status, trailers) : _blocks.TrailersOnly(status, trailers);
        Append(Http2Frame.Headers, Http2.EndHeaders | Http2.EndStream, call.Stream, block);
        if (!call.RequestEnded) Reset(call);
        call.Ended();
    }

    private void EndPlain(LeanCall call)
    {
        Append(Http2Frame.Data, Http2.EndStream, call.Stream, []);
        if (!call.RequestEnded) Reset(call);
        call.Ended();
    }

    /// <summary>The answer is given before the request ended: the client need not send the rest.</summary>
    private void Reset(LeanCall call) => Append(Http2Frame.ResetStream, 0, call.Stream, [0, 0, 0, 0]);

    /// <summary>As much of a message as windows let pass; returns where it stopped.</summary>
    private int Data(LeanCall call, byte[] buffer, int from, int to)
    {
        while (from < to && _frames.Length <= Congestion)
        {
            var count = (int)Math.Min(Math.Min(to - from, _frames.FrameSize), Math.Min(_window, call.Window));
            if (count <= 0) break;
            Append(Http2Frame.Data, 0, call.Stream, buffer.AsSpan(from, count));
            _window -= count;
            call.Window -= count;
            from += count;
        }

        return from;
    }

    /// <summary>Gives window to those that wait, in turn.</summary>
    private void Pump()
    {
        for (var i = 0; i < _blocked.Count && _window > 0 && _frames.Length <= Congestion;)
        {
            var call = _blocked[i];
            while (call.Pending is { } piece)
            {
                piece.From = Data(call, piece.Buffer, piece.From, piece.To);
                if (piece.From < piece.To) break;
                call.Dequeue();
            }

            if (call.HasPending)
            {
                i++;
                continue;
            }

            _blocked.RemoveAt(i);
            if (call.EndStatus is { } end)
            {
                if (end.Status is { } status)
                {
                    WriteEnd(call, status, end.Trailers);
                }
                else
                {
                    EndPlain(call);
                }
            }
        }

        // The first shall not always be the first.
        if (_blocked.Count > 1)
        {
            var first = _blocked[0];
            _blocked.RemoveAt(0);
            _blocked.Add(first);
        }
    }

    private void Append(Http2Frame type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        if (!_closed) _frames.Append(type, flags, stream, payload);
    }
}
