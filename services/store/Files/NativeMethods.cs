using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Mesh.Store.Files;

/// <summary>The few calls of libc that .NET has no equal for: fdatasync (its flush is a full fsync), fallocate, fsync of a directory.</summary>
internal static partial class NativeMethods
{
    public const int ENOSPC = 28;
    public const int OpenDirectory = 0x10000 | 0x80000; // O_DIRECTORY | O_CLOEXEC

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

    public static IOException Failure(string what, string path) =>
        new($"{what} {path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    public static bool IsDiskFull(IOException e) => (e.HResult & 0xffff) == ENOSPC || e.HResult == ENOSPC;
}
