using System.Buffers;
using System.Buffers.Binary;

namespace Mesh.Rpc.Lean;

/// <summary>What a client's connection sends, and its table of calls. Messages beyond the peer's windows, and calls beyond its stream limit, wait here.</summary>
internal sealed class ClientOutput(Stream transport, RequestBlocks blocks, Action<Exception> broken) : FrameOutput(256 * 1024), IThreadPoolWorkItem
{
    private const int LastStream = 1 << 30;

    private readonly Dictionary<int, ClientCall> _calls = [];
    private readonly List<ClientCall> _blocked = [];
    private readonly Queue<ClientCall> _waiting = [];
    private int _nextStream = 1;
    private bool _draining;
    private int _maxStreams = int.MaxValue;

    /// <summary>New calls are taken.</summary>
    public bool IsOpen => !Closed && !Volatile.Read(ref _draining);

    /// <summary>No call is under way.</summary>
    public bool IsIdle
    {
        get
        {
            lock (Gate) return _calls.Count == 0 && _waiting.Count == 0;
        }
    }

    /// <summary>The preface, our settings and the connection's window.</summary>
    public void Greet()
    {
        Hold();
        lock (Gate) Frames.Append(Http2.Preface);
        Span<byte> settings = stackalloc byte[24];
        Http2.WriteSetting(settings, Http2.SettingEnablePush, 0);
        Http2.WriteSetting(settings[6..], Http2.SettingInitialWindow, Http2.StreamWindow);
        Http2.WriteSetting(settings[12..], Http2.SettingMaxFrameSize, ClientConnection.MaxFrameSize);
        Http2.WriteSetting(settings[18..], Http2.SettingHeaderTableSize, HpackDecoder.TableSize);
        Frame(Http2Frame.Settings, 0, 0, settings);
        Frame(Http2Frame.WindowUpdate, 0, Http2.ConnectionWindow - Http2.DefaultWindow);
        Release();
    }

    /// <summary>Takes a call: it is sent, or waits for a stream. False when this connection takes no more, <paramref name="first"/>: it is the only one.</summary>
    public bool TryStart(ClientCall call, out bool first)
    {
        lock (Gate)
        {
            first = _calls.Count == 0;
            if (Closed || _draining) return false;
            if (!call.TryAttach(this))
            {
                call.DropUnsent();
                return true;
            }

            if (_calls.Count >= _maxStreams)
            {
                _waiting.Enqueue(call);
                return true;
            }

            Begin(call);
            if (!MayFlush()) return true;
        }

        // Behind whatever is ready to run now: those callers' requests leave in the same send, and a store makes one commit of them.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    /// <summary>Writes what waits.</summary>
    public void Execute() => Flush();

    /// <summary>The call of a stream, if it is still under way. <paramref name="idle"/>: the stream was never begun.</summary>
    public ClientCall? Find(int stream, out bool idle)
    {
        lock (Gate)
        {
            idle = stream >= _nextStream;
            return _calls.GetValueOrDefault(stream);
        }
    }

    /// <summary>The server has ended the call.</summary>
    public void Remove(ClientCall call)
    {
        lock (Gate)
        {
            if (!_calls.Remove(call.Stream)) return;
            // Answered before all was asked: the rest need not be sent.
            if (!call.HasEnded) Reset(call);
            call.DropUnsent();
            Next();
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>Nobody waits for the call any more.</summary>
    public void Abandon(ClientCall call)
    {
        lock (Gate)
        {
            if (call.Stream == 0 || !_calls.Remove(call.Stream))
            {
                // It waits for a stream and will be passed over, or is gone.
                call.DropUnsent();
                return;
            }

            Reset(call);
            call.DropUnsent();
            Next();
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>Sends one more message of a call; gives what completes when it is sent, null when it is (or never will be).</summary>
    public Task? Write(StreamCall call, ArraySegment<byte> message)
    {
        Task? sent;
        lock (Gate)
        {
            if (!MaySend(call))
            {
                ArrayPool<byte>.Shared.Return(message.Array!);
                return null;
            }

            var behind = call.HasUnsent;
            call.Enqueue(message);
            if (!behind) SendOrBlock(call);
            sent = call.WaitUntilSent();
            if (!MayFlush()) return sent;
        }

        Flush();
        return sent;
    }

    /// <summary>A call's messages end with those that it was given.</summary>
    public void Complete(StreamCall call)
    {
        lock (Gate)
        {
            if (!MaySend(call)) return;
            var behind = call.HasUnsent;
            call.Complete();
            if (!behind) SendOrBlock(call);
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>Gives a call's stream back as window what the server has sent on it.</summary>
    public void Return(ClientCall call, int bytes)
    {
        lock (Gate)
        {
            if (!_calls.ContainsKey(call.Stream)) return;
            Span<byte> payload = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(payload, bytes);
            Append(Http2Frame.WindowUpdate, 0, call.Stream, payload);
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>The peer's settings; open streams have their windows moved by the difference.</summary>
    public void Settings(PeerSettings settings)
    {
        lock (Gate)
        {
            if (settings.TableSize is { } table) blocks.Limit(table);
            if (settings.MaxStreams is { } streams) _maxStreams = streams;
            var moved = Accept(settings);
            foreach (var call in _calls.Values) call.Window += moved;
            Next();
            Pump();
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>More room at a stream, or at the connection (null).</summary>
    public void Grow(ClientCall? call, int by)
    {
        lock (Gate)
        {
            var window = call is null ? Window += by : call.Window += by;
            if (window > int.MaxValue) throw new Http2Exception(Http2Error.FlowControl, "a window beyond 2^31-1");
            if (_blocked.Count == 0) return;
            Pump();
            if (!MayFlush()) return;
        }

        Flush();
    }

    /// <summary>The server takes no calls beyond a stream: gives those that it will not answer.</summary>
    public List<ClientCall> Drain(int lastStream)
    {
        lock (Gate)
        {
            Volatile.Write(ref _draining, true);
            List<ClientCall> refused = [.. _waiting, .. _calls.Values.Where(c => c.Stream > lastStream)];
            _waiting.Clear();
            foreach (var call in refused)
            {
                _calls.Remove(call.Stream);
                call.DropUnsent();
            }

            return refused;
        }
    }

    /// <summary>Nothing is sent any more: gives the calls that are left, those that were never sent apart.</summary>
    public (List<ClientCall> Sent, List<ClientCall> Unsent) Close()
    {
        lock (Gate)
        {
            Closed = true;
            List<ClientCall> sent = [.. _calls.Values], unsent = [.. _waiting];
            _calls.Clear();
            _waiting.Clear();
            _blocked.Clear();
            foreach (var call in sent) call.DropUnsent();
            foreach (var call in unsent) call.DropUnsent();
            return (sent, unsent);
        }
    }

    private void Reset(ClientCall call)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, (int)Http2Error.Cancel);
        Append(Http2Frame.ResetStream, 0, call.Stream, payload);
    }

    /// <summary>A stream has ended: the next call may have one.</summary>
    private void Next()
    {
        while (_waiting.Count > 0 && _calls.Count < _maxStreams)
        {
            var call = _waiting.Dequeue();
            if (call.IsDone) call.DropUnsent();
            else Begin(call);
        }
    }

    private void Begin(ClientCall call)
    {
        call.Stream = _nextStream;
        call.Window = InitialWindow;
        _nextStream += 2;
        if (_nextStream >= LastStream) Volatile.Write(ref _draining, true);
        _calls.Add(call.Stream, call);
        Frames.Append(Http2Frame.Headers, Http2.EndHeaders, call.Stream, blocks.Request(call.Path, call.Timeout, call.Authorization, call.Headers));
        if (call.HasUnsent) SendOrBlock(call);
    }

    /// <summary>Whether the call may still send: it is under way, or waits for a stream.</summary>
    private bool MaySend(StreamCall call) => !Closed && (call.Stream == 0 ? !call.IsDone : _calls.ContainsKey(call.Stream));

    private void SendOrBlock(ClientCall call)
    {
        // One that waits for a stream sends when it has it.
        if (call.Stream != 0 && (_blocked.Count > 0 || !Send(call))) _blocked.Add(call);
    }

    /// <summary>As much of what is to be sent as windows let pass; true when that is all.</summary>
    private bool Send(ClientCall call)
    {
        while (call.HasUnsent)
        {
            var rest = call.Unsent;
            var count = Room(call.Window, rest.Length);
            if (count == 0 && rest.Length > 0) return false;
            Append(Http2Frame.Data, call.EndsWith(count) ? Http2.EndStream : (byte)0, call.Stream, rest[..count]);
            Window -= count;
            call.Window -= count;
            call.Sent(count);
        }

        return true;
    }

    protected override async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> frames)
    {
        await transport.WriteAsync(frames).ConfigureAwait(false);
        return true;
    }

    protected override void Broken(Exception e) => broken(e);

    /// <summary>Gives window to those that wait, in turn.</summary>
    protected override void Pump()
    {
        for (var i = 0; i < _blocked.Count && Window > 0 && !Congested;)
        {
            var call = _blocked[i];
            if (!call.HasUnsent || Send(call)) _blocked.RemoveAt(i);
            else i++;
        }

        // The first shall not always be the first.
        if (_blocked.Count < 2) return;
        var first = _blocked[0];
        _blocked.RemoveAt(0);
        _blocked.Add(first);
    }
}
