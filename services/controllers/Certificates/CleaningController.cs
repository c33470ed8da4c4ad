using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Api;
using Mesh.Api.Certificates.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Certificates;

/// <summary>Deletes requests that are done with: decided on an hour ago, undecided for a day, or whose certificate has expired.</summary>
internal sealed class CleaningController : KeyedController
{
    private static readonly TimeSpan Decided = TimeSpan.FromHours(1);
    private static readonly TimeSpan Pending = TimeSpan.FromHours(24);
    private readonly IInformer<CertificateSigningRequest> _requests;

    internal CleaningController(ControllerContext context)
        : base(context, "certificatesigningrequest-cleaner-controller", "csr_cleaner") => _requests = WatchPrimary<CertificateSigningRequest>(static _ => true);

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_requests.Lister.Get(null, key.Name) is not { } csr) return ReconcileResult.Done;
        var due = Due(csr);
        if (due > Context.Now) return ReconcileResult.After(due - Context.Now);
        try
        {
            await Client.DeleteAsync<CertificateSigningRequest>(null, key.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = csr.Metadata.Uid } }, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // already gone
        }

        return ReconcileResult.Done;
    }

    /// <summary>When the request may go.</summary>
    internal static DateTime Due(CertificateSigningRequest csr)
    {
        var said = (csr.Status?.Conditions ?? []).Where(static c => c.Type is "Approved" or "Denied" or "Failed").Select(static c => c.LastUpdateTime ?? DateTime.MinValue).ToList();
        var due = said.Count > 0 ? said.Min() + Decided : (csr.Metadata.CreationTimestamp ?? DateTime.MinValue) + Pending;
        return Expiry(csr) is { } expiry && expiry < due ? expiry : due;
    }

    private static DateTime? Expiry(CertificateSigningRequest csr)
    {
        if (csr.Status?.Certificate is not { Length: > 0 } pem) return null;
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(pem));
            return certificate.NotAfter.ToUniversalTime();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
