using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Security.Pki;

/// <summary>Makes certificates. Keys are ECDSA P-256: a whole cluster's worth takes milliseconds where RSA takes seconds.</summary>
public static class CertificateFactory
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    // Clocks of a cluster's machines differ a little; a new certificate must be good on all of them at once.
    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);

    /// <summary>A self-signed authority.</summary>
    public static X509Certificate2 CreateAuthority(string commonName, DateTimeOffset now, TimeSpan life)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject(commonName, []), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment | X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(commonName);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(now - Backdate, now + life);
    }

    /// <summary>A certificate signed by the authority (which carries its private key), with a new key.</summary>
    public static X509Certificate2 Create(X509Certificate2 authority, CertificateRequestSpec spec, DateTimeOffset now, TimeSpan life)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject(spec.CommonName, spec.Organizations), key, HashAlgorithmName.SHA256);
        using var signed = Sign(authority, request, spec, now, life);
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>Signs a public key that somebody else made (certificate signing requests); the answer has no private key.</summary>
    public static X509Certificate2 Sign(X509Certificate2 authority, PublicKey key, CertificateRequestSpec spec, DateTimeOffset now, TimeSpan life) =>
        Sign(authority, new CertificateRequest(Subject(spec.CommonName, spec.Organizations), key, HashAlgorithmName.SHA256), spec, now, life);

    private static X509Certificate2 Sign(
        X509Certificate2 authority, CertificateRequest request, CertificateRequestSpec spec, DateTimeOffset now, TimeSpan life)
    {
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        var usages = new OidCollection();
        if (spec.Server) usages.Add(ServerAuthentication);
        if (spec.Client) usages.Add(ClientAuthentication);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(usages, critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        if (spec.Names.Count + spec.Addresses.Count > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var name in spec.Names) names.AddDnsName(name);
            foreach (var address in spec.Addresses) names.AddIpAddress(address);
            request.CertificateExtensions.Add(names.Build());
        }

        var end = now + life;
        if (end > authority.NotAfter.ToUniversalTime()) end = authority.NotAfter.ToUniversalTime();
        var start = now - Backdate;
        if (start < authority.NotBefore.ToUniversalTime()) start = authority.NotBefore.ToUniversalTime();
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f; // positive, as RFC 5280 wants
        using var key = authority.GetECDsaPrivateKey();
        if (key is not null)
        {
            return request.Create(authority.SubjectName, X509SignatureGenerator.CreateForECDsa(key), start, end, serial);
        }

        using var rsa = authority.GetRSAPrivateKey() ?? throw new InvalidOperationException("the authority has no private key");
        return request.Create(authority.SubjectName, X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1), start, end, serial);
    }

    private static X500DistinguishedName Subject(string commonName, IReadOnlyList<string> organizations)
    {
        var subject = new X500DistinguishedNameBuilder();
        // The builder encodes what was added last first.
        subject.AddCommonName(commonName);
        foreach (var organization in organizations.Reverse()) subject.AddOrganizationName(organization);
        return subject.Build();
    }
}
