using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Mesh.Rpc;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Perf.Store;

/// <summary>The store or etcd as a process of its own on a fresh data directory; killed at the end.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    /// <summary>CPU time used so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<ServerProcess> StartAsync(string name, string directory)
    {
        var (port, peer) = (FreePort(), FreePort());
        var address = $"http://127.0.0.1:{port}";
        var start = name == "etcd"
            ? new ProcessStartInfo("/usr/bin/etcd", ["--data-dir", directory, "--listen-client-urls", address, "--advertise-client-urls", address,
                "--listen-peer-urls", $"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", $"http://127.0.0.1:{peer}", "--initial-cluster", $"default=http://127.0.0.1:{peer}",
                "--log-level", "error"])
            : new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Mesh.Store.dll"), "--data-dir", directory, "--listen", address, "--log-level", "warning"]);
        start.RedirectStandardError = true;
        start.RedirectStandardOutput = true;
        var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, e) =>
        {
            if (e.Data is { Length: > 0 } line) Console.Error.WriteLine(line);
        };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var server = new ServerProcess(process, address);
        using var channel = MeshChannel.Create(address);
        for (var left = 100; ; left--)
        {
            try
            {
                await new Pb.Maintenance.MaintenanceClient(channel).StatusAsync(new Pb.StatusRequest(), deadline: DateTime.UtcNow.AddSeconds(2));
                return server;
            }
            catch (RpcException) when (left > 0)
            {
                await Task.Delay(100);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>A port of loopback that nobody has right now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
