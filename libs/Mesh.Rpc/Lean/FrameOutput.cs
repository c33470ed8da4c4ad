using System.Buffers.Binary;

namespace Mesh.Rpc.Lean;

/// <summary>
/// The sending half of a connection: frames are appended under the lock to one buffer while the other is being written, so that all that come during a write leave
/// with the next. Whoever adds the first frame writes, until nothing is left.
/// </summary>
/// <param name="congestion">Bytes waiting from which on nobody's data is taken, in bytes.</param>
internal abstract class FrameOutput(int congestion)
{
    private int _holds;
    private bool _flushing;
    private bool _closed;

    /// <summary>Guards all of the output.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>What waits to be written. Under the lock.</summary>
    protected FrameBuffer Frames { get; } = new();

    /// <summary>The peer reads slower than we write.</summary>
    public bool Congested => Frames.Length > congestion;

    /// <summary>Bytes of data that the connection may still send. Under the lock.</summary>
    protected long Window { get; set; } = Http2.DefaultWindow;

    /// <summary>The window that a new stream begins with. Under the lock.</summary>
    protected int InitialWindow { get; private set; } = Http2.DefaultWindow;

    /// <summary>Nothing is sent any more.</summary>
    protected bool Closed
    {
        get => Volatile.Read(ref _closed);
        set => Volatile.Write(ref _closed, value);
    }

    /// <summary>Frames wait until <see cref="Release"/>, unless they are many.</summary>
    public void Hold()
    {
        lock (Gate) _holds++;
    }

    /// <summary>Ends a <see cref="Hold"/>.</summary>
    public void Release()
    {
        lock (Gate)
        {
            _holds--;
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>A control frame.</summary>
    public void Frame(Http2Frame type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        lock (Gate)
        {
            Append(type, flags, stream, payload);
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>A control frame that holds one number.</summary>
    public void Frame(Http2Frame type, int stream, int number)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, number);
        Frame(type, 0, stream, payload);
    }

    /// <summary>Says goodbye: streams beyond the last are not looked at.</summary>
    public void GoAway(int lastStream, Http2Error error)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
        BinaryPrimitives.WriteInt32BigEndian(payload[4..], (int)error);
        Frame(Http2Frame.GoAway, 0, 0, payload);
    }

    /// <summary>Sends what waits for window, as far as there is some. Under the lock.</summary>
    protected abstract void Pump();

    /// <summary>Writes to the peer; false when it takes no more.</summary>
    protected abstract ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> frames);

    /// <summary>A write has ended. Under the lock.</summary>
    protected virtual void Written()
    {
    }

    /// <summary>A write has failed.</summary>
    protected abstract void Broken(Exception e);

    /// <summary>A frame behind those that wait. Under the lock.</summary>
    protected void Append(Http2Frame type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        if (!_closed) Frames.Append(type, flags, stream, payload);
    }

    /// <summary>Takes over what the peer has set, and says so; gives what open streams' windows move by. Under the lock.</summary>
    protected int Accept(PeerSettings settings)
    {
        if (settings.FrameSize is { } size) Frames.LimitFrames(size);
        var moved = (settings.Window ?? InitialWindow) - InitialWindow;
        InitialWindow += moved;
        Append(Http2Frame.Settings, Http2.Ack, 0, []);
        return moved;
    }

    /// <summary>How much of a stream's data may go now, at most a frame: 0 is none. Under the lock; what is sent is to be taken off both windows.</summary>
    protected int Room(long streamWindow, int wanted) =>
        Congested ? 0 : (int)Math.Max(0, Math.Min(Math.Min(wanted, Frames.FrameSize), Math.Min(Window, streamWindow)));

    /// <summary>The writer's part, when somebody should take it: then <see cref="Flush"/> is called, outside the lock. Under the lock.</summary>
    protected bool MayFlush()
    {
        if (_closed || _flushing || Frames.Length == 0 || (_holds > 0 && !Congested)) return false;
        return _flushing = true;
    }

    /// <summary>Writes until nothing waits.</summary>
    protected void Flush() => _ = FlushAsync();

    private async Task FlushAsync()
    {
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> frames;
                lock (Gate)
                {
                    Pump();
                    frames = Frames.Swap();
                    if (frames.IsEmpty)
                    {
                        _flushing = false;
                        return;
                    }
                }

                var open = await WriteAsync(frames).ConfigureAwait(false);
                lock (Gate)
                {
                    if (!open) Closed = true;
                    Written();
                    if (!Closed) continue;
                    _flushing = false;
                    return;
                }
            }
        }
        catch (Exception e)
        {
            Broken(e);
        }
    }
}
