using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;

namespace Mesh.Store.Tests.Support;

/// <summary>A service as a real process, which a test kills, stops for a while and starts again.</summary>
internal class ServiceProcess(Assembly service, string arguments) : IAsyncDisposable
{
    private Process? _process;

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("dotnet", $"{service.Location} {arguments}") { RedirectStandardError = true, RedirectStandardOutput = true };
        _process = Process.Start(start)!;
        var started = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var lines = new StringBuilder();
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is null) started.TrySetResult(false);
            else if (e.Data.Contains("Service started", StringComparison.Ordinal)) started.TrySetResult(true);
            else lines.AppendLine(e.Data);
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Assert.True(await started.Task.WaitAsync(TimeSpan.FromSeconds(60)), $"{service.GetName().Name} ended before it served: {lines}");
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>SIGSTOP, and SIGCONT after a while.</summary>
    public void Pause(TimeSpan time)
    {
        Signal("STOP");
        Thread.Sleep(time);
        Signal("CONT");

        void Signal(string name)
        {
            using var kill = Process.Start("/bin/kill", [$"-{name}", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_process is not null) await KillAsync();
        GC.SuppressFinalize(this);
    }

    internal static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
