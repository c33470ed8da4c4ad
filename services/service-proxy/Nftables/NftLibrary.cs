using System.Runtime.InteropServices;

namespace Mesh.ServiceProxy.Nftables;

/// <summary>
/// libnftables in this process, behind the native module that keeps its descriptors small (libs/native/nftables): a command is one kernel
/// transaction and costs no fork (0.1 to 0.4 ms for a service's difference).
/// </summary>
internal sealed unsafe partial class NftLibrary : IDisposable
{
    private const string Lib = "mesh_nftables";
    private const int ErrorSize = 4096;
    private IntPtr context;

    private NftLibrary(IntPtr context) => this.context = context;

    /// <summary>Opens a context, or gives the reason why there is none (library missing, no permission).</summary>
    public static NftLibrary? TryOpen(out string reason)
    {
        var error = stackalloc byte[ErrorSize];
        *error = 0;
        var handle = Open(error, ErrorSize);
        if (handle == IntPtr.Zero)
        {
            reason = Text(error);
            return null;
        }

        var library = new NftLibrary(handle);
        if (library.TryRun("list tables", out reason))
            return library;
        library.Dispose();
        return null;
    }

    /// <summary>Runs commands as one transaction; false with the library's words when it was refused.</summary>
    public bool TryRun(string commands, out string error)
    {
        ObjectDisposedException.ThrowIf(context == IntPtr.Zero, this);
        var buffer = stackalloc byte[ErrorSize];
        *buffer = 0;
        var code = Run(context, commands, buffer, ErrorSize);
        error = Text(buffer);
        return code == 0;
    }

    public void Dispose()
    {
        if (context == IntPtr.Zero)
            return;
        Close(context);
        context = IntPtr.Zero;
    }

    private static string Text(byte* error) => Marshal.PtrToStringUTF8((IntPtr)error) ?? "";

    [LibraryImport(Lib, EntryPoint = "mesh_nft_open")]
    private static partial IntPtr Open(byte* error, uint size);

    [LibraryImport(Lib, EntryPoint = "mesh_nft_run", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Run(IntPtr context, string commands, byte* error, uint size);

    [LibraryImport(Lib, EntryPoint = "mesh_nft_close")]
    private static partial void Close(IntPtr context);
}
