using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Disruption;

/// <summary>
/// A pod that was to go and two minutes later still does not is not disrupted: its condition DisruptionTarget becomes False, so that jobs and
/// people do not take a later failure for that disruption (KEP-3329). What the node said stays: there the pod may take its time.
/// </summary>
internal sealed class StaleDisruptionController : KeyedController
{
    private static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(2);
    private readonly IInformer<Pod> _pods;

    internal StaleDisruptionController(ControllerContext context)
        : base(context, "stale-pod-disruption-controller", "stale_pod_disruption") => _pods = WatchPrimary<Pod>(static p => StaleAt(p) is not null);

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_pods.Lister.Get(key.Namespace, key.Name) is not { } pod || StaleAt(pod) is not { } at) return ReconcileResult.Done;
        if (at > Context.Now) return ReconcileResult.After(at - Context.Now);
        var changed = pod.Clone();
        var condition = changed.Status!.Conditions!.Find(static c => c.Type == "DisruptionTarget")!;
        (condition.Status, condition.LastTransitionTime) = ("False", Context.Now);
        try
        {
            await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // it went after all
        }

        return ReconcileResult.Done;
    }

    /// <summary>When the announcement counts as not kept; null when there is none to be kept.</summary>
    internal static DateTime? StaleAt(Pod pod) =>
        pod.Metadata.DeletionTimestamp is null && pod.Status?.Phase is not ("Succeeded" or "Failed")
        && pod.Status?.Conditions?.Find(static c => c is { Type: "DisruptionTarget", Status: "True" }) is { Reason: not "TerminationByKubelet" } condition
            ? (condition.LastTransitionTime ?? DateTime.MinValue) + StaleAfter
            : null;
}
