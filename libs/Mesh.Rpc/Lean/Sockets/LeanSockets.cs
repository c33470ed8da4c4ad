using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Mesh.Rpc.Lean.Sockets;

/// <summary>
/// Sockets for Kestrel without pipes between: the reader of a connection receives into its own large buffer and sends from its own, on the thread that the kernel woke
/// (<see cref="SocketPoller"/>).
/// Kestrel's transport has a loop for each direction and blocks of 4 KiB; for connections with hundreds of small calls under way that is most of the cost.
/// </summary>
internal sealed class LeanSockets : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
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
            return new ValueTask<IConnectionListener>(new Listener(socket));
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

    private sealed class Listener(Socket socket) : IConnectionListener
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
                    return new Connection(accepted);
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
        private const int BlockSize = 4096;
        private readonly Socket _socket;
        private readonly PolledSocket _stream;
        private readonly CancellationTokenSource _closed = new();

        public Connection(Socket socket)
            : base(Guid.NewGuid().ToString("N"))
        {
            (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, socket.RemoteEndPoint);
            (_socket, _stream) = (socket, new PolledSocket(socket, SocketPoller.Shared));
            // Nothing is allocated while a connection is silent: the buffer comes with the first byte.
            Transport = new Pipes(
                PipeReader.Create(_stream, new StreamPipeReaderOptions(bufferSize: BufferSize, minimumReadSize: BufferSize / 2, leaveOpen: true, useZeroByteReads: true)),
                PipeWriter.Create(_stream, new StreamPipeWriterOptions(leaveOpen: true)));
            ConnectionClosed = _closed.Token;
            Features.Set<IMemoryPoolFeature>(this);
            Features.Set<ISocketInput>(this);
        }

        public MemoryPool<byte> MemoryPool => Blocks.Instance;

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

            await _stream.DisposeAsync().ConfigureAwait(false);
            if (!_closed.IsCancellationRequested) ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
            await base.DisposeAsync().ConfigureAwait(false);
        }

        /// <summary>The shared pool, but for requests of no size, which Kestrel means as a block's.</summary>
        private sealed class Blocks : MemoryPool<byte>
        {
            public static readonly Blocks Instance = new();

            public override int MaxBufferSize => Shared.MaxBufferSize;

            public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => Shared.Rent(minBufferSize < BlockSize ? BlockSize : minBufferSize);

            protected override void Dispose(bool disposing)
            {
                // shared
            }
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
}
