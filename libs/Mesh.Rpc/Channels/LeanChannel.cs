using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;
using Mesh.Rpc.Lean;

namespace Mesh.Rpc;

/// <summary>
/// A gRPC client for calls that are so short and so many that a general client is most of their cost (gateway to store): all calls, of one message or of streams of
/// them, share one HTTP/2 connection, made on first use and again after a loss. A call that fails is not repeated here; a status whose <c>DebugException</c> is a
/// <see cref="NotProcessedException"/> says that it may be.
/// </summary>
public sealed class LeanChannel : IDisposable
{
    private const int PrefixSize = 5;
    private const int MaxTries = 3; // a server that leaves as soon as it has come
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly MeshAddress _address;
    private readonly MeshChannelOptions _options;
    private readonly TimeProvider _time;
    private readonly List<ClientConnection> _left = []; // they take no calls any more, and end with those they have
    private volatile ClientConnection? _connection;
    private Task<ClientConnection>? _connecting;
    private RpcException? _refusal;
    private TimeSpan _pause;
    private long _refusedAt;
    private bool _disposed;

    private LeanChannel(MeshAddress address, MeshChannelOptions options, TimeProvider time) => (_address, _options, _time) = (address, options, time);

    /// <summary>A channel to an address. Dispose it to close its connection.</summary>
    /// <exception cref="FormatException">The address is malformed.</exception>
    public static LeanChannel Create(string address, MeshChannelOptions? options = null) => Create(MeshAddress.Parse(address), options);

    /// <inheritdoc cref="Create(string, MeshChannelOptions?)"/>
    public static LeanChannel Create(MeshAddress address, MeshChannelOptions? options = null) => Create(address, options, TimeProvider.System);

    internal static LeanChannel Create(MeshAddress address, MeshChannelOptions? options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new LeanChannel(address, options ?? new MeshChannelOptions(), time);
    }

    /// <summary>Makes a call; gives the answer's message, in an array of its own.</summary>
    /// <param name="path">The method, as in <c>/etcdserverpb.KV/Range</c>; one of few, it is remembered.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Ends the call on both sides.</param>
    /// <param name="timeout">How long the caller waits, told to the server; null for as long as it takes.</param>
    /// <exception cref="RpcException">The call failed; UNAVAILABLE when the server cannot be reached or was lost.</exception>
    public ValueTask<ReadOnlyMemory<byte>> CallAsync<T>(string path, T request, CancellationToken cancellationToken, TimeSpan? timeout = null)
        where T : IWireMessage
    {
        ArgumentNullException.ThrowIfNull(path);
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<ReadOnlyMemory<byte>>(cancellationToken);
        var message = Encode(request);
        if (_options.BearerToken is not null) return AuthorizeAndCallAsync(path, message, timeout, cancellationToken);
        var call = new UnaryCall(path, message.Array!, message.Count, timeout, null);
        call.Watch(cancellationToken);
        if (_connection is not { } connection || !connection.TryStart(call)) _ = ConnectAndStartAsync(call);
        return call.Answer;
    }

    /// <summary>Begins a call of messages both ways. Dispose of it to end it.</summary>
    /// <param name="path">The method, as in <c>/etcdserverpb.Watch/Watch</c>.</param>
    /// <param name="cancellationToken">Ends the call on both sides, at any time.</param>
    /// <param name="headers">Headers of this call: lower-case names, ASCII values.</param>
    /// <exception cref="RpcException">UNAVAILABLE: the server cannot be reached.</exception>
    public async ValueTask<LeanStream> OpenAsync(string path, CancellationToken cancellationToken, IReadOnlyList<(string Name, string Value)>? headers = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        var call = new StreamCall(path, headers, await AuthorizationAsync(cancellationToken).ConfigureAwait(false));
        call.Watch(cancellationToken);
        if (_connection is not { } connection || !connection.TryStart(call)) await ConnectAndStartAsync(call).WaitAsync(cancellationToken).ConfigureAwait(false);
        call.ThrowIfOver();
        return new LeanStream(call);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        List<ClientConnection> open;
        lock (_gate)
        {
            _disposed = true;
            open = _connection is { } connection ? [.. _left, connection] : [];
        }

        foreach (var one in open) one.Dispose();
    }

    /// <summary>A message as the wire has it, in an array of the pool.</summary>
    internal static ArraySegment<byte> Encode<T>(T message)
        where T : IWireMessage
    {
        var size = message.Size;
        var bytes = ArrayPool<byte>.Shared.Rent(PrefixSize + size);
        bytes[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), size);
        message.Write(bytes.AsSpan(PrefixSize, size));
        return new ArraySegment<byte>(bytes, 0, PrefixSize + size);
    }

    private async ValueTask<string?> AuthorizationAsync(CancellationToken cancellationToken) =>
        _options.BearerToken is { } ask && await ask(cancellationToken).ConfigureAwait(false) is { Length: > 0 } token ? "Bearer " + token : null;

    private async ValueTask<ReadOnlyMemory<byte>> AuthorizeAndCallAsync(string path, ArraySegment<byte> message, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var call = new UnaryCall(path, message.Array!, message.Count, timeout, await AuthorizationAsync(cancellationToken).ConfigureAwait(false));
        call.Watch(cancellationToken);
        _ = ConnectAndStartAsync(call);
        return await call.Answer.ConfigureAwait(false);
    }

    /// <summary>Connects for a call; the caller, its patience over or not, waits for the call alone.</summary>
    private async Task ConnectAndStartAsync(ClientCall call)
    {
        try
        {
            for (var tries = 0; tries < MaxTries; tries++)
            {
                var connection = await ConnectionAsync().ConfigureAwait(false);
                if (connection.TryStart(call)) return;
            }

            call.Fail(Refusal("the server takes no calls", null));
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException)
        {
            call.Fail(e);
        }
    }

    /// <summary>The open connection, or one in the making; right after a refusal the refusal again.</summary>
    private Task<ClientConnection> ConnectionAsync()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_connection is { IsOpen: true } open) return Task.FromResult(open);
            if (_connecting is { } connecting) return connecting;
            if (_refusal is { } refusal && _time.GetElapsedTime(_refusedAt) < _pause) throw refusal;
            return _connecting = Task.Run(ConnectAsync);
        }
    }

    private async Task<ClientConnection> ConnectAsync()
    {
        using var limit = new CancellationTokenSource(_options.ConnectTimeout, _time);
        try
        {
            var connection = await ClientConnection.ConnectAsync(_address, _options, limit.Token).ConfigureAwait(false);
            lock (_gate)
            {
                _left.RemoveAll(static c => c.IsOver);
                if (_connection is { IsOver: false } leaving) _left.Add(leaving);
                (_connection, _connecting, _refusal, _pause) = (connection, null, null, TimeSpan.Zero);
                if (_disposed) connection.Dispose();
            }

            return connection;
        }
        catch (Exception e)
        {
            var why = e is OperationCanceledException ? "no connection within " + _options.ConnectTimeout : e.Message;
            var refusal = Refusal(why, e);
            lock (_gate)
            {
                _connecting = null;
                _refusal = refusal;
                _refusedAt = _time.GetTimestamp();
                _pause = _pause == TimeSpan.Zero ? s_firstPause : TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, s_longestPause.Ticks));
            }

            throw refusal;
        }
    }

    private RpcException Refusal(string why, Exception? inner) => new(new Status(StatusCode.Unavailable, $"{_address}: {why}", new NotProcessedException(why, inner)));
}
