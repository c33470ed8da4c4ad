using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Security;

namespace Mesh.Gateway.Admission;

/// <summary>
/// Who decides about certificates for a signer needs the verb for that signer: <c>approve</c> to write approval, <c>sign</c> to write the
/// certificate or the conditions of the status, on the signer's name or on all of its domain ("example.com/*"). And nobody gets a client
/// certificate that is in system:masters by asking. Kubernetes has three plugins for it; they see different requests.
/// </summary>
internal sealed class CertificateAdmission(IAuthorizer authorizer) : AdmissionPlugin("CertificateApproval,CertificateSigning,CertificateSubjectRestriction")
{
    private const string ApiClient = "kubernetes.io/kube-apiserver-client";

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        resource is { Group: "certificates.k8s.io", Plural: "certificatesigningrequests" } && (operation, subresource) is (AdmissionOperation.Create, "") or (AdmissionOperation.Update, "approval" or "status");

    /// <inheritdoc/>
    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object is not { } obj) return;
        if (attributes.Operation == AdmissionOperation.Create)
        {
            if (obj.Text("spec", "signerName") == ApiClient && Organizations(obj.Text("spec", "request")).Contains(UserNames.Masters))
                throw Forbidden(attributes, $"use of {ApiClient} signer with {UserNames.Masters} group is not allowed");
            return;
        }

        // Whoever changes nothing of it decides nothing.
        var old = attributes.OldObject;
        if (attributes.Subresource == "status" && Same("certificate") && Same("conditions")) return;
        var signer = (old ?? obj).Text("spec", "signerName");
        var verb = attributes.Subresource == "status" ? "sign" : "approve";
        if (!await MayAsync(attributes.User, verb, signer, ct)) throw Forbidden(attributes, $"user not permitted to {verb} requests with signerName {GoText.Quote(signer)}");

        bool Same(string field) => JsonNode.DeepEquals(Given(old, field), Given(obj, field));
    }

    // Absent, null and empty are the same.
    private static JsonNode? Given(JsonObject? obj, string field) => obj.At("status", field) switch { JsonArray { Count: 0 } => null, JsonValue v when v.ToString().Length == 0 => null, var other => other };

    private async ValueTask<bool> MayAsync(UserInfo user, string verb, string signer, CancellationToken ct)
    {
        var slash = signer.IndexOf('/', StringComparison.Ordinal);
        foreach (var name in slash < 0 ? (string[])[signer] : [signer, signer[..slash] + "/*"])
        {
            var asked = new AuthorizationAttributes { User = user, Verb = verb, Group = "certificates.k8s.io", Version = "*", Resource = "signers", Name = name };
            if ((await authorizer.AuthorizeAsync(asked, ct)).Allowed) return true;
        }

        return false;
    }

    // What cannot be read is refused by the kind's own rules.
    private static List<string> Organizations(string request)
    {
        try
        {
            var read = CertificateRequest.LoadSigningRequestPem(Encoding.ASCII.GetString(Convert.FromBase64String(request)), HashAlgorithmName.SHA256);
            return [.. read.SubjectName.EnumerateRelativeDistinguishedNames().Where(static p => !p.HasMultipleElements && p.GetSingleElementType().Value == "2.5.4.10").Select(static p => p.GetSingleElementValue() ?? "")];
        }
        catch (Exception e) when (e is CryptographicException or FormatException or ArgumentException)
        {
            return [];
        }
    }
}
