using System.Net;
using System.Runtime.InteropServices;
using Mesh.ServiceProxy.Model;

namespace Mesh.ServiceProxy.Userspace;

/// <summary>Counters of a forwarder since it was made.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ForwardingStats
{
    public ulong Accepted;
    public ulong Refused;
    public ulong Bytes;
    public uint Open;
    public uint Listeners;
}

/// <summary>The splice forwarder of libs/native/forwarding. Safe from any thread; refusals are errno values.</summary>
internal sealed partial class NativeForwarder : IDisposable
{
    private const string Lib = "mesh_forwarding";
    private IntPtr handle;

    private NativeForwarder(IntPtr handle) => this.handle = handle;

    /// <summary>A forwarder with its thread, or the reason why there is none.</summary>
    public static NativeForwarder? TryCreate(out string reason)
    {
        try
        {
            var handle = Create();
            reason = handle == IntPtr.Zero ? "no descriptors left" : "";
            return handle == IntPtr.Zero ? null : new NativeForwarder(handle);
        }
        catch (DllNotFoundException e)
        {
            reason = "the native module is not built: " + e.Message;
            return null;
        }
    }

    /// <summary>Listens; the result is the listener's id, or a negative errno.</summary>
    public int Listen(Transport transport, string address, int port) => Listen(handle, transport == Transport.Udp ? 1 : 0, Network(address), (ushort)port);

    /// <summary>The port a listener has (after asking for port 0).</summary>
    public int Port(int id) => Port(handle, id);

    public unsafe void Set(int id, IReadOnlyList<Backend> backends, int affinitySeconds)
    {
        var native = new NativeBackend[backends.Count];
        for (var i = 0; i < native.Length; i++)
            native[i] = new NativeBackend { Address = Network(backends[i].Address), Port = (ushort)backends[i].Port };
        fixed (NativeBackend* first = native)
            _ = Set(handle, id, first, (uint)native.Length, (uint)affinitySeconds);
    }

    public void Close(int id) => _ = Close(handle, id);

    public ForwardingStats Stats()
    {
        Read(handle, out var stats);
        return stats;
    }

    public void Dispose()
    {
        if (handle == IntPtr.Zero)
            return;
        Destroy(handle);
        handle = IntPtr.Zero;
    }

    private static uint Network(string address) => MemoryMarshal.Read<uint>(IPAddress.Parse(address).GetAddressBytes());

    [StructLayout(LayoutKind.Sequential)]
    private struct NativeBackend
    {
        public uint Address;
        public ushort Port;
        public ushort Reserved;
    }

    [LibraryImport(Lib, EntryPoint = "mesh_forwarder_create")]
    private static partial IntPtr Create();

    [LibraryImport(Lib, EntryPoint = "mesh_forwarder_destroy")]
    private static partial void Destroy(IntPtr forwarder);

    [LibraryImport(Lib, EntryPoint = "mesh_forwarder_listen")]
    private static partial int Listen(IntPtr forwarder, int protocol, uint address, ushort port);

    [LibraryImport(Lib, EntryPoint = "mesh_forwarder_port")]
    private static partial int Port(IntPtr forwarder, int id);

    [LibraryImport(Lib, EntryPoint = "mesh_forwarder_set")]
    private static unsafe partial int Set(IntPtr forwarder, int id, NativeBackend* backends, uint count, uint affinitySeconds);

    [LibraryImport(Lib, EntryPoint = "mesh_forwarder_close")]
    private static partial int Close(IntPtr forwarder, int id);

    [LibraryImport(Lib, EntryPoint = "mesh_forwarder_read")]
    private static partial void Read(IntPtr forwarder, out ForwardingStats stats);
}
