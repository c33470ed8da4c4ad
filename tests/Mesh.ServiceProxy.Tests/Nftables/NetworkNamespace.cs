using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Mesh.ServiceProxy.Tests.Nftables;

/// <summary>
/// Runs a test body on a thread of its own inside a new network namespace: sockets and processes made there live in it, and it goes when
/// the thread and they are gone.
/// </summary>
internal static partial class NetworkNamespace
{
    private const int CloneNewNet = 0x40000000;

    public static void Run(Action body)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Unshare(CloneNewNet) != 0)
                    throw new InvalidOperationException($"unshare: errno {Marshal.GetLastPInvokeError()} (the tests need root)");
                Sh("ip link set lo up");
                body();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        Assert.True(thread.Join(TimeSpan.FromMinutes(2)), "the test body did not end");
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Runs a shell command in the namespace of the calling thread and gives its output.</summary>
    public static string Sh(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command}: {error}");
        return output;
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
