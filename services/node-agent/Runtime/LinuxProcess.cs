using System.Runtime.InteropServices;

namespace Mesh.NodeAgent.Runtime;

/// <summary>Linux calls that .NET has no name for.</summary>
internal static partial class LinuxProcess
{
    public const int SigKill = 9;
    public const int SigTerm = 15;

    /// <summary>Sends a signal; a process that is gone is no error.</summary>
    public static void Signal(int pid, int signal) => _ = Kill(pid, signal);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);
}
