using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Store.Tests.Support;

/// <summary>A real store process on a data directory of its own; killed, not stopped, when asked.</summary>
internal sealed class StoreProcess : IAsyncDisposable
{
    private readonly string _extra;
    private Process? _process;

    public StoreProcess(string extra = "")
    {
        _extra = extra;
        DataDir = Directory.CreateTempSubdirectory("mesh-store-test-").FullName;
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        Port = ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public string DataDir { get; }

    public int Port { get; }

    public string Address => $"http://127.0.0.1:{Port}";

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("dotnet", $"{typeof(StoreService).Assembly.Location} --data-dir {DataDir}/data --listen {Address} {_extra}")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
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
        Assert.True(await started.Task.WaitAsync(TimeSpan.FromSeconds(60)), "the store process ended before it served: " + lines);
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
            using var kill = Process.Start("/bin/kill", [$"-{name}", _process!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await KillAsync();
        Directory.Delete(DataDir, recursive: true);
    }
}
