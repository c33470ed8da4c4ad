using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Api.Authorization.V1;
using Mesh.Api.Certificates.V1;
using Mesh.Security;

namespace Mesh.Controllers.Certificates;

/// <summary>What a node's request for a client certificate asks permission by, and what approval then says.</summary>
/// <param name="Subresource">The requester must be allowed to create certificatesigningrequests/SUBRESOURCE.</param>
/// <param name="Message">What the condition Approved says.</param>
internal sealed record Recognition(string Subresource, string Message);

/// <summary>Which requests may be approved without a person: client certificates that nodes ask for themselves, the first and every next one.</summary>
internal static class ApprovingDecision
{
    private static readonly Recognition Self = new("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.");
    private static readonly Recognition Node = new("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.");

    /// <summary>True while nothing was decided.</summary>
    internal static bool IsOpen(CertificateSigningRequest csr) =>
        csr.Status?.Certificate is not { Length: > 0 } && csr.Status?.Conditions?.Exists(static c => c.Type is "Approved" or "Denied") != true;

    /// <summary>As what the request is recognized; the narrower first, none for a person to look at.</summary>
    internal static IReadOnlyList<Recognition> Recognize(CertificateSigningRequest csr)
    {
        if (csr.Spec is not { SignerName: "kubernetes.io/kube-apiserver-client-kubelet" } spec || NodeOf(spec) is not { } name) return [];
        return name == spec.Username ? [Self, Node] : [Node];
    }

    /// <summary>The question whether the requester may.</summary>
    internal static SubjectAccessReview Question(CertificateSigningRequest csr, Recognition recognition) => new()
    {
        Spec = new SubjectAccessReviewSpec
        {
            User = csr.Spec!.Username,
            Uid = csr.Spec.Uid,
            Groups = csr.Spec.Groups,
            Extra = csr.Spec.Extra,
            ResourceAttributes = new ResourceAttributes { Group = "certificates.k8s.io", Resource = "certificatesigningrequests", Verb = "create", Subresource = recognition.Subresource, Version = "*" },
        },
    };

    /// <summary>The node's user name, when the request is for a node's client certificate and for nothing more.</summary>
    private static string? NodeOf(CertificateSigningRequestSpec spec)
    {
        var usages = spec.Usages ?? [];
        if (!usages.Contains("digital signature") || !usages.Contains("client auth") || usages.Exists(static u => u is not ("digital signature" or "client auth" or "key encipherment"))) return null;
        try
        {
            var request = CertificateRequest.LoadSigningRequestPem(
                Encoding.ASCII.GetString(spec.Request ?? []), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
            if (request.CertificateExtensions.Any(static e => e.Oid?.Value == "2.5.29.17")) return null;
            var (name, organizations) = SigningDecision.Subject(request.SubjectName);
            return organizations.SequenceEqual([UserNames.Nodes]) && name.StartsWith(UserNames.NodePrefix, StringComparison.Ordinal) ? name : null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }
}
