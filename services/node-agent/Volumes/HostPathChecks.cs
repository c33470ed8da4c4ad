using System.Runtime.InteropServices;

namespace Mesh.NodeAgent.Volumes;

/// <summary>hostPath's types: what must be there, or is made.</summary>
internal static class HostPathChecks
{
    public static void Ensure(string path, string? type)
    {
        switch (type)
        {
            case null or "":
                return;
            case "DirectoryOrCreate":
                if (!Exists(path))
                    Directory.CreateDirectory(path, (UnixFileMode)0x1ED);
                Require(Directory.Exists(path), path, "directory");
                return;
            case "FileOrCreate":
                if (!Exists(path))
                    using (new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = (UnixFileMode)0x1A4 }))
                    {
                    }

                Require(Kind(path) == 0x8000, path, "file");
                return;
            case "Directory":
                Require(Directory.Exists(path), path, "directory");
                return;
            case "File":
                Require(Exists(path) && Kind(path) == 0x8000, path, "file");
                return;
            case "Socket":
                Require(Exists(path) && Kind(path) == 0xC000, path, "socket file");
                return;
            case "CharDevice":
                Require(Exists(path) && Kind(path) == 0x2000, path, "character device");
                return;
            case "BlockDevice":
                Require(Exists(path) && Kind(path) == 0x6000, path, "block device");
                return;
            default:
                throw new VolumeException($"{type} is an invalid volume type");
        }
    }

    private static void Require(bool ok, string path, string what)
    {
        if (!ok)
            throw new VolumeException($"hostPath type check failed: {path} is not a {what}");
    }

    private static bool Exists(string path) => Path.Exists(path);

    /// <summary>The file type bits of stat's st_mode, links followed; 0 when there is nothing.</summary>
    private static unsafe int Kind(string path)
    {
        // struct statx: stx_mode is a u16 at offset 28 on every architecture.
        var buffer = stackalloc byte[256];
        const int atFdcwd = -100;
        const uint statxType = 1;
        return Statx(atFdcwd, path, 0, statxType, buffer) == 0 ? *(ushort*)(buffer + 28) & 0xF000 : 0;
    }

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern unsafe int Statx(int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte* buffer);
}
