using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Pipelines;

namespace Mesh.NodeAgent.Streaming.Spdy;

/// <summary>
/// The client's end of a SPDY/3.1 connection, as far as Kubernetes' streaming protocols use it: streams opened by us, data both ways, half
/// close, reset, ping. No flow control: the peers (moby/spdystream) have none either.
/// </summary>
internal sealed class SpdyClient : IAsyncDisposable
{
    private const ushort Version = 0x8003;
    private const ushort SynStream = 1;
    private const ushort SynReply = 2;
    private const ushort RstStream = 3;
    private const ushort Ping = 6;
    private const ushort GoAway = 7;
    private const byte Fin = 1;
    private const int MaxFrame = 1 << 24;
    private const int DataChunk = 16 * 1024;
    private readonly Stream transport;
    private readonly HeaderWriter headers = new();
    private readonly SemaphoreSlim writing = new(1);
    private readonly ConcurrentDictionary<int, SpdyStream> streams = new();
    private readonly Task reading;
    private readonly CancellationTokenSource stop = new();
    private int nextId = 1;

    public SpdyClient(Stream transport)
    {
        this.transport = transport;
        reading = ReadAsync();
    }

    /// <summary>Opens a stream and returns when the server has taken it.</summary>
    public async Task<SpdyStream> OpenAsync(IReadOnlyList<KeyValuePair<string, string>> streamHeaders, CancellationToken ct)
    {
        SpdyStream stream;
        await writing.WaitAsync(ct);
        try
        {
            var id = nextId;
            nextId += 2;
            stream = new SpdyStream(this, id);
            streams[id] = stream;
            var block = headers.Write(streamHeaders);
            var body = new byte[10 + block.Length];
            BinaryPrimitives.WriteInt32BigEndian(body, id);
            block.CopyTo(body, 10);
            await ControlAsync(SynStream, 0, body, ct);
        }
        finally
        {
            writing.Release();
        }

        await stream.Accepted.Task.WaitAsync(ct);
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await transport.DisposeAsync();
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
        writing.Dispose();
    }

    internal async Task WriteAsync(int id, ReadOnlyMemory<byte> data, bool fin, CancellationToken ct)
    {
        do
        {
            var part = data.Length > DataChunk ? data[..DataChunk] : data;
            data = data[part.Length..];
            var head = new byte[8];
            BinaryPrimitives.WriteInt32BigEndian(head, id);
            BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), part.Length);
            head[4] = fin && data.Length == 0 ? Fin : (byte)0;
            await writing.WaitAsync(ct);
            try
            {
                await transport.WriteAsync(head, ct);
                await transport.WriteAsync(part, ct);
                await transport.FlushAsync(ct);
            }
            finally
            {
                writing.Release();
            }
        }
        while (data.Length > 0);
    }

    private async Task ControlAsync(ushort type, byte flags, byte[] body, CancellationToken ct)
    {
        var frame = new byte[8 + body.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, Version);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), type);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), body.Length);
        frame[4] = flags;
        body.CopyTo(frame, 8);
        await transport.WriteAsync(frame, ct);
        await transport.FlushAsync(ct);
    }

    private async Task ReadAsync()
    {
        var error = new IOException("the runtime's streaming server closed the connection");
        using var blocks = new HeaderReader();
        try
        {
            var head = new byte[8];
            while (await ReadFullyAsync(head))
            {
                var control = (head[0] & 0x80) != 0;
                var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)) & 0xFFFFFF;
                if (length >= MaxFrame)
                    throw new InvalidDataException("SPDY frame is too large");
                var body = new byte[length];
                if (!await ReadFullyAsync(body))
                    break;
                if (control)
                {
                    if (!await HandleAsync(BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(2)), head[4], body, blocks))
                        break;
                }
                else if (streams.TryGetValue(BinaryPrimitives.ReadInt32BigEndian(head), out var stream))
                {
                    await stream.ReceiveAsync(body, (head[4] & Fin) != 0);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or InvalidDataException)
        {
            error = new IOException("the session with the runtime broke: " + e.Message, e);
        }

        foreach (var stream in streams.Values)
            await stream.EndAsync(error);
    }

    private async Task<bool> HandleAsync(ushort type, byte flags, byte[] body, HeaderReader blocks)
    {
        switch (type)
        {
            case SynReply when body.Length >= 4:
                // The block is read though nobody looks at it: it is part of the compression's state.
                if (body.Length > 4)
                    blocks.Read(body.AsSpan(4));
                if (streams.TryGetValue(BinaryPrimitives.ReadInt32BigEndian(body), out var accepted))
                {
                    accepted.Accepted.TrySetResult();
                    if ((flags & Fin) != 0)
                        await accepted.EndAsync(null);
                }

                return true;
            case RstStream when body.Length >= 8:
                if (streams.TryRemove(BinaryPrimitives.ReadInt32BigEndian(body), out var reset))
                    await reset.EndAsync(new IOException($"stream was reset: {BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(4))}"));
                return true;
            case Ping when body.Length >= 4 && (body[3] & 1) == 0:
                await writing.WaitAsync(stop.Token);
                try
                {
                    await ControlAsync(Ping, 0, body, stop.Token);
                }
                finally
                {
                    writing.Release();
                }

                return true;
            case GoAway:
                return false;
            default:
                return true;
        }
    }

    private async Task<bool> ReadFullyAsync(byte[] buffer)
    {
        var count = await transport.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop.Token);
        return count == buffer.Length;
    }
}

/// <summary>One stream of a SPDY connection.</summary>
internal sealed class SpdyStream(SpdyClient owner, int id)
{
    private const int MaxBuffered = 4 * 1024 * 1024;
    private readonly Pipe received = new(new PipeOptions(pauseWriterThreshold: MaxBuffered, resumeWriterThreshold: MaxBuffered / 2, useSynchronizationContext: false));
    private int ended;

    /// <summary>What the server sends; ends when it closes its side.</summary>
    public PipeReader Reader => received.Reader;

    /// <summary>Why the server's side ended, if it was not closed; to be asked when the reader is at the end.</summary>
    public Exception? Failure { get; private set; }

    internal TaskCompletionSource Accepted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken ct) => owner.WriteAsync(id, data, false, ct);

    /// <summary>We send no more; reading goes on.</summary>
    public Task CloseWriteAsync(CancellationToken ct) => owner.WriteAsync(id, ReadOnlyMemory<byte>.Empty, true, ct);

    internal async Task ReceiveAsync(byte[] data, bool fin)
    {
        if (ended == 0 && data.Length > 0)
            await received.Writer.WriteAsync(data);
        if (fin)
            await EndAsync(null);
    }

    /// <summary>
    /// The server's side is over: closed (no error), reset, or lost with the connection. What arrived before stays readable: servers reset
    /// streams when a session is over, right behind the last bytes.
    /// </summary>
    internal async Task EndAsync(Exception? error)
    {
        if (Interlocked.Exchange(ref ended, 1) == 1)
            return;
        Failure = error;
        if (error is null)
            Accepted.TrySetResult();
        else
            Accepted.TrySetException(error);
        await received.Writer.CompleteAsync();
    }
}
