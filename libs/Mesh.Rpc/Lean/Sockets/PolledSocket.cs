using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Mesh.Rpc.Lean.Sockets;

/// <summary>
/// A connected socket as a stream, read and written without blocking; what has to wait is woken by a <see cref="SocketPoller"/>, on whose thread the reader goes on.
/// One read and one write at a time. The socket must never have been waited for by the runtime's own means, which would go on watching it.
/// </summary>
internal sealed class PolledSocket : Stream
{
    private const uint Failed = 0x8 | 0x10; // EPOLLERR, EPOLLHUP

    private readonly Socket _socket;
    private readonly SocketPoller _poller;
    private readonly Lock _lock = new();
    private readonly Waiter _readable;
    private readonly Waiter _writable;
    private readonly long _id;
    private bool _known; // to the kernel
    private bool _closed;

    /// <summary>Takes the socket over; disposing of the stream closes it.</summary>
    public PolledSocket(Socket socket, SocketPoller poller)
    {
        (_socket, _poller) = (socket, poller);
        socket.Blocking = false;
        (_readable, _writable) = (new Waiter(this), new Waiter(this));
        _id = poller.Enter(this);
    }

    /// <summary>Connects over TCP to the first of a host's addresses that takes it.</summary>
    public static async Task<PolledSocket> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
        SocketException? refused = null;
        foreach (var address in addresses)
        {
            var stream = new PolledSocket(new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }, SocketPoller.Shared);
            try
            {
                await stream.ConnectAsync(new IPEndPoint(address, port), cancellationToken).ConfigureAwait(false);
                return stream;
            }
            catch (SocketException e)
            {
                refused = e;
                await stream.DisposeAsync().ConfigureAwait(false);
            }
            catch
            {
                await stream.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }

        throw refused ?? new SocketException((int)SocketError.HostNotFound);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Nothing to read into: who asks so wants to know when there is something, and to have its buffer only then.
        if (buffer.IsEmpty && _socket.Available == 0)
        {
            await _readable.WaitAsync(cancellationToken).ConfigureAwait(false);
            return 0;
        }

        while (true)
        {
            var count = _socket.Receive(buffer.Span, SocketFlags.None, out var error);
            if (error == SocketError.Success) return count;
            if (error == SocketError.WouldBlock) await _readable.WaitAsync(cancellationToken).ConfigureAwait(false);
            else if (error != SocketError.Interrupted) throw Failure(error);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var count = _socket.Send(buffer.Span, SocketFlags.None, out var error);
            if (error == SocketError.Success)
            {
                if (count == buffer.Length) return;
                buffer = buffer[count..];
            }
            else if (error == SocketError.WouldBlock)
            {
                await _writable.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            else if (error != SocketError.Interrupted)
            {
                throw Failure(error);
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
        // nothing is kept back
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("this stream is not read with a blocked thread");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("this stream is not written with a blocked thread");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>The kernel's answer to what was asked for, on a poller's thread.</summary>
    public void OnReady(uint events)
    {
        bool read, write;
        lock (_lock)
        {
            read = (events & (SocketPoller.In | Failed)) != 0 && _readable.Take();
            write = (events & (SocketPoller.Out | Failed)) != 0 && _writable.Take();
            if (_readable.Waits || _writable.Waits) Arm();
        }

        if (write && read) ThreadPool.UnsafeQueueUserWorkItem(static waiter => waiter.Complete(null), _writable, preferLocal: false);
        else if (write) _writable.Complete(null);
        if (read) _readable.Complete(null);
    }

    protected override void Dispose(bool disposing)
    {
        bool read, write;
        lock (_lock)
        {
            if (_closed) return;
            _closed = true;
            (read, write) = (_readable.Take(), _writable.Take());
        }

        _poller.Leave(_id);
        _socket.Dispose();
        if (read) _readable.Fail(new ObjectDisposedException(nameof(PolledSocket)));
        if (write) _writable.Fail(new ObjectDisposedException(nameof(PolledSocket)));
        base.Dispose(disposing);
    }

    private async Task ConnectAsync(IPEndPoint to, CancellationToken cancellationToken)
    {
        try
        {
            _socket.Connect(to);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            await _writable.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (_socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int error and not 0) throw new SocketException(error);
        }
    }

    private static IOException Failure(SocketError error)
    {
        var inner = new SocketException((int)error);
        return new IOException(inner.Message, inner);
    }

    /// <summary>Under the lock.</summary>
    private void Arm()
    {
        _poller.Arm(_socket.SafeHandle, _id, (_readable.Waits ? SocketPoller.In : 0) | (_writable.Waits ? SocketPoller.Out : 0), !_known);
        _known = true;
    }

    /// <summary>One direction's wait. Who takes it, under the lock, completes it: the kernel, a cancellation or the end of the socket.</summary>
    private sealed class Waiter(PolledSocket owner) : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _core;
        private CancellationTokenRegistration _cancel;
        private CancellationToken _cancelled;

        public bool Waits { get; private set; }

        public ValueTask WaitAsync(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _core.Reset();
            var task = new ValueTask(this, _core.Version);
            lock (owner._lock)
            {
                ObjectDisposedException.ThrowIf(owner._closed, owner);
                Waits = true;
                try
                {
                    owner.Arm();
                }
                catch
                {
                    Waits = false;
                    throw;
                }
            }

            // The task is awaited only after this: nobody waits a second time, or looks at the registration, before.
            _cancelled = cancellationToken;
            _cancel = cancellationToken.UnsafeRegister(static waiter => ((Waiter)waiter!).Cancel(), this);
            return task;
        }

        public bool Take()
        {
            if (!Waits) return false;
            Waits = false;
            return true;
        }

        public void Complete(Exception? failure)
        {
            if (failure is null) _core.SetResult(true);
            else _core.SetException(failure);
        }

        /// <summary>On the pool: who cancels or closes is not to find itself reading on.</summary>
        public void Fail(Exception failure) => ThreadPool.UnsafeQueueUserWorkItem(static state => state.Self.Complete(state.Failure), (Self: this, Failure: failure), preferLocal: false);

        void IValueTaskSource.GetResult(short token)
        {
            _cancel.Dispose();
            _cancel = default;
            _core.GetResult(token);
        }

        ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

        void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _core.OnCompleted(continuation, state, token, flags);

        private void Cancel()
        {
            lock (owner._lock)
            {
                if (!Take()) return;
            }

            Fail(new OperationCanceledException(_cancelled));
        }
    }
}
