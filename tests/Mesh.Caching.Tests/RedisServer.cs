using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Mesh.Caching.Tests;

/// <summary>Debian's redis-server on a free port of loopback, for one test: it can be stopped, made to hang, and be back on the same port.</summary>
internal sealed class RedisServer : IDisposable
{
    private Process? process;

    public RedisServer() => Start();

    public int Port { get; } = FreePort();

    public string Configuration => $"127.0.0.1:{Port}";

    public void Start() => process = Process.Start(new ProcessStartInfo(
        "redis-server", ["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath()])
    { RedirectStandardOutput = true })!;

    public void Kill()
    {
        process!.Kill();
        process.WaitForExit();
        process.Dispose();
        process = null;
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [name, $"{process!.Id}"]);
        kill.WaitForExit();
    }

    public string Command(params string[] words)
    {
        using var cli = Process.Start(new ProcessStartInfo("redis-cli", ["-p", $"{Port}", .. words]) { RedirectStandardOutput = true })!;
        var said = cli.StandardOutput.ReadToEnd();
        cli.WaitForExit();
        return said.Trim();
    }

    public void Dispose()
    {
        if (process is not null) Kill();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
