namespace Mesh.Security.Pki;

/// <summary>Names of the files under a PKI folder: kubeadm's layout (<c>/etc/kubernetes/pki</c>), so that its users find their way.</summary>
public sealed class PkiPaths(string directory)
{
    /// <summary>The PKI folder.</summary>
    public string Root { get; } = directory;

    /// <summary>The cluster's certificate authority.</summary>
    public CertificatePath Ca => At("ca");

    /// <summary>Serving certificate of the gateway (port 6443).</summary>
    public CertificatePath ApiServer => At("apiserver");

    /// <summary>Client certificate by which the gateway calls node agents.</summary>
    public CertificatePath ApiServerKubeletClient => At("apiserver-kubelet-client");

    /// <summary>Authority of the aggregation layer's proxies.</summary>
    public CertificatePath FrontProxyCa => At("front-proxy-ca");

    /// <summary>Client certificate by which the gateway calls aggregated API servers.</summary>
    public CertificatePath FrontProxyClient => At("front-proxy-client");

    /// <summary>Authority of the store (etcd).</summary>
    public CertificatePath StoreCa => At("etcd/ca");

    /// <summary>Serving certificate of the store.</summary>
    public CertificatePath StoreServer => At("etcd/server");

    /// <summary>Certificate between members of the store.</summary>
    public CertificatePath StorePeer => At("etcd/peer");

    /// <summary>Client certificate of health checks and of <c>etcdctl</c>.</summary>
    public CertificatePath StoreHealthClient => At("etcd/healthcheck-client");

    /// <summary>Client certificate by which the gateway calls the store.</summary>
    public CertificatePath ApiServerStoreClient => At("apiserver-etcd-client");

    /// <summary>Serving certificate of the node agent (port 10250).</summary>
    public CertificatePath NodeServer => At("kubelet");

    /// <summary>Private key that signs service account tokens.</summary>
    public string ServiceAccountKey => Path.Combine(Root, "sa.key");

    /// <summary>Public key that verifies service account tokens.</summary>
    public string ServiceAccountPublicKey => Path.Combine(Root, "sa.pub");

    private CertificatePath At(string name) => new(Path.Combine(Root, name + ".crt"), Path.Combine(Root, name + ".key"));
}

/// <summary>The two PEM files of a certificate.</summary>
public readonly record struct CertificatePath(string Certificate, string Key);
