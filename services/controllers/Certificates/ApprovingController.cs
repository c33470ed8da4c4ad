using Mesh.Api;
using Mesh.Api.Certificates.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Certificates;

/// <summary>Approves the client certificates of nodes whose requester may create nodeclient or selfnodeclient requests.</summary>
internal sealed class ApprovingController : KeyedController
{
    private readonly IInformer<CertificateSigningRequest> _requests;

    internal ApprovingController(ControllerContext context)
        : base(context, "certificatesigningrequest-approving-controller", "csr_approving") => _requests = WatchPrimary<CertificateSigningRequest>(ApprovingDecision.IsOpen);

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_requests.Lister.Get(null, key.Name) is not { } csr || !ApprovingDecision.IsOpen(csr)) return ReconcileResult.Done;
        foreach (var recognition in ApprovingDecision.Recognize(csr))
        {
            var answer = await Client.CreateAsync(ApprovingDecision.Question(csr, recognition), ct).ConfigureAwait(false);
            if (answer.Status?.Allowed != true) continue;
            var changed = csr.Clone();
            changed.Status ??= new CertificateSigningRequestStatus();
            (changed.Status.Conditions ??= []).Add(new CertificateSigningRequestCondition
            {
                Type = "Approved",
                Status = "True",
                Reason = "AutoApproved",
                Message = recognition.Message,
            });
            await Client.UpdateSubresourceAsync<CertificateSigningRequest>(null, key.Name, "approval", KubeJson.Serialize(changed), ct).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        return ReconcileResult.Done;
    }
}
