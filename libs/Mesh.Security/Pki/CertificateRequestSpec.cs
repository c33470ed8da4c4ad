using System.Net;

namespace Mesh.Security.Pki;

/// <summary>What a certificate shall say.</summary>
/// <param name="CommonName">CN of the subject: the user name of a client.</param>
/// <param name="Organizations">O of the subject: the groups of a client.</param>
/// <param name="Client">May prove a client (extended key usage).</param>
/// <param name="Server">May prove a server.</param>
/// <param name="Names">Subject alternative names: DNS names.</param>
/// <param name="Addresses">Subject alternative names: addresses.</param>
public sealed record CertificateRequestSpec(
    string CommonName,
    IReadOnlyList<string> Organizations,
    bool Client,
    bool Server,
    IReadOnlyList<string> Names,
    IReadOnlyList<IPAddress> Addresses)
{
    /// <summary>A client named as a user in groups.</summary>
    public static CertificateRequestSpec ForClient(string user, params string[] groups) => new(user, groups, true, false, [], []);

    /// <summary>A server under names and addresses.</summary>
    public static CertificateRequestSpec ForServer(string commonName, IReadOnlyList<string> names, IReadOnlyList<IPAddress> addresses) =>
        new(commonName, [], false, true, names, addresses);
}
