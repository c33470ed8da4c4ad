using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mesh.Security.Pki;

namespace Mesh.Gateway.Tests.Etcd;

/// <summary>Three real etcd members (Debian's etcd-server) with TLS between them and to clients, on loopback.</summary>
internal sealed class EtcdCluster : IAsyncDisposable
{
    private readonly string _directory;
    private readonly (int Client, int Peer)[] _ports;
    private readonly Process?[] _members = new Process?[3];

    private EtcdCluster(string directory)
    {
        _directory = directory;
        // Held together until all are known, so that no port is given twice.
        var listeners = Enumerable.Range(0, 6).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port).ToList();
        listeners.ForEach(l => l.Dispose());
        _ports = [(ports[0], ports[1]), (ports[2], ports[3]), (ports[4], ports[5])];
    }

    public string Pki => Path.Combine(_directory, "pki");

    public PkiPaths Paths => new(Pki);

    public string Endpoint(int member) => $"https://127.0.0.1:{_ports[member].Client}";

    public string Endpoints => string.Join(',', Enumerable.Range(0, 3).Select(Endpoint));

    public static async Task<EtcdCluster> StartAsync()
    {
        var cluster = new EtcdCluster(Directory.CreateTempSubdirectory("mesh-etcd-").FullName);
        ClusterPki.Ensure(cluster.Pki, new PkiOptions { NodeName = "node", Addresses = [IPAddress.Loopback], ServiceAddress = IPAddress.Parse("10.96.0.1"), ServerUrl = "https://127.0.0.1:6443" });
        for (var i = 0; i < 3; i++) cluster.Start(i);
        await cluster.HealthyAsync(3);
        return cluster;
    }

    /// <summary>kill -9.</summary>
    public void Kill(int member)
    {
        _members[member]!.Kill();
        _members[member]!.WaitForExit();
        _members[member]!.Dispose();
        _members[member] = null;
    }

    public void Start(int member)
    {
        var peers = string.Join(',', _ports.Select((p, i) => $"m{i}=https://127.0.0.1:{p.Peer}"));
        var (client, peer) = (Endpoint(member), $"https://127.0.0.1:{_ports[member].Peer}");
        var server = Paths.StoreServer;
        var start = new ProcessStartInfo("etcd", [
            "--name", $"m{member}", "--data-dir", Path.Combine(_directory, "m" + member), "--log-level", "error",
            "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", peers,
            "--client-cert-auth", "--trusted-ca-file", Paths.StoreCa.Certificate, "--cert-file", server.Certificate, "--key-file", server.Key,
            "--peer-client-cert-auth", "--peer-trusted-ca-file", Paths.StoreCa.Certificate, "--peer-cert-file", server.Certificate, "--peer-key-file", server.Key])
        { RedirectStandardError = true, RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        _members[member] = process;
    }

    /// <summary>Runs Debian's etcdctl against the members and gives what it prints.</summary>
    public async Task<(int Code, string Output)> EtcdctlAsync(string endpoints, params string[] arguments)
    {
        var start = new ProcessStartInfo("etcdctl", arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in ((string, string)[])[
            ("API", "3"), ("ENDPOINTS", endpoints), ("CACERT", Paths.StoreCa.Certificate), ("CERT", Paths.StoreHealthClient.Certificate), ("KEY", Paths.StoreHealthClient.Key)])
            start.Environment["ETCDCTL_" + name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + error);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _members)
        {
            if (process is null) continue;
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Waits until so many members answer.</summary>
    public async Task HealthyAsync(int count)
    {
        var output = "";
        for (var left = 120; left > 0; left--)
        {
            (_, output) = await EtcdctlAsync(Endpoints, "endpoint", "health", "--command-timeout=2s");
            if (output.Split('\n').Count(l => l.Contains("is healthy", StringComparison.Ordinal)) >= count) return;
            await Task.Delay(500);
        }

        Assert.Fail(output);
    }
}
