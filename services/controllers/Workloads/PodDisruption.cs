using Mesh.Api.Core.V1;
using Mesh.Client;

namespace Mesh.Controllers.Workloads;

/// <summary>Says in a pod's status why the control plane ends it.</summary>
internal static class PodDisruption
{
    /// <summary>Adds the DisruptionTarget condition, and the phase when one is given.</summary>
    internal static async Task<Pod> MarkAsync(
        IKubeClient client, Pod pod, string reason, string message, DateTime now, CancellationToken ct, string? phase = null)
    {
        var changed = pod.Clone();
        var status = changed.Status ??= new PodStatus();
        if (phase is not null) status.Phase = phase;
        (status.Conditions ??= []).RemoveAll(c => c.Type == "DisruptionTarget");
        status.Conditions.Add(new PodCondition
        {
            Type = "DisruptionTarget",
            Status = "True",
            Reason = reason,
            Message = message,
            LastTransitionTime = now,
            ObservedGeneration = pod.Metadata.Generation,
        });
        return await client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
    }
}
