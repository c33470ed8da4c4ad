using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Workloads;

/// <summary>Keeps every ReplicaSet's pods at its number.</summary>
internal sealed class ReplicaSetController(ControllerContext context) : ReplicaController<ReplicaSet>(context, "replicaset-controller", "replicaset", "ReplicaSet")
{
    protected override ReplicaSpec Spec(ReplicaSet owner) => new(
        owner.Spec?.Replicas ?? 1, owner.Spec?.MinReadySeconds ?? 0, LabelSelectors.OfWorkload(owner.Spec?.Selector), owner.Spec?.Template);

    protected override IEnumerable<Pod> Related(ReplicaSet owner, IReadOnlyCollection<Pod> owned)
    {
        if (Owners.ControllerOf(owner)?.Uid is not { } uid) return owned;
        return OwnerLister.List(owner.Metadata.Namespace)
            .Where(rs => Owners.ControllerOf(rs)?.Uid == uid)
            .SelectMany(rs => PodLister.ByIndex(PodIndexes.Controller, rs.Metadata.Uid ?? ""));
    }

    protected override ReplicaSet? WithStatus(ReplicaSet owner, ReplicaCounts counts, (string Reason, string Message)? failure)
    {
        var status = new ReplicaSetStatus
        {
            Replicas = counts.Replicas,
            FullyLabeledReplicas = counts.FullyLabeled,
            ReadyReplicas = counts.Ready,
            AvailableReplicas = counts.Available,
            TerminatingReplicas = counts.Terminating,
            ObservedGeneration = owner.Metadata.Generation,
            Conditions = [.. (owner.Status?.Conditions ?? []).Where(c => c.Type != "ReplicaFailure")],
        };
        if (failure is { } f)
        {
            var before = owner.Status?.Conditions?.Find(c => c.Type == "ReplicaFailure");
            status.Conditions.Add(before is { Status: "True" } && before.Reason == f.Reason ? before : new ReplicaSetCondition
            {
                Type = "ReplicaFailure",
                Status = "True",
                Reason = f.Reason,
                Message = f.Message,
                LastTransitionTime = Context.Now,
            });
        }

        if (ReplicaSetStatus.SemanticEquals(owner.Status ?? new(), status)) return null;
        var changed = owner.Clone();
        changed.Status = status;
        return changed;
    }
}
