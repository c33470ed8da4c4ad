using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Mesh.Rpc.Lean;

/// <summary>
/// Sockets for Kestrel without pipes between: the reader of a connection receives into its own large buffer and sends from its own, on its own thread.
/// Kestrel's transport has a loop for each direction and blocks of 4 KiB; for connections with hundreds of small calls under way that is most of the cost.
/// </summary>
internal sealed class LeanSockets : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>Threads that may wait at sockets at one time; the others are woken by way of the poller and the pool.</summary>
    private const int MaxWaiting = 2;
    private int _waiting;

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint or UnixDomainSocketEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            // Any address of IPv6 takes IPv4 as well, as Kestrel's own transport does.
            if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endpoint);
            socket.Listen(512);
            return new ValueTask<IConnectionListener>(new Listener(this, socket));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(e.Message, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class Listener(LeanSockets owner, Socket socket) : IConnectionListener
    {
        public EndPoint EndPoint => socket.LocalEndPoint!;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                try
                {
                    var accepted = await socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                    if (accepted.ProtocolType == ProtocolType.Tcp) accepted.NoDelay = true;
                    return new Connection(owner, accepted);
                }
                catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted or SocketError.InvalidArgument })
                {
                    return null; // unbound
                }
                catch (SocketException)
                {
                    // The client left before it was greeted; or there are no file descriptors left, which trying at once does not change.
                    await Task.Delay(20, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Connection : DefaultConnectionContext, IMemoryPoolFeature, ISocketInput
    {
        private const int BufferSize = 64 * 1024;
        private readonly LeanSockets _owner;
        private readonly Socket _socket;
        private readonly CancellationTokenSource _closed = new();

        public Connection(LeanSockets owner, Socket socket)
            : base(Guid.NewGuid().ToString("N"))
        {
            (_owner, _socket) = (owner, socket);
            var stream = new NetworkStream(socket, ownsSocket: false);
            // Nothing is allocated while a connection is silent: the buffer comes with the first byte.
            Transport = new Pipes(
                PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferSize, minimumReadSize: BufferSize / 2, leaveOpen: true, useZeroByteReads: false)),
                PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
            LocalEndPoint = socket.LocalEndPoint;
            RemoteEndPoint = socket.RemoteEndPoint;
            ConnectionClosed = _closed.Token;
            Features.Set<IMemoryPoolFeature>(this);
            Features.Set<ISocketInput>(this);
        }

        public MemoryPool<byte> MemoryPool => MemoryPool<byte>.Shared;

        public bool HasInput
        {
            get
            {
                try
                {
                    return _socket.Available > 0;
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    return true; // the read will say what happened
                }
            }
        }

        public void Await(TimeSpan time)
        {
            if (Interlocked.Increment(ref _owner._waiting) <= MaxWaiting)
            {
                try
                {
                    _socket.Poll(time, SelectMode.SelectRead);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // the read will say what happened
                }
            }

            Interlocked.Decrement(ref _owner._waiting);
        }

        public override void Abort(ConnectionAbortedException abortReason)
        {
            try
            {
                _socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // gone already
            }

            if (!_closed.IsCancellationRequested) ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
        }

        public override async ValueTask DisposeAsync()
        {
            try
            {
                await Transport.Output.CompleteAsync().ConfigureAwait(false);
                await Transport.Input.CompleteAsync().ConfigureAwait(false);
                _socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                // the peer was quicker
            }

            _socket.Dispose();
            if (!_closed.IsCancellationRequested) ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
            await base.DisposeAsync().ConfigureAwait(false);
        }

        private sealed class Pipes(PipeReader input, PipeWriter output) : IDuplexPipe
        {
            public PipeReader Input => input;

            public PipeWriter Output => output;
        }
    }
}

/// <summary>What a reader may ask of the socket under its connection.</summary>
internal interface ISocketInput
{
    /// <summary>Bytes are here already (of TLS: perhaps not a whole record).</summary>
    bool HasInput { get; }

    /// <summary>
    /// Sleeps until bytes are here or the time is over. A client that has just been answered is often back within a fraction of a millisecond; a thread that
    /// sleeps at the socket is woken by the kernel itself, where otherwise the poller's thread is, and then it wakes one of the pool.
    /// </summary>
    void Await(TimeSpan time);
}
