using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>
/// One HTTP/2 connection of a client: reads frames, ends calls. After each read the callers of all answers and messages but the last are woken on the pool; the last goes on
/// on the reader's own thread, which has nothing else to do: the next read is begun already and continues wherever its bytes arrive.
/// </summary>
internal sealed class ClientConnection : FrameReceiver, IDisposable
{
    /// <summary>Largest frame that we take: two fit the buffer.</summary>
    public const int MaxFrameSize = 32 * 1024 - Http2.FrameHeaderSize;

    private const int BufferSize = 64 * 1024;
    private const int HeadsKept = 16;

    private readonly Stream _stream;
    private readonly string _name;
    private readonly MeshChannelOptions _options;
    private readonly ClientOutput _output;
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferSize);
    private readonly HeadReader<AnswerHead> _heads = new(HeadsKept, static fields => new AnswerHead(fields));
    private readonly List<ClientCall> _woken = [];
    private readonly Action _onRead;
    private readonly KeepAlive? _keepAlive;
    private ValueTaskAwaiter<int> _reading;
    private int _start;
    private int _filled;
    private int _failed;

    private ClientConnection(Stream stream, MeshAddress address, MeshChannelOptions options)
    {
        (_stream, _name, _options) = (stream, address.ToString(), options);
        _output = new ClientOutput(stream, new RequestBlocks(address.ToHttpUri().Authority, address.Scheme == MeshScheme.Https), e => Fail(e));
        _onRead = OnRead;
        // A pipe within the process says by itself when its end is gone.
        if (address.Scheme != MeshScheme.InProc) _keepAlive = new KeepAlive(_output, options, e => Fail(e));
    }

    /// <summary>New calls are taken.</summary>
    public bool IsOpen => _output.IsOpen;

    /// <summary>It is closed.</summary>
    public bool IsOver => Volatile.Read(ref _failed) != 0;

    protected override FrameOutput Sender => _output;

    /// <summary>Connects, and waits until the server has greeted.</summary>
    public static async Task<ClientConnection> ConnectAsync(MeshAddress address, MeshChannelOptions options, CancellationToken cancellationToken)
    {
        var stream = await MeshConnector.ConnectAsync(address, options, cancellationToken).ConfigureAwait(false);
        var connection = new ClientConnection(stream, address, options);
        try
        {
            connection._output.Greet();
            connection.BeginRead();
            await connection._greeted.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Takes a call, unless this connection takes no more.</summary>
    public bool TryStart(ClientCall call)
    {
        if (!_output.TryStart(call, out var first)) return false;
        if (first) _keepAlive?.Start();
        return true;
    }

    /// <summary>Ends the connection, and the calls on it.</summary>
    public void Dispose() => Fail(new IOException("the channel is closed"));

#pragma warning disable CA2012 // each read is taken once, by this connection's one loop
    private void BeginRead()
    {
        _reading = _stream.ReadAsync(_buffer).GetAwaiter();
        if (_reading.IsCompleted) ThreadPool.UnsafeQueueUserWorkItem(static c => c.OnRead(), this, preferLocal: false);
        else _reading.UnsafeOnCompleted(_onRead);
    }

    private void OnRead()
    {
        ClientCall? last = null;
        try
        {
            while (true)
            {
                var count = _reading.GetResult();
                if (count == 0) throw new IOException("the server closed the connection");
                _filled += count;
                _keepAlive?.Heard();
                _output.Hold();
                try
                {
                    while (TryTake())
                    {
                    }
                }
                finally
                {
                    _output.Release();
                }

                MakeRoom();
                if (!_output.IsOpen && _output.IsIdle) throw new IOException("the server has gone away");
                _reading = _stream.ReadAsync(_buffer.AsMemory(_filled)).GetAwaiter();
                if (_reading.IsCompleted)
                {
                    Wake();
                    continue;
                }

                if (_woken.Count > 0)
                {
                    // A stream's reader before the others: what it is told, it passes on to many.
                    var own = Math.Max(0, _woken.FindIndex(static call => call is StreamCall));
                    last = _woken[own];
                    _woken.RemoveAt(own);
                    Wake();
                }

                _reading.UnsafeOnCompleted(_onRead);
                break;
            }
        }
        catch (Exception e)
        {
            Wake();
            if (e is Http2Exception broken) _output.GoAway(0, broken.Error);
            Fail(e);
        }

        last?.Execute();
    }
#pragma warning restore CA2012

    private void MakeRoom()
    {
        // What is left of a frame fits behind its beginning as long as that is in the first half.
        if (_start < _filled && _start <= BufferSize / 2) return;
        _buffer.AsSpan(_start, _filled - _start).CopyTo(_buffer);
        (_start, _filled) = (0, _filled - _start);
    }

    /// <summary>Lets the callers that may go on do so.</summary>
    private void Wake()
    {
        foreach (var call in _woken) ThreadPool.UnsafeQueueUserWorkItem(call, preferLocal: false);
        _woken.Clear();
    }

    /// <summary>Takes one frame off the buffer and acts on it; false when none is whole.</summary>
    private bool TryTake()
    {
        var left = _buffer.AsSpan(_start, _filled - _start);
        if (left.Length < Http2.FrameHeaderSize) return false;
        var length = (left[0] << 16) | (left[1] << 8) | left[2];
        if (length > MaxFrameSize) throw new Http2Exception(Http2Error.FrameSize, "a frame of " + length + " bytes");
        if (left.Length < Http2.FrameHeaderSize + length) return false;
        _start += Http2.FrameHeaderSize + length;
        if (!_greeted.Task.IsCompleted && (Http2Frame)left[3] != Http2Frame.Settings) throw new Http2Exception(Http2Error.Protocol, "SETTINGS expected");
        OnFrame((Http2Frame)left[3], left[4], BinaryPrimitives.ReadInt32BigEndian(left[5..]) & int.MaxValue, left.Slice(Http2.FrameHeaderSize, length));
        return true;
    }

    protected override void OnReset(int stream, Http2Error error)
    {
        if (Known(stream) is { } call) End(call, ResetBy(error));
    }

    protected override void OnSettings(PeerSettings settings)
    {
        _output.Settings(settings);
        _greeted.TrySetResult();
    }

    protected override void OnWindow(int stream, int by)
    {
        if (stream == 0) _output.Grow(null, by);
        else if (Known(stream) is { } call) _output.Grow(call, by);
    }

    /// <summary>The server leaves: what it has begun it will answer, the rest it never saw.</summary>
    protected override void OnGoAway(int lastStream)
    {
        var reason = NotProcessed("the server is going away");
        foreach (var call in _output.Drain(lastStream))
        {
            if (call.TryEnd(reason)) _woken.Add(call);
        }
    }

    private ClientCall? Known(int stream)
    {
        var call = _output.Find(stream, out var idle);
        if (idle || stream % 2 == 0) throw new Http2Exception(Http2Error.Protocol, "a frame of a stream that was not begun");
        return call;
    }

    /// <summary>A whole header block: an answer's beginning, its end, or both.</summary>
    protected override void OnHead(int stream, byte flags, ReadOnlySpan<byte> block)
    {
        var head = _heads.Read(block); // the table must follow even when nobody wants the fields
        if (Known(stream) is not { } call) return;
        var ended = (flags & Http2.EndStream) != 0;
        if (call.Head is null)
        {
            if (head.HttpStatus is >= 100 and < 200 && !ended) return;
            if (head.HttpStatus != 200 || !head.IsGrpc)
            {
                End(call, Failure(head.Outcome ?? head.Foreign(), head), reset: !ended);
                return;
            }

            call.Head = head;
        }

        if (!ended) return;
        if (head.Outcome is not { } outcome) End(call, Failure(new Status(StatusCode.Unknown, "the answer has no grpc-status"), head));
        else if (outcome.StatusCode != StatusCode.OK) End(call, Failure(outcome, head));
        else if (!call.IsWhole) End(call, Failure(new Status(StatusCode.Internal, "the answer ends before its message"), head));
        else EndWell(call, head);
    }

    protected override void OnData(int stream, byte flags, int size, ReadOnlySpan<byte> data)
    {
        if (Known(stream) is not { } call) return;
        if (call.Head is null) throw new Http2Exception(Http2Error.Protocol, "DATA before headers");
        try
        {
            while (call.Input.Next(ref data, call.Head.Encoding, _options.MaxMessageBytes, out var message))
            {
                if (call.Receive(message)) _woken.Add(call);
            }
        }
        catch (RpcException e)
        {
            End(call, e, reset: true);
            return;
        }

        if ((flags & Http2.EndStream) != 0) End(call, new RpcException(new Status(StatusCode.Internal, "the answer ends without trailers")));
        else if (call.Credit(size) is > 0 and var credit) _output.Frame(Http2Frame.WindowUpdate, stream, credit);
    }

    private void EndWell(ClientCall call, AnswerHead tail)
    {
        call.Tail = tail;
        End(call, failure: null);
    }

    /// <summary>Ends a call, with a failure or without; <paramref name="reset"/>: the server has not ended it.</summary>
    private void End(ClientCall call, Exception? failure, bool reset = false)
    {
        if (reset) _output.Abandon(call);
        else _output.Remove(call);
        if (call.TryEnd(failure)) _woken.Add(call);
    }

    private static RpcException Failure(Status status, AnswerHead head) => new(status, head.ToMetadata());

    private static RpcException ResetBy(Http2Error error)
    {
        var code = error switch
        {
            Http2Error.RefusedStream => StatusCode.Unavailable,
            Http2Error.Cancel => StatusCode.Cancelled,
            Http2Error.EnhanceYourCalm => StatusCode.ResourceExhausted,
            _ => StatusCode.Internal,
        };
        var detail = "the server reset the stream: " + error;
        return new RpcException(new Status(code, detail, error == Http2Error.RefusedStream ? new NotProcessedException(detail) : null));
    }

    private RpcException NotProcessed(string what) => new(new Status(StatusCode.Unavailable, $"{_name}: {what}", new NotProcessedException(what)));

    /// <summary>The connection is over: calls under way end with UNAVAILABLE.</summary>
    private void Fail(Exception e)
    {
        if (Interlocked.Exchange(ref _failed, 1) != 0) return;
        var (sent, unsent) = _output.Close();
        _greeted.TrySetException(e);
        _keepAlive?.Dispose();
        _ = CloseAsync();
        var lost = new RpcException(new Status(StatusCode.Unavailable, $"{_name}: the connection was lost: {e.Message}", e));
        foreach (var call in sent) call.Fail(lost);
        var never = NotProcessed("the connection was lost: " + e.Message);
        foreach (var call in unsent) call.Fail(never);
    }

    private async Task CloseAsync()
    {
        try
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or ObjectDisposedException)
        {
            // it was broken before
        }
    }
}
