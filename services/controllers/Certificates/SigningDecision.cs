using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Api.Certificates.V1;
using Mesh.Security;
using Mesh.Security.Pki;

namespace Mesh.Controllers.Certificates;

/// <summary>What is to become of an approved request: a certificate of this content, or a failure.</summary>
/// <param name="Key">The key to certify; null on failure.</param>
/// <param name="Spec">What the certificate says.</param>
/// <param name="Life">How long it is good.</param>
/// <param name="Failure">Why the signer refuses; null when it does not.</param>
internal sealed record SigningPlan(PublicKey? Key, CertificateRequestSpec? Spec, TimeSpan Life, string? Failure);

/// <summary>The cluster's own signers (kubernetes.io/…): which requests they sign, and with what content.</summary>
internal static class SigningDecision
{
    internal static readonly TimeSpan LongestLife = TimeSpan.FromDays(365);
    private const string Client = "kubernetes.io/kube-apiserver-client";
    private const string NodeClient = "kubernetes.io/kube-apiserver-client-kubelet";
    private const string NodeServer = "kubernetes.io/kubelet-serving";

    /// <summary>True when the request is ours, approved, and neither issued nor failed.</summary>
    internal static bool IsDue(CertificateSigningRequest csr) =>
        csr.Spec?.SignerName is Client or NodeClient or NodeServer && csr.Status?.Certificate is not { Length: > 0 }
        && Has(csr, "Approved") && !Has(csr, "Denied") && !Has(csr, "Failed");

    internal static SigningPlan Decide(CertificateSigningRequest csr)
    {
        var server = csr.Spec!.SignerName == NodeServer;
        CertificateRequest request;
        try
        {
            request = CertificateRequest.LoadSigningRequestPem(
                Encoding.ASCII.GetString(csr.Spec.Request ?? []), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return Refuse("unable to parse csr: " + e.Message);
        }

        var (name, organizations) = Subject(request.SubjectName);
        var names = request.CertificateExtensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault()
            ?? (request.CertificateExtensions.FirstOrDefault(e => e.Oid?.Value == "2.5.29.17") is { } raw ? new X509SubjectAlternativeNameExtension(raw.RawData) : null);
        List<string> hosts = names is null ? [] : [.. names.EnumerateDnsNames()];
        List<System.Net.IPAddress> addresses = names is null ? [] : [.. names.EnumerateIPAddresses()];

        var wanted = server ? "server auth" : "client auth";
        var usages = csr.Spec.Usages ?? [];
        if (!usages.Contains(wanted) || usages.Exists(u => u != wanted && u is not ("digital signature" or "key encipherment")))
            return Refuse($"usages did not match [digital signature, key encipherment, {wanted}]");
        if (csr.Spec.SignerName != Client)
        {
            if (!organizations.SequenceEqual([UserNames.Nodes])) return Refuse("subject organization is not system:nodes");
            if (!name.StartsWith(UserNames.NodePrefix, StringComparison.Ordinal)) return Refuse("subject common name does not begin with system:node:");
            if (server && hosts.Count + addresses.Count == 0) return Refuse("DNS or IP subjectAltName is required");
            if (!server && hosts.Count + addresses.Count > 0) return Refuse("DNS or IP subjectAltNames are not allowed");
        }

        var asked = csr.Spec.ExpirationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : LongestLife;
        return new SigningPlan(
            request.PublicKey, new CertificateRequestSpec(name, organizations, !server, server, hosts, addresses), asked < LongestLife ? asked : LongestLife, null);
    }

    private static bool Has(CertificateSigningRequest csr, string type) => csr.Status?.Conditions?.Exists(c => c.Type == type && c.Status != "False") == true;

    private static SigningPlan Refuse(string why) => new(null, null, default, why);

    /// <summary>Common name and organizations of a subject.</summary>
    internal static (string Name, IReadOnlyList<string> Organizations) Subject(X500DistinguishedName subject)
    {
        var (name, organizations) = ("", new List<string>());
        foreach (var part in subject.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements) continue;
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3": name = part.GetSingleElementValue() ?? ""; break;
                case "2.5.4.10": organizations.Add(part.GetSingleElementValue() ?? ""); break;
            }
        }

        return (name, organizations);
    }
}
