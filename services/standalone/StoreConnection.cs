using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Rpc.Etcd;
using Mesh.Security.Pki;
using Mesh.Store;

namespace Mesh.Standalone;

/// <summary>What keeps a cluster's state, opened for a command: endpoints elsewhere, or the cluster's own store, run in this process for as long as the command takes.</summary>
internal sealed class StoreConnection : IAsyncDisposable
{
    private readonly MeshHost? _host;
    private readonly GrpcChannel _channel;
    private readonly X509Certificate2? _certificate;

    private StoreConnection(string name, MeshHost? host, GrpcChannel channel, X509Certificate2? certificate)
    {
        (Name, _host, _channel, _certificate) = (name, host, channel, certificate);
        Kv = new KV.KVClient(channel);
        Leases = new Lease.LeaseClient(channel);
    }

    /// <summary>For messages.</summary>
    public string Name { get; }

    public KV.KVClient Kv { get; }

    public Lease.LeaseClient Leases { get; }

    /// <exception cref="SettingsException">A certificate cannot be read.</exception>
    public static async Task<StoreConnection> OpenAsync(ClusterOptions cluster, CancellationToken ct)
    {
        const string Address = "inproc://store";
        if (cluster.Store.Length == 0)
        {
            var directory = new ClusterLayout(cluster.DataDir).Store;
            var builder = MeshHost.CreateBuilder(["--log-level", "warning"]).Set("store", "data-dir", directory).Set("store", "listen", Address).Add(new StoreService());
            var host = builder.Build();
            await host.StartAsync(ct);
            return new StoreConnection(directory, host, MeshChannel.Create(Address, new MeshChannelOptions { Network = host.Network }), null);
        }

        try
        {
            var certificate = cluster.StoreCertFile.Length > 0 ? PemFiles.Load(new CertificatePath(cluster.StoreCertFile, cluster.StoreKeyFile)) : null;
            X509Certificate2Collection? roots = null;
            if (cluster.StoreCaFile.Length > 0)
            {
                roots = [];
                roots.ImportFromPemFile(cluster.StoreCaFile);
            }

            var options = new MeshChannelOptions { ClientCertificate = certificate is null ? null : () => certificate, TrustedRoots = roots is null ? null : () => roots };
            // One endpoint is enough for a command: a member that is down is told, not worked around.
            return new StoreConnection(cluster.Store, null, MeshChannel.Create(cluster.Store.Split(',')[0].Trim(), options), certificate);
        }
        catch (Exception e) when (e is IOException or System.Security.Cryptography.CryptographicException)
        {
            throw new SettingsException(e.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        if (_host is not null)
            await _host.DisposeAsync();
        _certificate?.Dispose();
    }
}
