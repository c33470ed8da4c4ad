using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Perf.Store;

namespace Mesh.Perf.Api;

/// <summary>A store and a gateway, each a process of its own as in <c>--mode services</c>, on a fresh data directory; killed at the end.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly List<Process> _processes = [];
    private readonly string _directory;

    private ApiServer(string directory, int port) => (_directory, Port) = (directory, port);

    public int Port { get; }

    public required X509Certificate2 Client { get; init; }

    public required X509Certificate2 Authority { get; init; }

    /// <summary>CPU seconds of both processes so far.</summary>
    public double Cpu => _processes.Sum(p =>
    {
        p.Refresh();
        return p.TotalProcessorTime.TotalSeconds;
    });

    /// <summary>Resident memory of both, in MiB.</summary>
    public double Resident => _processes.Sum(p =>
    {
        p.Refresh();
        return p.WorkingSet64 / 1048576.0;
    });

    /// <summary>Resident memory of each: store + gateway.</summary>
    public string ResidentEach => string.Join(" + ", _processes.Select(p => p.WorkingSet64 >> 20));

    /// <summary>Bytes both have written to disk so far.</summary>
    public long Written => _processes.Sum(p => long.Parse(
        File.ReadLines($"/proc/{p.Id}/io").First(l => l.StartsWith("write_bytes", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture));

    public static async Task<ApiServer> StartAsync(string bin, string directory, CancellationToken ct)
    {
        var (port, store) = (ServerProcess.FreePort(), ServerProcess.FreePort());
        Directory.CreateDirectory(directory);
        var prepare = Launch(bin, ["prepare", "--data-dir", directory, "--runtime", "hollow", "--node-name", "bench", $"--api-port={port}", $"--store-port={store}"]);
        await prepare.WaitForExitAsync(ct);
        var pki = Path.Combine(directory, "pki");
        if (prepare.ExitCode != 0 || !Directory.Exists(pki)) throw new InvalidOperationException("prepare failed");
        var kubeconfig = await File.ReadAllTextAsync(Path.Combine(directory, "kubeconfig"), ct);
        var server = new ApiServer(directory, port)
        {
            Client = X509Certificate2.CreateFromPem(Field(kubeconfig, "client-certificate-data"), Field(kubeconfig, "client-key-data")),
            Authority = X509Certificate2.CreateFromPem(Field(kubeconfig, "certificate-authority-data")),
        };
        foreach (var name in (string[])["store", "gateway"])
            server._processes.Add(Launch(bin, ["run", "--services", name, "--cluster", directory, "--log-level", "warning"]));
        for (var left = 600; ; left--)
        {
            try
            {
                await using var wire = await HttpWire.ConnectAsync(server, ct);
                var (status, _) = await wire.SendAsync("GET", "/api/v1/namespaces/default", default, ct);
                if (status == 200) return server;
            }
            catch (IOException) when (left > 0)
            {
            }
            catch (System.Net.Sockets.SocketException) when (left > 0)
            {
            }

            if (left == 0) throw new InvalidOperationException("the gateway does not answer");
            await Task.Delay(50, ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes))
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Client.Dispose();
        Authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static Process Launch(string bin, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(Path.Combine(bin, "Mesh.Standalone"), arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.ErrorDataReceived += static (_, e) =>
        {
            if (e.Data is { Length: > 0 } line) Console.Error.WriteLine(line);
        };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    private static string Field(string kubeconfig, string name)
    {
        var line = kubeconfig.Split('\n').Single(l => l.TrimStart().StartsWith(name + ":", StringComparison.Ordinal));
        return Encoding.ASCII.GetString(Convert.FromBase64String(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()));
    }
}
