using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Security.Pki;

/// <summary>
/// Turns a client certificate into a user: CN is the name, O the groups. The chain is built once for a certificate and
/// remembered until it expires.
/// </summary>
public sealed class ClientCertificateVerifier : IDisposable
{
    private const int MaxRemembered = 4096;
    private readonly X509Certificate2Collection _authorities;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, Verified> _verified = new();

    /// <summary>A verifier that trusts the authorities (a bundle of PEM certificates).</summary>
    public ClientCertificateVerifier(string authoritiesPem, TimeProvider time)
    {
        _authorities = [];
        _authorities.ImportFromPem(authoritiesPem);
        _time = time;
    }

    /// <summary>The user, or null when no trusted authority signed it, it is out of its time, or it is not for clients.</summary>
    public UserInfo? Verify(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var hash = certificate.GetCertHashString(HashAlgorithmName.SHA256);
        var now = _time.GetUtcNow().UtcDateTime;
        if (_verified.TryGetValue(hash, out var known)) return now <= known.NotAfter && now >= known.NotBefore ? known.User : null;

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = now;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2"));
        if (!chain.Build(certificate)) return null;

        var (name, groups) = SubjectNames.Read(certificate.SubjectName);
        if (name.Length == 0) return null;
        var extra = new Dictionary<string, IReadOnlyList<string>>
        {
            ["authentication.kubernetes.io/credential-id"] = [$"X509SHA256={hash.ToLowerInvariant()}"],
        };
        var user = new UserInfo(name, "", groups, extra);
        if (_verified.Count >= MaxRemembered) _verified.Clear();
        _verified[hash] = new Verified(user, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return user;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var authority in _authorities) authority.Dispose();
    }

    private sealed record Verified(UserInfo User, DateTime NotBefore, DateTime NotAfter);
}
