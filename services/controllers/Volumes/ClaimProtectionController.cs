using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Volumes;

/// <summary>A deleted claim stays until no pod on a node uses it.</summary>
internal sealed class ClaimProtectionController : KeyedController
{
    private readonly IInformer<PersistentVolumeClaim> _claims;
    private readonly IInformer<Pod> _pods;

    internal ClaimProtectionController(ControllerContext context)
        : base(context, "persistentvolumeclaim-protection-controller", "pvcprotection")
    {
        _claims = WatchPrimary<PersistentVolumeClaim>();
        _pods = Watch<Pod>();
        _pods.AddHandler((old, now) =>
        {
            // What a pod leaves is free: when it goes, when another takes its name, and when it has shut down.
            if (old is not null && now?.Metadata.Uid != old.Metadata.Uid) Freed(old);
            if (now is not null && ClaimUse.IsShutDown(now)) Freed(now);
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_claims.Lister.Get(key.Namespace, key.Name) is not { } claim) return ReconcileResult.Done;
        var step = Protection.Decide(claim.Metadata, Protection.Claim, () => _pods.Lister.List(key.Namespace).Any(p => ClaimUse.Uses(p, claim)));
        if (step == ProtectionStep.None) return ReconcileResult.Done;
        // The cache may not know a pod yet that was placed a moment ago.
        if (step == ProtectionStep.Remove && (await Client.ListAsync<Pod>(new ListQuery(key.Namespace), ct).ConfigureAwait(false)).Items.Any(p => ClaimUse.Uses(p, claim))) return ReconcileResult.Done;
        var next = claim.Clone();
        Protection.Apply(step, next.Metadata, Protection.Claim);
        try
        {
            await Client.UpdateAsync(next, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // gone
        }

        return ReconcileResult.Done;
    }

    private void Freed(Pod pod)
    {
        foreach (var name in ClaimUse.Claims(pod)) Enqueue(new ObjectKey(pod.Metadata.Namespace, name));
    }
}
