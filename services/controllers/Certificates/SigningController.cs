using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Api.Certificates.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Security.Pki;

namespace Mesh.Controllers.Certificates;

/// <summary>Issues what approved certificate signing requests ask for, with the cluster's authority.</summary>
internal sealed class SigningController : KeyedController
{
    private readonly IInformer<CertificateSigningRequest> _requests;
    private readonly X509Certificate2 _authority;

    internal SigningController(ControllerContext context, X509Certificate2 authority)
        : base(context, "certificatesigningrequest-signing-controller", "csr_signing")
    {
        _authority = authority;
        _requests = WatchPrimary<CertificateSigningRequest>(SigningDecision.IsDue);
    }

    public override void Dispose()
    {
        base.Dispose();
        _authority.Dispose();
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_requests.Lister.Get(null, key.Name) is not { } csr || !SigningDecision.IsDue(csr)) return ReconcileResult.Done;
        var plan = SigningDecision.Decide(csr);
        var changed = csr.Clone();
        changed.Status ??= new CertificateSigningRequestStatus();
        if (plan.Failure is { } why)
        {
            (changed.Status.Conditions ??= []).Add(new CertificateSigningRequestCondition
            {
                Type = "Failed",
                Status = "True",
                Reason = "SignerValidationFailure",
                Message = why,
                LastUpdateTime = Context.Now,
            });
        }
        else
        {
            using var certificate = CertificateFactory.Sign(_authority, plan.Key!, plan.Spec!, Context.Time.GetUtcNow(), plan.Life);
            changed.Status.Certificate = Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n");
        }

        await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
        return ReconcileResult.Done;
    }
}
