using Mesh.Api;
using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Deployments;

/// <summary>The shell around <see cref="DeploymentDecision"/>: claims sets, performs the plan, reports.</summary>
internal sealed class DeploymentController : KeyedController
{
    private const string SetsByOwner = "controllerUid";
    private readonly IInformer<Deployment> _deployments;
    private readonly IInformer<ReplicaSet> _sets;
    private readonly IInformer<Pod> _pods;
    private readonly IEventRecorder _recorder;

    internal DeploymentController(ControllerContext context)
        : base(context, "deployment-controller", "deployment")
    {
        _recorder = context.Recorder("deployment-controller");
        _deployments = WatchPrimary<Deployment>();
        _sets = Watch<ReplicaSet>();
        _sets.AddIndex(SetsByOwner, rs => Owners.ControllerOf(rs)?.Uid is { } uid ? [uid] : []);
        _sets.AddHandler(OnSet);
        _pods = Watch<Pod>();
        PodIndexes.Add(_pods);
        _pods.AddHandler(OnPod);
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_deployments.Lister.Get(key.Namespace, key.Name) is not { } d) return ReconcileResult.Done;
        var selector = LabelSelectors.OfWorkload(d.Spec?.Selector);
        if (selector == Mesh.Api.Selectors.Selector.Nothing)
        {
            _recorder.Warning(d, "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.");
            return ReconcileResult.Done;
        }

        var candidates = _sets.Lister.List(key.Namespace).Where(rs => Owners.ControllerOf(rs) is not { } c || c.Uid == d.Metadata.Uid);
        var sets = await ClaimDecision.ActAsync(Client, d, ClaimDecision.Decide(d, selector, candidates), ct).ConfigureAwait(false);

        var plan = DeploymentDecision.Decide(d, sets, OldPodsRun(d, sets), Context.Now);
        var status = plan.Status;
        foreach (var action in plan.Actions)
        {
            switch (action)
            {
                case CreateSet create when await CreateAsync(d, create.Set, ct).ConfigureAwait(false) is { } outcome:
                    status = outcome.Collided ? Collided(d) : Failed(d, sets, outcome.Error!);
                    await ReportAsync(d, status, ct).ConfigureAwait(false);
                    if (outcome.Error is not null) throw outcome.Error;
                    return ReconcileResult.Done;
                case UpdateSet update:
                    await UpdateAsync(d, update, ct).ConfigureAwait(false);
                    break;
                case DeleteSet delete:
                    await DeleteAsync(delete.Set, ct).ConfigureAwait(false);
                    break;
            }
        }

        if (plan.Revision is { } revision && d.Metadata.Annotations?.GetValueOrDefault(DeploymentFacts.Revision) != revision)
        {
            var changed = d.Clone();
            (changed.Metadata.Annotations ??= [])[DeploymentFacts.Revision] = revision;
            d = await Client.UpdateAsync(changed, ct).ConfigureAwait(false);
        }

        await ReportAsync(d, status, ct).ConfigureAwait(false);
        return plan.Recheck is { } after ? ReconcileResult.After(after) : ReconcileResult.Done;
    }

    /// <summary>Null when made; else whether another set with another template has the name, or the failure.</summary>
    private async Task<(bool Collided, ApiException? Error)?> CreateAsync(Deployment d, ReplicaSet set, CancellationToken ct)
    {
        try
        {
            await Client.CreateAsync(set, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            var there = await Client.GetAsync<ReplicaSet>(set.Metadata.Namespace, set.Metadata.Name!, ct).ConfigureAwait(false);
            var ours = Owners.IsControlledBy(there, d) && TemplateHash.SameTemplate(there.Spec?.Template, set.Spec?.Template);
            return ours ? null : (true, null); // ours: an earlier attempt made it and the cache has not shown it yet
        }
        catch (ApiException e)
        {
            if (!PodMaker.IsTerminatingNamespace(e))
                _recorder.Warning(d, "ReplicaSetCreateError", $"Failed to create new replica set \"{set.Metadata.Name}\": {e.Message}");
            return (false, e);
        }

        if (set.Spec!.Replicas > 0) _recorder.Normal(d, "ScalingReplicaSet", $"Scaled up replica set {set.Metadata.Name} from 0 to {set.Spec.Replicas}");
        return null;
    }

    private async Task UpdateAsync(Deployment d, UpdateSet update, CancellationToken ct)
    {
        await Client.UpdateAsync(update.Set, ct).ConfigureAwait(false);
        if (update.From is not { } from) return;
        var to = update.Set.Spec!.Replicas ?? 0;
        _recorder.Normal(d, "ScalingReplicaSet", $"Scaled {(to > from ? "up" : "down")} replica set {update.Set.Metadata.Name} from {from} to {to}");
    }

    private async Task DeleteAsync(ReplicaSet set, CancellationToken ct)
    {
        try
        {
            await Client.DeleteAsync<ReplicaSet>(set.Metadata.Namespace, set.Metadata.Name!, ct: ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // already gone
        }
    }

    private async Task ReportAsync(Deployment d, DeploymentStatus status, CancellationToken ct)
    {
        if (DeploymentStatus.SemanticEquals(d.Status ?? new(), status)) return;
        var changed = d.Clone();
        changed.Status = status;
        await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
    }

    private static DeploymentStatus Collided(Deployment d)
    {
        var status = d.Status?.Clone() ?? new DeploymentStatus();
        status.CollisionCount = (status.CollisionCount ?? 0) + 1;
        return status;
    }

    private DeploymentStatus Failed(Deployment d, IReadOnlyList<ReplicaSet> sets, ApiException e) =>
        DeploymentStatuses.Of(d, sets, null, Context.Now, new StatusHints(CreateError: e.Message));

    /// <summary>Recreate waits until no pod of an old set is left, dying ones included.</summary>
    private bool OldPodsRun(Deployment d, IReadOnlyList<ReplicaSet> sets)
    {
        if (DeploymentFacts.IsRolling(d)) return false;
        var current = DeploymentFacts.FindNew(d, sets);
        return sets.Where(rs => rs != current).Any(rs => _pods.Lister.ByIndex(PodIndexes.Controller, rs.Metadata.Uid ?? "").Any(p => !PodFacts.IsTerminal(p)));
    }

    private void OnSet(ReplicaSet? old, ReplicaSet? now)
    {
        foreach (var rs in new[] { old, now })
        {
            if (rs is not null && Owners.ControllerOf(rs) is { Kind: "Deployment" } c) Enqueue(new ObjectKey(rs.Metadata.Namespace, c.Name ?? ""));
        }

        if (now is null || Owners.ControllerOf(now) is not null) return;
        foreach (var d in _deployments.Lister.List(now.Metadata.Namespace))
        {
            if (LabelSelectors.OfWorkload(d.Spec?.Selector).Matches(now.Metadata.Labels)) Enqueue(ObjectKey.Of(d));
        }
    }

    /// <summary>Only the end of a pod matters here, and only to Recreate.</summary>
    private void OnPod(Pod? old, Pod? now)
    {
        if (now is not null && !PodFacts.IsTerminal(now)) return;
        var pod = now ?? old!;
        if (Owners.ControllerOf(pod) is not { Kind: "ReplicaSet" } c || _sets.Lister.Get(pod.Metadata.Namespace, c.Name ?? "") is not { } rs) return;
        if (Owners.ControllerOf(rs) is not { Kind: "Deployment" } owner) return;
        if (_deployments.Lister.Get(rs.Metadata.Namespace, owner.Name ?? "") is { } d && !DeploymentFacts.IsRolling(d)) Enqueue(ObjectKey.Of(d));
    }
}
