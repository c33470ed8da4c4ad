using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Perf.Store;

namespace Mesh.Perf.Api;

/// <summary>A store and a gateway on a fresh data directory, each a process of its own as in <c>--mode services</c> or both in one; killed at the end.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly List<Process> _processes = [];
    private readonly string _directory;

    private ApiServer(string directory, int port, int storePort) => (_directory, Port, StorePort) = (directory, port, storePort);

    public int Port { get; }

    public int StorePort { get; }

    /// <summary>Where certificates and keys are.</summary>
    public string Pki => Path.Combine(_directory, "pki");

    /// <summary>Ids of the processes: store and gateway, or the one of both.</summary>
    public IEnumerable<int> Ids => _processes.Select(p => p.Id);

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

    /// <summary>Bytes both have written to disk so far.</summary>
    public long Written => _processes.Sum(p => long.Parse(
        File.ReadLines($"/proc/{p.Id}/io").First(l => l.StartsWith("write_bytes", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture));

    public static Task<ApiServer> StartAsync(string bin, string directory, CancellationToken ct) => StartAsync(bin, directory, ["store", "gateway"], [], ct);

    /// <param name="bin">Directory of Mesh.Standalone.</param>
    /// <param name="directory">Made here, removed at the end.</param>
    /// <param name="processes">The services of each process, comma separated.</param>
    /// <param name="settings">More flags of the services.</param>
    /// <param name="ct">Ends the wait for the gateway.</param>
    public static async Task<ApiServer> StartAsync(string bin, string directory, string[] processes, string[] settings, CancellationToken ct)
    {
        var (port, store) = (ServerProcess.FreePort(), ServerProcess.FreePort());
        Directory.CreateDirectory(directory);
        var prepare = Launch(bin, ["prepare", "--data-dir", directory, "--runtime", "hollow", "--node-name", "bench", $"--api-port={port}", $"--store-port={store}"]);
        await prepare.WaitForExitAsync(ct);
        var pki = Path.Combine(directory, "pki");
        if (prepare.ExitCode != 0 || !Directory.Exists(pki)) throw new InvalidOperationException("prepare failed");
        var kubeconfig = await File.ReadAllTextAsync(Path.Combine(directory, "kubeconfig"), ct);
        var server = new ApiServer(directory, port, store)
        {
            Client = X509Certificate2.CreateFromPem(Field(kubeconfig, "client-certificate-data"), Field(kubeconfig, "client-key-data")),
            Authority = X509Certificate2.CreateFromPem(Field(kubeconfig, "certificate-authority-data")),
        };
        foreach (var services in processes)
            server._processes.Add(Launch(bin, ["run", "--services", services, "--cluster", directory, "--log-level", "warning", .. settings.Where(s => services.Split(',').Contains(s.Split('.')[0][2..]))]));
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
