using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Perf.Store;

namespace Mesh.Perf.Api;

/// <summary>A store and a gateway on a fresh data directory, each a process of its own as in <c>--mode services</c> or both in one; killed at the end.</summary>
internal sealed class ApiServer : ApiTarget
{
    public override string Name => "Mesh";

    public override string AllocatedMetric => "dotnet_gc_allocated_bytes_total";

    public required int StorePort { get; init; }

    /// <summary>Where certificates and keys are.</summary>
    public string Pki => Path.Combine(Directory, "pki");

    public static Task<ApiServer> StartAsync(string bin, string directory, CancellationToken ct) => StartAsync(bin, directory, ["store", "gateway"], [], ct);

    /// <param name="bin">Directory of Mesh.Standalone.</param>
    /// <param name="directory">Made here, removed at the end.</param>
    /// <param name="processes">The services of each process, comma separated.</param>
    /// <param name="settings">More flags of the services.</param>
    /// <param name="ct">Ends the wait for the gateway.</param>
    public static async Task<ApiServer> StartAsync(string bin, string directory, string[] processes, string[] settings, CancellationToken ct)
    {
        var program = Path.Combine(bin, "Mesh.Standalone");
        var (port, store) = (ServerProcess.FreePort(), ServerProcess.FreePort());
        System.IO.Directory.CreateDirectory(directory);
        using var prepare = Launch(program, ["prepare", "--data-dir", directory, "--runtime", "hollow", "--node-name", "bench", $"--api-port={port}", $"--store-port={store}"]);
        await prepare.WaitForExitAsync(ct);
        if (prepare.ExitCode != 0) throw new InvalidOperationException("prepare failed");
        var kubeconfig = await File.ReadAllTextAsync(Path.Combine(directory, "kubeconfig"), ct);
        var server = new ApiServer
        {
            Port = port,
            StorePort = store,
            Directory = directory,
            Client = X509Certificate2.CreateFromPem(Field(kubeconfig, "client-certificate-data"), Field(kubeconfig, "client-key-data")),
            Authority = X509Certificate2.CreateFromPem(Field(kubeconfig, "certificate-authority-data")),
        };
        foreach (var services in processes)
            server.Processes.Add(Launch(program, ["run", "--services", services, "--cluster", directory, "--log-level", "warning", .. settings.Where(s => services.Split(',').Contains(s.Split('.')[0][2..]))]));
        await server.WaitAsync(ct);
        return server;
    }

    private static string Field(string kubeconfig, string name)
    {
        var line = kubeconfig.Split('\n').Single(l => l.TrimStart().StartsWith(name + ":", StringComparison.Ordinal));
        return Encoding.ASCII.GetString(Convert.FromBase64String(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()));
    }
}
