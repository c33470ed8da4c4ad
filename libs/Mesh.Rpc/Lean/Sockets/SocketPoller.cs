using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Mesh.Rpc.Lean.Sockets;

/// <summary>
/// Threads that sleep at sockets (epoll(7), one shot) and go on themselves with what has arrived: from the kernel to the handler one thread is woken. The runtime's
/// own way is two or three: its poller's, and those of the pool that it asks. While one works another sleeps; there are as many as work at one time, and a few.
/// </summary>
internal sealed partial class SocketPoller
{
    /// <summary>Wait until there is something to read.</summary>
    public const uint In = 0x1;

    /// <summary>Wait until there is room to write.</summary>
    public const uint Out = 0x4;

    private const uint OneShot = 1u << 30;
    private const int CloseOnExec = 0x80000;
    private const int Add = 1;
    private const int Modify = 3;
    private const int Interrupted = 4; // EINTR
    private const int Sleepers = 4; // threads that stay when there is nothing to do

    // struct epoll_event is packed on x86 only.
    private static readonly int s_dataAt = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;
    private static readonly int s_mostThreads = Math.Max(16, 4 * Environment.ProcessorCount);

    private readonly ConcurrentDictionary<long, PolledSocket> _sockets = new();
    private readonly int _epoll;
    private long _ids;
    private int _asleep;
    private int _threads;

    private SocketPoller()
    {
        _epoll = EpollCreate(CloseOnExec);
        if (_epoll < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>The process' poller, as its thread pool is one.</summary>
    public static SocketPoller Shared { get; } = new();

    /// <summary>Makes a socket known; the id is never given again.</summary>
    public long Enter(PolledSocket socket)
    {
        var id = Interlocked.Increment(ref _ids);
        _sockets[id] = socket;
        if (Volatile.Read(ref _threads) == 0) StartThread();
        return id;
    }

    /// <summary>Forgets a socket; closing it takes it off the kernel's list.</summary>
    public void Leave(long id) => _sockets.TryRemove(id, out _);

    /// <summary>Asks for one event of a socket. What is ready already is one at once.</summary>
    public unsafe void Arm(SafeHandle socket, long id, uint events, bool first)
    {
        Span<byte> request = stackalloc byte[16];
        BinaryPrimitives.TryWriteUInt32LittleEndian(request, events | OneShot);
        BinaryPrimitives.WriteInt64LittleEndian(request[s_dataAt..], id);
        fixed (byte* at = request)
        {
            if (EpollControl(_epoll, first ? Add : Modify, socket, at) != 0) throw new IOException("epoll_ctl: " + Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
        }
    }

    private void StartThread()
    {
        if (Interlocked.Increment(ref _threads) > s_mostThreads)
        {
            Interlocked.Decrement(ref _threads);
            return;
        }

        new Thread(Run) { IsBackground = true, Name = "Mesh sockets" }.UnsafeStart();
    }

    private unsafe void Run()
    {
        var ready = stackalloc byte[16];
        while (true)
        {
            if (Interlocked.Increment(ref _asleep) > Sleepers)
            {
                Interlocked.Decrement(ref _asleep);
                Interlocked.Decrement(ref _threads);
                return;
            }

            var count = EpollWait(_epoll, ready, 1, -1);
            var error = count < 0 ? Marshal.GetLastPInvokeError() : 0;
            var asleep = Interlocked.Decrement(ref _asleep);
            if (count < 0 && error != Interrupted) throw new Win32Exception(error); // the descriptor is ours alone: cannot be
            if (count <= 0) continue;
            if (asleep == 0) StartThread();
            var events = *(uint*)ready;
            if (_sockets.TryGetValue(BinaryPrimitives.ReadInt64LittleEndian(new ReadOnlySpan<byte>(ready + s_dataAt, 8)), out var socket)) socket.OnReady(events);
        }
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static unsafe partial int EpollControl(int epoll, int operation, SafeHandle socket, byte* request);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static unsafe partial int EpollWait(int epoll, byte* events, int most, int milliseconds);
}
