using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Mesh.NodeAgent.Volumes;

/// <summary>Mounts, and the file attributes .NET does not set.</summary>
internal static partial class LinuxMount
{
    private const ulong MsBind = 4096;
    private const ulong MsNosuid = 2;
    private const ulong MsNodev = 4;
    private const int MntDetach = 2;
    private const int OPath = 0x200000;
    private const int OCloexec = 0x80000;

    /// <summary>Mounts a tmpfs; size 0 leaves the kernel's default (half of memory).</summary>
    public static void Tmpfs(string target, long sizeBytes, int mode = 0x1FF)
    {
        var options = $"mode={Convert.ToString(mode, 8)}" + (sizeBytes > 0 ? $",size={sizeBytes}" : "");
        Check(Mount("tmpfs", target, "tmpfs", MsNosuid | MsNodev, options), "mount tmpfs on " + target);
    }

    public static void Bind(string source, string target) => Check(Mount(source, target, "none", MsBind, ""), $"bind {source} on {target}");

    /// <summary>Mounts a file system by name ("nfs" has its own program and goes through it).</summary>
    public static void FileSystem(string source, string target, string type, string options) =>
        Check(Mount(source, target, type, 0, options), $"mount {source} ({type}) on {target}");

    public static void Unmount(string target) => Check(Umount(target, MntDetach), "unmount " + target);

    /// <summary>Mount points at or below a directory, deepest first.</summary>
    public static IReadOnlyList<string> Below(string directory)
    {
        var result = new List<string>();
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var point = Unescape(line.Split(' ')[4]);
            if (point == directory || point.StartsWith(directory + "/", StringComparison.Ordinal))
                result.Add(point);
        }

        result.Sort((a, b) => b.Length - a.Length);
        return result;
    }

    public static bool IsMountPoint(string path) => Below(path).Contains(path);

    /// <summary>Changes owner and group, not following links; -1 leaves one as it is.</summary>
    public static void Own(string path, long uid, long gid) => Check(Lchown(path, unchecked((uint)uid), unchecked((uint)gid)), "chown " + path);

    /// <summary>rename(2): replaces the target in one step, and moves a link itself, which File.Move does not.</summary>
    public static void Rename(string from, string to) => Check(RenamePath(from, to), $"rename {from} to {to}");

    /// <summary>Opens a path only as a place (O_PATH), so that what is checked is what is used.</summary>
    public static int OpenPlace(string path)
    {
        var fd = Open(path, OPath | OCloexec);
        if (fd < 0)
            throw new IOException($"open {path}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        return fd;
    }

    public static void ClosePlace(int fd) => _ = Close(fd);

    /// <summary>mountinfo writes blanks and backslashes as octal.</summary>
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
            return field;
        var text = new StringBuilder();
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length)
            {
                text.Append((char)Convert.ToInt32(field.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                text.Append(field[i]);
            }
        }

        return text.ToString();
    }

    private static void Check(int result, string what)
    {
        if (result != 0)
            throw new IOException($"{what}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Mount(string source, string target, string type, ulong flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Umount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Lchown(string path, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RenamePath(string from, string to);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int fd);
}
