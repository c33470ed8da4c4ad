using System.Security.Cryptography.X509Certificates;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security.Pki;
using Mesh.Security.Tokens;

namespace Mesh.Gateway;

/// <summary>The gateway's certificates and keys, read once at start.</summary>
internal sealed class GatewayPki
{
    private readonly X509Certificate2? serving;
    private readonly X509Certificate2? storeClient;
    private readonly X509Certificate2Collection? storeRoots;

    /// <summary>Reads what the options name.</summary>
    /// <exception cref="SettingsException">A file is missing or broken.</exception>
    public GatewayPki(GatewayOptions options)
    {
        var paths = new PkiPaths(options.PkiDir);
        var has = options.PkiDir.Length > 0;
        try
        {
            serving = Load(options.TlsCertFile, options.TlsKeyFile) ?? (has ? Load(paths.ApiServer.Certificate, paths.ApiServer.Key) : null);
            ClientAuthorities = options.ClientCaFile.Length > 0 ? File.ReadAllText(options.ClientCaFile) : has ? File.ReadAllText(paths.Ca.Certificate) : null;
            SigningKey = has ? SigningKey.FromPem(File.ReadAllText(paths.ServiceAccountKey)) : SigningKey.Create();
            NodeClient = has ? Load(paths.ApiServerKubeletClient.Certificate, paths.ApiServerKubeletClient.Key) : null;
            storeClient = options.StoreCertFile.Length > 0 ? PemFiles.Load(new CertificatePath(options.StoreCertFile, options.StoreKeyFile))
                : has ? Load(paths.ApiServerStoreClient.Certificate, paths.ApiServerStoreClient.Key) : null;
            storeRoots = options.StoreCaFile.Length > 0 ? Roots(File.ReadAllText(options.StoreCaFile)) : has ? Roots(File.ReadAllText(paths.StoreCa.Certificate)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new SettingsException("gateway: " + e.Message);
        }
    }

    /// <summary>PEM of the authorities of client certificates, or null.</summary>
    public string? ClientAuthorities { get; }

    /// <summary>The key of service account tokens.</summary>
    public SigningKey SigningKey { get; }

    /// <summary>What the gateway shows to node agents, or null.</summary>
    public X509Certificate2? NodeClient { get; }

    /// <summary>How a listener serves.</summary>
    public MeshListenOptions ListenOptions(MeshAddress address)
    {
        if (address.Scheme != MeshScheme.Https) return new MeshListenOptions();
        if (serving is null) throw new SettingsException("gateway: https needs --tls-cert-file and --tls-key-file, or --pki-dir");
        var roots = ClientAuthorities is { } pem ? Roots(pem) : null;
        return new MeshListenOptions { Certificate = () => serving, ClientRoots = roots is null ? null : () => roots };
    }

    /// <summary>How the store is reached.</summary>
    public MeshChannelOptions StoreChannel(MeshChannelOptions options) => options with
    {
        ClientCertificate = storeClient is null ? null : () => storeClient,
        TrustedRoots = storeRoots is null ? null : () => storeRoots,
    };

    private static X509Certificate2? Load(string certificate, string key) =>
        certificate.Length > 0 && key.Length > 0 && File.Exists(certificate) ? PemFiles.Load(new CertificatePath(certificate, key)) : null;

    private static X509Certificate2Collection Roots(string pem)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(pem);
        return roots;
    }
}
