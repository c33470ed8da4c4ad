using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Rpc;

/// <summary>
/// TLS contexts by certificate object: building one parses keys and chain, so it is done once per certificate and not per handshake.
/// Entries go with their certificates.
/// </summary>
internal sealed class CertificateContexts
{
    private readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> _contexts = [];

    public SslStreamCertificateContext Get(X509Certificate2 certificate, X509Certificate2Collection? chain) =>
        _contexts.GetValue(certificate, key => SslStreamCertificateContext.Create(key, chain, offline: true));
}
