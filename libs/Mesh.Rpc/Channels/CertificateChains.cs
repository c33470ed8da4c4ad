using System.Security.Cryptography.X509Certificates;

namespace Mesh.Rpc;

/// <summary>Verification against roots of our own, for both ends of TLS.</summary>
public static class CertificateChains
{
    /// <summary>Whether a certificate is in its validity and chains to one of the roots. Names and key usages are the caller's concern; revocation is not checked.</summary>
    /// <param name="leaf">The certificate.</param>
    /// <param name="roots">The trusted roots.</param>
    /// <param name="sent">The chain as the peer sent it: a source of intermediates, never of trust.</param>
    public static bool Verify(X509Certificate2 leaf, X509Certificate2Collection roots, X509Chain? sent = null)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        return chain.Build(leaf);
    }
}
