using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Mesh.Rpc;

/// <summary>
/// How a client connects. Credentials are functions so that rotated files take effect: certificates on the next connection,
/// tokens on the next call.
/// </summary>
public sealed record MeshChannelOptions
{
    /// <summary>The network of <c>inproc://</c> addresses.</summary>
    public InProcNetwork? Network { get; init; }

    /// <summary>The client certificate (with its key) of new connections; null for none.</summary>
    public Func<X509Certificate2?>? ClientCertificate { get; init; }

    /// <summary>The roots that server certificates must chain to; null for the system's.</summary>
    public Func<X509Certificate2Collection>? TrustedRoots { get; init; }

    /// <summary>Name to expect in the server's certificate, in place of the address's host.</summary>
    public string? ServerName { get; init; }

    /// <summary>Accepts any server certificate. For probes and tests only.</summary>
    public bool InsecureSkipVerify { get; init; }

    /// <summary>The bearer token of each call (<c>authorization: Bearer …</c>); a null answer sends none.</summary>
    public Func<CancellationToken, ValueTask<string?>>? BearerToken { get; init; }

    /// <summary>Largest message received, in bytes; default 64 MiB. Sent messages have no limit here, the server has its own.</summary>
    public int MaxMessageBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Time to connect and shake hands; default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A connection with calls under way that is silent so long is pinged; default 20 s.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A ping unanswered so long closes the connection; default 10 s.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Where the client logs; null for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Options with a fixed client certificate and roots.</summary>
    public static MeshChannelOptions WithCertificates(X509Certificate2? clientCertificate, X509Certificate2Collection? roots) => new()
    {
        ClientCertificate = clientCertificate is null ? null : () => clientCertificate,
        TrustedRoots = roots is null ? null : () => roots,
    };

    /// <summary>Options with a fixed bearer token.</summary>
    public static MeshChannelOptions WithToken(string token) => new() { BearerToken = _ => new ValueTask<string?>(token) };
}
