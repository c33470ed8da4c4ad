using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Volumes;

/// <summary>A deleted volume stays until no claim is bound to it.</summary>
internal sealed class VolumeProtectionController : KeyedController
{
    private readonly IInformer<PersistentVolume> _volumes;

    internal VolumeProtectionController(ControllerContext context)
        : base(context, "persistentvolume-protection-controller", "pvprotection") =>
        _volumes = WatchPrimary<PersistentVolume>();

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_volumes.Lister.Get(null, key.Name) is not { } volume) return ReconcileResult.Done;
        var step = Protection.Decide(volume.Metadata, Protection.Volume, () => volume.Status?.Phase == "Bound");
        if (step == ProtectionStep.None) return ReconcileResult.Done;
        var next = volume.Clone();
        Protection.Apply(step, next.Metadata, Protection.Volume);
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
}
