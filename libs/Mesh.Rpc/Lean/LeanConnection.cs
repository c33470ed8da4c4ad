using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Mesh.Rpc.Lean.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Rpc.Lean;

/// <summary>One HTTP/2 connection: reads frames, starts calls, keeps the peer's windows full.</summary>
internal sealed class LeanConnection : FrameReceiver, ICallBatch
{
    private const int MaxStreams = 1000;
    private const int HeadsKept = 32;
    private const int MaxReads = 16; // deferred work may hold up others: it must not wait for an endless client
    private static readonly TimeSpan s_pingInterval = TimeSpan.FromSeconds(30);

    private readonly ConnectionContext _connection;
    private readonly PipeReader _input;
    private readonly ConcurrentDictionary<int, LeanCall> _calls = new();
    private readonly HeadReader<CallHead> _heads = new(HeadsKept, static fields => new CallHead(fields));
    private readonly List<Action> _deferred = [];
    private byte[] _scratch = [];
    private int _lastStream;
    private bool _heard = true;
    private bool _prefaceSeen;
    private volatile bool _draining;
    private int _openCalls;

    public LeanConnection(LeanGrpc server, ConnectionContext connection)
    {
        (Server, _connection) = (server, connection);
        _input = connection.Transport.Input;
        Output = new LeanOutput(connection.Transport.Output);
        Peer = connection.RemoteEndPoint switch
        {
            IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } six => $"ipv6:[{six.Address}]:{six.Port}",
            IPEndPoint four => $"ipv4:{four.Address}:{four.Port}",
            UnixDomainSocketEndPoint unix => "unix:" + unix,
            var other => "unknown:" + other,
        };
    }

    public LeanGrpc Server { get; }

    public LeanOutput Output { get; }

    public string Peer { get; }

    protected override FrameOutput Sender => Output;

    public AuthContext Authenticated => field ??= Authenticate();

    public async Task RunAsync()
    {
        var stopping = _connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var closed = _connection.ConnectionClosed.UnsafeRegister(static c => ((LeanConnection)c!)._input.CancelPendingRead(), this);
        using var drain = stopping.UnsafeRegister(static c => ((LeanConnection)c!).Drain(), this);
        using var pings = new Timer(static c => ((LeanConnection)c!).Tick(), this, s_pingInterval, s_pingInterval);
        try
        {
            Greet();
            await ReadAsync().ConfigureAwait(false);
        }
        catch (Http2Exception e)
        {
            Server.ConnectionFailed(Peer, e);
            Output.GoAway(_lastStream, e.Error);
        }
        catch (Exception e) when (e is IOException or ConnectionAbortedException or ConnectionResetException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            Server.ConnectionFailed(Peer, e);
        }
        finally
        {
            foreach (var call in _calls.Values) call.Cancel();
            Output.Close();
        }
    }

    public void Defer(Action work) => _deferred.Add(work);

    public void Hold() => Output.Hold();

    public void Release() => Output.Release();

    /// <summary>The call has ended, or never was.</summary>
    public void Forget(LeanCall call)
    {
        if (!_calls.TryRemove(call.Stream, out _)) return;
        if (Interlocked.Decrement(ref _openCalls) == 0 && _draining) _input.CancelPendingRead();
    }

    /// <summary>A handler has taken so many bytes of a stream: the client may send as many more.</summary>
    public void ReturnWindow(LeanCall call, int bytes)
    {
        var unreturned = Interlocked.Add(ref call.Unreturned, bytes + 5);
        if (unreturned < Http2.StreamWindow / 4 || call.RequestEnded) return;
        Interlocked.Add(ref call.Unreturned, -unreturned);
        Output.Frame(Http2Frame.WindowUpdate, call.Stream, unreturned);
    }

    private void Greet()
    {
        Output.Hold();
        Span<byte> settings = stackalloc byte[18];
        Http2.WriteSetting(settings, Http2.SettingMaxStreams, MaxStreams);
        Http2.WriteSetting(settings[6..], Http2.SettingInitialWindow, Http2.StreamWindow);
        Http2.WriteSetting(settings[12..], Http2.SettingMaxFrameSize, Http2.MaxFrameSize);
        Output.Frame(Http2Frame.Settings, 0, 0, settings);
        Output.Frame(Http2Frame.WindowUpdate, 0, Http2.ConnectionWindow - Http2.DefaultWindow);
        Output.Release();
    }

#pragma warning disable CA2012 // each read is taken once: by Result when it is done at once, else by await
    private async Task ReadAsync()
    {
        var socket = _connection.Features.Get<ISocketInput>();
        var reading = _input.ReadAsync();
        while (true)
        {
            var result = await reading.ConfigureAwait(false);
            var (more, begun) = (true, false);
            Output.Hold();
            try
            {
                // Whatever is here already is handed out before the work that was deferred, so that the work meets as many calls as it can.
                for (var reads = 0; more = Take(result); reads++)
                {
                    begun = reads < MaxReads && socket is not { HasInput: false };
                    if (!begun) break;
                    reading = _input.ReadAsync();
                    if (!reading.IsCompletedSuccessfully || Output.Congested) break;
                    result = reading.Result;
                }
            }
            finally
            {
                for (var i = 0; i < _deferred.Count; i++) _deferred[i]();
                _deferred.Clear();
                Output.Release();
            }

            if (!more) return;
            if (Output.Congested) await Output.DrainedAsync().ConfigureAwait(false);
            if (begun) continue;
            reading = _input.ReadAsync();
        }
    }
#pragma warning restore CA2012

    /// <summary>Acts on every whole frame of what was read; false when the connection ends.</summary>
    private bool Take(ReadResult result)
    {
        _heard = true;
        var buffer = result.Buffer;
        while (TryTake(ref buffer))
        {
        }

        _input.AdvanceTo(buffer.Start, buffer.End);
        if (result.IsCompleted || _connection.ConnectionClosed.IsCancellationRequested) return false;
        return !_draining || Volatile.Read(ref _openCalls) != 0;
    }

    /// <summary>Takes one frame off the buffer and acts on it; false when none is whole.</summary>
    private bool TryTake(ref ReadOnlySequence<byte> buffer)
    {
        if (!_prefaceSeen)
        {
            if (buffer.Length < Http2.Preface.Length) return false;
            Span<byte> preface = stackalloc byte[24];
            buffer.Slice(0, 24).CopyTo(preface);
            if (!preface.SequenceEqual(Http2.Preface)) throw new Http2Exception(Http2Error.Protocol, "this is not HTTP/2");
            _prefaceSeen = true;
            buffer = buffer.Slice(24);
        }

        if (buffer.Length < Http2.FrameHeaderSize) return false;
        Span<byte> header = stackalloc byte[Http2.FrameHeaderSize];
        if (buffer.FirstSpan.Length >= Http2.FrameHeaderSize) buffer.FirstSpan[..Http2.FrameHeaderSize].CopyTo(header);
        else buffer.Slice(0, Http2.FrameHeaderSize).CopyTo(header);
        var length = (header[0] << 16) | (header[1] << 8) | header[2];
        if (length > Http2.MaxFrameSize) throw new Http2Exception(Http2Error.FrameSize, "a frame of " + length + " bytes");
        var whole = Http2.FrameHeaderSize + length;
        if (buffer.Length < whole) return false;
        ReadOnlySpan<byte> payload;
        if (buffer.FirstSpan.Length >= whole)
        {
            payload = buffer.FirstSpan.Slice(Http2.FrameHeaderSize, length);
        }
        else
        {
            if (_scratch.Length < length) _scratch = new byte[Math.Max(length, 4096)];
            buffer.Slice(Http2.FrameHeaderSize, length).CopyTo(_scratch);
            payload = _scratch.AsSpan(0, length);
        }

        OnFrame((Http2Frame)header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header[5..]) & int.MaxValue, payload);
        buffer = buffer.Slice(whole);
        return true;
    }

    protected override void OnReset(int stream, Http2Error error)
    {
        if (!_calls.TryGetValue(stream, out var call)) return;
        call.Cancel();
        Forget(call);
    }

    protected override void OnSettings(PeerSettings settings) => Output.Settings(settings, _calls.Values);

    protected override void OnWindow(int stream, int by)
    {
        if (stream == 0) Output.Grow(null, by);
        else if (_calls.TryGetValue(stream, out var call)) Output.Grow(call, by);
    }

    protected override void OnGoAway(int lastStream) => _draining = true;

    /// <summary>A whole header block: a new call, or the trailers of one.</summary>
    protected override void OnHead(int stream, byte flags, ReadOnlySpan<byte> block)
    {
        var ended = (flags & Http2.EndStream) != 0;
        if (stream <= _lastStream)
        {
            _heads.Skip(block);
            if (ended && _calls.TryGetValue(stream, out var known)) EndRequest(known);
            return;
        }

        if (stream % 2 == 0) throw new Http2Exception(Http2Error.Protocol, "a client's streams are odd");
        var head = _heads.Read(block);
        _lastStream = stream;
        if (_draining || Volatile.Read(ref _openCalls) >= MaxStreams)
        {
            Output.Frame(Http2Frame.ResetStream, stream, (int)Http2Error.RefusedStream);
            return;
        }

        var method = head.IsGrpc ? Server.Find(head.Path) ?? UnknownMethod.Instance : PlainMethod.Instance;
        var call = new LeanCall(this, stream, head, method) { Window = Output.StreamWindow, RequestEnded = ended };
        _calls[stream] = call;
        Interlocked.Increment(ref _openCalls);
        if (!method.TakesOne) method.Start(call, []);
        if (ended) EndRequest(call);
    }

    protected override void OnData(int stream, byte flags, int size, ReadOnlySpan<byte> data)
    {
        if (stream > _lastStream) throw new Http2Exception(Http2Error.Protocol, "DATA of no stream");
        if (!_calls.TryGetValue(stream, out var call)) return;
        if (call.RequestEnded) throw new Http2Exception(Http2Error.StreamClosed, "DATA after the end");
        var ended = (flags & Http2.EndStream) != 0;
        try
        {
            Messages(call, data);
        }
        catch (RpcException e)
        {
            call.RequestEnded |= ended;
            call.Fail(e);
            return;
        }

        if (ended) EndRequest(call);
        // A message in the making is bounded by its limit, not by the window.
        else if (call.Requests is null || !call.Input.AtBoundary) ReturnWindow(call, size);
    }

    private void Messages(LeanCall call, ReadOnlySpan<byte> data)
    {
        while (call.Input.Next(ref data, call.Head.Encoding, Server.MaxMessageBytes, out var message))
        {
            if (call.Requests is { } requests) requests.Writer.TryWrite(message.Array!);
            else if (call.Request is null) call.Request = message.Array;
            else throw new RpcException(new Status(StatusCode.Internal, "more than one message for a method that takes one"));
        }
    }

    private static void EndRequest(LeanCall call)
    {
        call.RequestEnded = true;
        call.Requests?.Writer.TryComplete();
        if (!call.Input.AtBoundary) call.Fail(new RpcException(new Status(StatusCode.Internal, "Incomplete message.")));
        else if (call.Request is { } request) call.Handler.Start(call, request);
        else if (call.Handler.TakesOne) call.Fail(new RpcException(new Status(StatusCode.Internal, "Incomplete message.")));
    }

    /// <summary>The server stops: no new calls, streams end now, calls under way are answered.</summary>
    private void Drain()
    {
        _draining = true;
        Output.GoAway(int.MaxValue, Http2Error.None);
        foreach (var call in _calls.Values)
        {
            if (!call.Handler.IsStreaming) continue;
            call.Finish(new Status(StatusCode.Unavailable, "server is shutting down"));
        }

        if (Volatile.Read(ref _openCalls) == 0) _input.CancelPendingRead();
    }

    /// <summary>Pings a peer with open calls that was silent for an interval; one that stays silent for another is gone.</summary>
    private void Tick()
    {
        if (_heard || _calls.IsEmpty)
        {
            _heard = false;
            if (!_calls.IsEmpty) Output.Frame(Http2Frame.Ping, 0, 0, new byte[8]);
            return;
        }

        _connection.Abort(new ConnectionAbortedException("the peer does not answer pings"));
    }

    private AuthContext Authenticate()
    {
        var properties = new Dictionary<string, List<AuthProperty>>();
        if (_connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } certificate) return new AuthContext(null, properties);
        string? identity = null;
        foreach (var name in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(n => n.EnumerateDnsNames()))
        {
            identity = "x509_subject_alternative_name";
            Add(identity, name);
        }

        if (certificate.GetNameInfo(X509NameType.SimpleName, false) is { Length: > 0 } common)
        {
            Add("x509_common_name", common);
            identity ??= "x509_common_name";
        }

        return new AuthContext(identity, properties);

        void Add(string name, string value)
        {
            if (!properties.TryGetValue(name, out var values)) properties.Add(name, values = []);
            values.Add(AuthProperty.Create(name, System.Text.Encoding.UTF8.GetBytes(value)));
        }
    }
}
