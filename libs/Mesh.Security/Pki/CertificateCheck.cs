using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Security.Pki;

/// <summary>Says whether a certificate found on disk still does its work.</summary>
public static class CertificateCheck
{
    /// <summary>Null when good, else why it must be made anew: expiry, another authority, another subject, a missing name.</summary>
    public static string? WhyRenew(X509Certificate2 certificate, X509Certificate2? authority, CertificateRequestSpec? spec, DateTimeOffset now, TimeSpan renewBefore)
    {
        if (certificate.NotAfter.ToUniversalTime() - now.UtcDateTime < renewBefore)
        {
            return $"expires at {certificate.NotAfter.ToUniversalTime():u}";
        }

        if (authority is not null && !IsSignedBy(certificate, authority)) return "signed by another authority";
        if (spec is null) return null;
        var (name, groups) = SubjectNames.Read(certificate.SubjectName);
        if (name != spec.CommonName || !groups.SequenceEqual(spec.Organizations)) return $"made for {name}";
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        var dns = names?.EnumerateDnsNames().ToHashSet(StringComparer.OrdinalIgnoreCase) ?? [];
        var addresses = names?.EnumerateIPAddresses().ToHashSet() ?? [];
        foreach (var wanted in spec.Names)
        {
            if (!dns.Contains(wanted)) return $"does not name {wanted}";
        }

        foreach (IPAddress wanted in spec.Addresses)
        {
            if (!addresses.Contains(wanted)) return $"does not name {wanted}";
        }

        return null;
    }

    private static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate);
    }
}
