using System.Security.Cryptography.X509Certificates;
using Mesh.Security;

namespace Mesh.Gateway.Authentication;

/// <summary>What a caller showed, the same over REST and gRPC.</summary>
/// <param name="BearerToken">From the Authorization header or metadata; null when there is none.</param>
/// <param name="ClientCertificate">From the TLS handshake (its chain is not checked yet); null when there is none.</param>
/// <param name="Headers">Looks up any other header (front-proxy authentication); returns null when absent.</param>
internal readonly record struct Credentials(string? BearerToken, X509Certificate2? ClientCertificate, Func<string, string?> Headers);

/// <summary>Finds out who asks.</summary>
internal interface IAuthenticator
{
    /// <summary>The user; null when credentials were shown and none of them is good (401). No credentials at all: anonymous, or null when that is off.</summary>
    ValueTask<UserInfo?> AuthenticateAsync(Credentials credentials, CancellationToken ct);
}
