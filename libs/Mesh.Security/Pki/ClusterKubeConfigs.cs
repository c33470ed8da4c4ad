using System.Security.Cryptography;

namespace Mesh.Security.Pki;

/// <summary>
/// The kubeconfig of every component, each with a client certificate of its own name, as kubeadm writes them into
/// <c>/etc/kubernetes</c> (scheduler.conf, kubelet.conf ...), and of the administrators.
/// </summary>
public static class ClusterKubeConfigs
{
    /// <summary>File of the cluster administrator.</summary>
    public const string Admin = "admin.conf";

    /// <summary>File of the administrator whom RBAC cannot lock out (system:masters).</summary>
    public const string SuperAdmin = "super-admin.conf";

    /// <summary>File of the node agent.</summary>
    public const string Node = "kubelet.conf";

    /// <summary>File of the controllers.</summary>
    public const string Controllers = "controller-manager.conf";

    /// <summary>File of the scheduler.</summary>
    public const string Scheduler = "scheduler.conf";

    /// <summary>File of the service proxy.</summary>
    public const string Proxy = "proxy.conf";

    /// <summary>File of the cluster DNS.</summary>
    public const string Dns = "dns.conf";

    /// <summary>Who each file speaks as.</summary>
    public static IReadOnlyList<(string File, CertificateRequestSpec Client)> All(string nodeName) =>
    [
        (Admin, CertificateRequestSpec.ForClient("kubernetes-admin", ClusterPki.AdminGroup)),
        (SuperAdmin, CertificateRequestSpec.ForClient("kubernetes-super-admin", UserNames.Masters)),
        (Node, CertificateRequestSpec.ForClient(UserNames.NodePrefix + nodeName, UserNames.Nodes)),
        (Controllers, CertificateRequestSpec.ForClient("system:kube-controller-manager")),
        (Scheduler, CertificateRequestSpec.ForClient("system:kube-scheduler")),
        (Proxy, CertificateRequestSpec.ForClient("system:kube-proxy")),
        (Dns, CertificateRequestSpec.ForClient("system:kube-dns")),
    ];

    /// <summary>Writes into the folder what is missing, expiring, or points elsewhere. Answers the names of the files written.</summary>
    public static IReadOnlyList<string> Ensure(string directory, string pkiDirectory, PkiOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var paths = new PkiPaths(pkiDirectory);
        using var ca = PemFiles.Load(paths.Ca);
        var caPem = File.ReadAllText(paths.Ca.Certificate);
        var now = options.Time.GetUtcNow();
        var written = new List<string>();
        foreach (var (file, client) in All(options.NodeName))
        {
            var path = Path.Combine(directory, file);
            if (IsGood(path, caPem, client, options, now)) continue;
            using var certificate = CertificateFactory.Create(ca, client, now, options.CertificateLife);
            var config = new KubeConfig(
                options.ClusterName, options.ServerUrl, caPem, client.CommonName, certificate.ExportCertificatePem() + "\n", PemFiles.KeyPem(certificate));
            PemFiles.Write(path, config.ToYaml(), secret: true);
            written.Add(file);
        }

        return written;
    }

    private static bool IsGood(string path, string caPem, CertificateRequestSpec client, PkiOptions options, DateTimeOffset now)
    {
        if (!File.Exists(path)) return false;
        try
        {
            var config = KubeConfig.Load(path);
            if (config.Server != options.ServerUrl || config.AuthorityPem != caPem || config.Cluster != options.ClusterName) return false;
            using var certificate = config.ClientCertificate();
            return certificate is not null && CertificateCheck.WhyRenew(certificate, null, client, now, options.RenewBefore) is null;
        }
        catch (Exception e) when (e is InvalidDataException or CryptographicException or FormatException)
        {
            return false;
        }
    }
}
