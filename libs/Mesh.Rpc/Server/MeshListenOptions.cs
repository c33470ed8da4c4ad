using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Rpc;

/// <summary>How a server serves one address. Certificates are functions, asked on every handshake, so that rotated files take effect.</summary>
public sealed record MeshListenOptions
{
    /// <summary>The server's certificate with its key; needed for <c>https://</c>.</summary>
    public Func<X509Certificate2>? Certificate { get; init; }

    /// <summary>Intermediates to send after the server's certificate.</summary>
    public X509Certificate2Collection? CertificateChain { get; init; }

    /// <summary>Roots that client certificates must chain to. Null: no client certificate is asked for.</summary>
    public Func<X509Certificate2Collection>? ClientRoots { get; init; }

    /// <summary>Whether a connection without a client certificate is refused; otherwise it is anonymous.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>HTTP versions. Default: both over TLS; without it HTTP/1.1 for http and HTTP/2 for unix sockets and in-process, since only TLS can negotiate.</summary>
    public HttpProtocols? Protocols { get; init; }

    /// <summary>A server that takes the place of Kestrel's HTTP/2 on this listener.</summary>
    public LeanGrpc? Grpc { get; init; }

    /// <summary>Permissions of a unix socket; default owner only.</summary>
    public UnixFileMode SocketMode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;
}
