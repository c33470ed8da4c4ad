using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Volumes;

/// <summary>Which claims a pod holds on to.</summary>
internal static class ClaimUse
{
    /// <summary>Names of the claims a pod's volumes speak of.</summary>
    internal static IEnumerable<string> Claims(Pod pod)
    {
        foreach (var volume in pod.Spec?.Volumes ?? [])
        {
            if (volume.PersistentVolumeClaim?.ClaimName is { } named) yield return named;
            else if (volume.Ephemeral is not null) yield return Ephemeral(pod, volume);
        }
    }

    /// <summary>Whether a pod uses a claim: it is on a node (no other could start now), and a volume made for it counts only until it has shut down.</summary>
    internal static bool Uses(Pod pod, PersistentVolumeClaim claim) =>
        pod.Spec?.NodeName is { Length: > 0 } && pod.Spec.Volumes?.Any(volume =>
            volume.PersistentVolumeClaim?.ClaimName == claim.Metadata.Name
            || (volume.Ephemeral is not null && !IsShutDown(pod) && Ephemeral(pod, volume) == claim.Metadata.Name && IsOf(pod, claim))) == true;

    /// <summary>Whether the node is through with a pod: it is deleted with no time left.</summary>
    internal static bool IsShutDown(Pod pod) => pod.Metadata is { DeletionTimestamp: not null, DeletionGracePeriodSeconds: 0 };

    private static string Ephemeral(Pod pod, Volume volume) => $"{pod.Metadata.Name}-{volume.Name}";

    private static bool IsOf(Pod pod, PersistentVolumeClaim claim) =>
        claim.Metadata.OwnerReferences?.Any(o => o.Controller == true && o.Uid == pod.Metadata.Uid) == true;
}
