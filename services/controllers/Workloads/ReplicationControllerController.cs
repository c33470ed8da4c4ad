using Mesh.Api.Core.V1;
using Mesh.Api.Selectors;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Workloads;

/// <summary>Keeps every ReplicationController's pods at its number.</summary>
internal sealed class ReplicationControllerController(ControllerContext context)
    : ReplicaController<ReplicationController>(context, "replicationcontroller-controller", "replicationmanager", "ReplicationController")
{
    protected override ReplicaSpec Spec(ReplicationController owner)
    {
        var selector = owner.Spec?.Selector is { Count: > 0 } set ? Selector.FromSet(set) : Selector.Nothing;
        return new ReplicaSpec(owner.Spec?.Replicas ?? 1, owner.Spec?.MinReadySeconds ?? 0, selector, owner.Spec?.Template);
    }

    protected override ReplicationController? WithStatus(ReplicationController owner, ReplicaCounts counts, (string Reason, string Message)? failure)
    {
        var status = new ReplicationControllerStatus
        {
            Replicas = counts.Replicas,
            FullyLabeledReplicas = counts.FullyLabeled,
            ReadyReplicas = counts.Ready,
            AvailableReplicas = counts.Available,
            ObservedGeneration = owner.Metadata.Generation,
            Conditions = [.. (owner.Status?.Conditions ?? []).Where(c => c.Type != "ReplicaFailure")],
        };
        if (failure is { } f)
        {
            var before = owner.Status?.Conditions?.Find(c => c.Type == "ReplicaFailure");
            status.Conditions.Add(before is { Status: "True" } && before.Reason == f.Reason ? before : new ReplicationControllerCondition
            {
                Type = "ReplicaFailure",
                Status = "True",
                Reason = f.Reason,
                Message = f.Message,
                LastTransitionTime = Context.Now,
            });
        }

        if (ReplicationControllerStatus.SemanticEquals(owner.Status ?? new(), status)) return null;
        var changed = owner.Clone();
        changed.Status = status;
        return changed;
    }
}
