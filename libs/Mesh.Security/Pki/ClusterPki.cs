using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Security.Pki;

/// <summary>Makes and keeps the certificates of a cluster. Calling Ensure again changes nothing that is still good.</summary>
public static class ClusterPki
{
    /// <summary>Group of the cluster's administrators, bound to cluster-admin by the bootstrap policy (kubeadm's name).</summary>
    public const string AdminGroup = "kubeadm:cluster-admins";

    /// <summary>
    /// Makes what is missing, about to expire, or made for other names. An authority that exists is never replaced:
    /// an expiring one is the operator's decision. Answers the files that were written, relative to the folder.
    /// </summary>
    public static IReadOnlyList<string> Ensure(string directory, PkiOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var paths = new PkiPaths(directory);
        var now = options.Time.GetUtcNow();
        var written = new List<string>();

        using var ca = Authority(paths.Ca, "kubernetes", options, now, written);
        using var frontProxyCa = Authority(paths.FrontProxyCa, "front-proxy-ca", options, now, written);
        using var storeCa = Authority(paths.StoreCa, "etcd-ca", options, now, written);

        var addresses = Loopback(options.Addresses);
        var serving = ServingNames(options);
        var nodeNames = Distinct(["localhost", options.NodeName]);
        var store = new CertificateRequestSpec(options.NodeName, [], true, true, nodeNames, addresses);

        Leaf(paths.ApiServer, ca, CertificateRequestSpec.ForServer("kube-apiserver", serving.Names, serving.Addresses));
        Leaf(paths.ApiServerKubeletClient, ca, CertificateRequestSpec.ForClient("kube-apiserver-kubelet-client", AdminGroup));
        Leaf(paths.NodeServer, ca, CertificateRequestSpec.ForServer(UserNames.NodePrefix + options.NodeName, nodeNames, addresses) with { Organizations = [UserNames.Nodes] });
        Leaf(paths.FrontProxyClient, frontProxyCa, CertificateRequestSpec.ForClient("front-proxy-client"));
        Leaf(paths.StoreServer, storeCa, store);
        Leaf(paths.StorePeer, storeCa, store);
        Leaf(paths.StoreHealthClient, storeCa, CertificateRequestSpec.ForClient("kube-etcd-healthcheck-client"));
        Leaf(paths.ApiServerStoreClient, storeCa, CertificateRequestSpec.ForClient("kube-apiserver-etcd-client"));
        ServiceAccountKey(paths, written);
        return written;

        void Leaf(CertificatePath path, X509Certificate2 authority, CertificateRequestSpec spec)
        {
            if (IsGood(path, authority, spec, options, now)) return;
            using var certificate = CertificateFactory.Create(authority, spec, now, options.CertificateLife);
            PemFiles.Save(path, certificate);
            written.Add(Path.GetRelativePath(paths.Root, path.Certificate));
        }
    }

    /// <summary>DNS names and addresses of the API server's serving certificate.</summary>
    internal static (IReadOnlyList<string> Names, IReadOnlyList<IPAddress> Addresses) ServingNames(PkiOptions options)
    {
        var names = new List<string>
        {
            "kubernetes", "kubernetes.default", "kubernetes.default.svc", $"kubernetes.default.svc.{options.ClusterDomain}", "localhost", options.NodeName,
        };
        var addresses = new List<IPAddress> { options.ServiceAddress };
        addresses.AddRange(Loopback(options.Addresses));
        foreach (var extra in options.ExtraNames)
        {
            if (IPAddress.TryParse(extra, out var address)) addresses.Add(address);
            else names.Add(extra);
        }

        return (Distinct(names), [.. addresses.Distinct()]);
    }

    private static List<string> Distinct(IEnumerable<string> names) =>
        [.. names.Select(n => n.ToLowerInvariant()).Distinct()];

    private static List<IPAddress> Loopback(IReadOnlyList<IPAddress> addresses) =>
        [.. addresses.Append(IPAddress.Loopback).Append(IPAddress.IPv6Loopback).Distinct()];

    private static X509Certificate2 Authority(CertificatePath path, string name, PkiOptions options, DateTimeOffset now, List<string> written)
    {
        if (File.Exists(path.Certificate) && File.Exists(path.Key)) return PemFiles.Load(path);
        if (File.Exists(path.Certificate))
        {
            throw new InvalidOperationException($"{path.Certificate} exists but its key {path.Key} does not: put the key back, or remove the certificate to start a new authority");
        }

        var authority = CertificateFactory.CreateAuthority(name, now, options.AuthorityLife);
        PemFiles.Save(path, authority);
        written.Add(Path.GetFileName(path.Certificate));
        return authority;
    }

    private static bool IsGood(CertificatePath path, X509Certificate2 authority, CertificateRequestSpec spec, PkiOptions options, DateTimeOffset now)
    {
        if (!File.Exists(path.Certificate) || !File.Exists(path.Key)) return false;
        try
        {
            using var certificate = PemFiles.Load(path);
            return CertificateCheck.WhyRenew(certificate, authority, spec, now, options.RenewBefore) is null;
        }
        catch (CryptographicException)
        {
            return false; // torn or foreign file: made anew
        }
    }

    private static void ServiceAccountKey(PkiPaths paths, List<string> written)
    {
        if (!File.Exists(paths.ServiceAccountKey))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            PemFiles.Write(paths.ServiceAccountKey, key.ExportPkcs8PrivateKeyPem() + "\n", secret: true);
            PemFiles.Write(paths.ServiceAccountPublicKey, key.ExportSubjectPublicKeyInfoPem() + "\n", secret: false);
            written.Add("sa.key");
        }
        else if (!File.Exists(paths.ServiceAccountPublicKey))
        {
            using var key = Tokens.SigningKey.FromPem(File.ReadAllText(paths.ServiceAccountKey));
            PemFiles.Write(paths.ServiceAccountPublicKey, key.PublicPem + "\n", secret: false);
            written.Add("sa.pub");
        }
    }
}
