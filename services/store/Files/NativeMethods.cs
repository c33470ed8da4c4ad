using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Mesh.Store.Files;

/// <summary>The few calls of libc that .NET has no equal for: fdatasync (its flush is a full fsync), fallocate, fsync of a directory, O_DIRECT.</summary>
internal static partial class NativeMethods
{
    public const int ENOSPC = 28;
    private const int CloseOnExec = 0x80000; // O_CLOEXEC
    private const int ReadWrite = 0x2; // O_RDWR
    private const int DataSync = 0x1000; // O_DSYNC

    // The one pair of flags that Linux numbers by processor.
    private static readonly (int Direct, int Directory) s_flags =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? (0x10000, 0x4000) : (0x4000, 0x10000);

    /// <summary>For <see cref="Open"/> of a directory.</summary>
    public static int OpenDirectory => s_flags.Directory | CloseOnExec;

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int Fdatasync(SafeFileHandle fd);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Fsync(int fd);

    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    public static partial int PosixFallocate(SafeFileHandle fd, long offset, long length);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    /// <summary>A file for aligned writes around the page cache, each on the disk when it returns if asked so; null where the file system has no such thing.</summary>
    public static SafeFileHandle? OpenDirect(string path, bool durably)
    {
        var fd = Open(path, s_flags.Direct | ReadWrite | CloseOnExec | (durably ? DataSync : 0));
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    public static IOException Failure(string what, string path) =>
        new($"{what} {path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    public static bool IsDiskFull(IOException e) => (e.HResult & 0xffff) == ENOSPC || e.HResult == ENOSPC;
}
