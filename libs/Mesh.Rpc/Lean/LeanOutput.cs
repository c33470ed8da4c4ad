using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>What a server's connection sends. Data beyond the peer's windows waits at its call.</summary>
internal sealed class LeanOutput(PipeWriter transport) : FrameOutput(128 * 1024)
{
    private readonly HeaderBlocks _blocks = new();
    private readonly List<LeanCall> _blocked = [];
    private readonly List<TaskCompletionSource> _waiters = [];

    /// <summary>The window that a new stream begins with.</summary>
    public int StreamWindow => InitialWindow;

    /// <summary>Ends when the peer has taken most of what was written, or the connection is closed.</summary>
    public Task DrainedAsync()
    {
        lock (Gate) return Closed || !Congested ? Task.CompletedTask : Waiter();
    }

    /// <summary>Response headers before the first message, when the handler has some of its own.</summary>
    public void Headers(LeanCall call, Metadata? headers)
    {
        lock (Gate)
        {
            if (Closed || call.Reset || call.HeadersSent) return;
            WriteHeaders(call, headers);
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>A message with its prefix; the buffer becomes ours and goes back to the pool. The task ends when the next may follow.</summary>
    public Task Message(LeanCall call, byte[] buffer, int length, bool flush)
    {
        Task done;
        lock (Gate)
        {
            if (Closed || call.Reset)
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

            done = call.HasPending ? call.WaitForWindow() : Congested ? Waiter() : Task.CompletedTask;
            if (!(flush || !done.IsCompleted) || !MayFlush()) return done;
        }

        Flush();
        return done;
    }

    /// <summary>The end of a call: trailers, after whatever still waits for window.</summary>
    public void End(LeanCall call, Status status, Metadata trailers)
    {
        lock (Gate)
        {
            if (Closed || call.Reset) return;
            if (call.HasPending)
            {
                call.EndWith(status, trailers);
                return;
            }

            WriteEnd(call, status, trailers);
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>An answer that is no gRPC.</summary>
    public void PlainAnswer(LeanCall call, int status, string contentType, byte[] body)
    {
        lock (Gate)
        {
            if (Closed || call.Reset) return;
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

        Flush();
    }

    /// <summary>Forgets what a call still had to send.</summary>
    public void Abandon(LeanCall call)
    {
        lock (Gate)
        {
            call.Reset = true;
            call.DropPending();
            _blocked.Remove(call);
        }
    }

    /// <summary>The peer's settings. Streams that are open have their windows moved by the difference.</summary>
    public void Settings(PeerSettings settings, IEnumerable<LeanCall> open)
    {
        lock (Gate)
        {
            if (settings.TableSize is { } table) _blocks.Limit(table);
            var moved = Accept(settings);
            foreach (var call in open) call.Window += moved;
            Pump();
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>More room at a stream, or at the connection (null).</summary>
    public void Grow(LeanCall? call, int by)
    {
        lock (Gate)
        {
            if (call is null) Window += by;
            else call.Window += by;
            if ((call is null ? Window : call.Window) > int.MaxValue) throw new Http2Exception(Http2Error.FlowControl, "a window beyond 2^31-1");
            if (_blocked.Count == 0) return;
            Pump();
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>Nothing is sent any more; whoever waits goes on.</summary>
    public void Close()
    {
        lock (Gate)
        {
            Closed = true;
            foreach (var call in _blocked) call.DropPending();
            _blocked.Clear();
            Wake();
        }
    }

    protected override async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> frames)
    {
        var result = await transport.WriteAsync(frames).ConfigureAwait(false);
        return !result.IsCompleted && !result.IsCanceled;
    }

    protected override void Written()
    {
        if (_waiters.Count > 0 && (Closed || !Congested)) Wake();
    }

    /// <summary>The read loop finds the same broken connection and ends it.</summary>
    protected override void Broken(Exception e) => Close();

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
        while (Room(call.Window, to - from) is > 0 and var count)
        {
            Append(Http2Frame.Data, 0, call.Stream, buffer.AsSpan(from, count));
            Window -= count;
            call.Window -= count;
            from += count;
        }

        return from;
    }

    /// <summary>Gives window to those that wait, in turn.</summary>
    protected override void Pump()
    {
        for (var i = 0; i < _blocked.Count && Window > 0 && !Congested;)
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
}
