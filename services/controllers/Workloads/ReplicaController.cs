using System.Runtime.ExceptionServices;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Workloads;

/// <summary>
/// The shell around <see cref="ReplicaDecision"/>, shared by replica sets and replication controllers: claim pods, decide, act,
/// report. Expectations keep it from deciding on a cache that has not seen its own last acts.
/// </summary>
internal abstract class ReplicaController<T> : KeyedController
    where T : class, IKubeObject<T>
{
    private readonly IInformer<T> _owners;
    private readonly IInformer<Pod> _pods;
    private readonly Expectations _expectations;
    private readonly PodMaker _maker;
    private readonly string _kind;

    protected ReplicaController(ControllerContext context, string name, string queue, string kind)
        : base(context, name, queue)
    {
        _kind = kind;
        _expectations = new Expectations(context.Time);
        _maker = new PodMaker(context.Client, context.Recorder(name));
        _owners = WatchPrimary<T>();
        _pods = Watch<Pod>();
        PodIndexes.Add(_pods);
        _pods.AddHandler(OnPod);
    }

    protected abstract ReplicaSpec Spec(T owner);

    /// <summary>The object with this status; null when nothing changed.</summary>
    protected abstract T? WithStatus(T owner, ReplicaCounts counts, (string Reason, string Message)? failure);

    /// <summary>Pods of related owners (the old and new sets of one deployment), for spreading deletions over nodes.</summary>
    protected virtual IEnumerable<Pod> Related(T owner, IReadOnlyCollection<Pod> owned) => owned;

    protected ILister<T> OwnerLister => _owners.Lister;

    protected ILister<Pod> PodLister => _pods.Lister;

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_owners.Lister.Get(key.Namespace, key.Name) is not { } owner)
        {
            _expectations.Forget(key);
            return ReconcileResult.Done;
        }

        var mayAct = _expectations.Satisfied(key);
        var spec = Spec(owner);
        var claims = ClaimDecision.Decide(owner, spec.Selector, PodIndexes.Candidates(_pods.Lister, owner).Where(p => !PodFacts.IsTerminal(p)));
        var owned = await ClaimDecision.ActAsync(Client, owner, claims, ct).ConfigureAwait(false);
        var active = owned.Where(PodFacts.IsActive).ToList();

        Exception? error = null;
        if (mayAct && owner.Metadata.DeletionTimestamp is null)
            error = await ActAsync(key, owner, spec, ReplicaDecision.Decide(spec.Replicas, active, Related(owner, owned), Context.Now), ct).ConfigureAwait(false);

        var counts = ReplicaDecision.Count(owned, spec, Context.Now);
        if (WithStatus(owner, counts, ReplicaDecision.Failure(error, active.Count - spec.Replicas)) is { } changed)
            await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
        if (error is not null && !PodMaker.IsTerminatingNamespace(error))
            ExceptionDispatchInfo.Throw(error);

        // Ready pods become available by time alone: nothing else would wake us.
        return spec.MinReadySeconds > 0 && counts.Ready > counts.Available && counts.Ready == spec.Replicas
            ? ReconcileResult.After(TimeSpan.FromSeconds(spec.MinReadySeconds))
            : ReconcileResult.Done;
    }

    private async Task<Exception?> ActAsync(ObjectKey key, T owner, ReplicaSpec spec, ReplicaPlan plan, CancellationToken ct)
    {
        if (plan.Create > 0)
        {
            _expectations.ExpectCreations(key, plan.Create);
            var (done, failure) = await SlowStart.RunAsync(
                plan.Create, _ => _maker.CreateAsync(owner, PodMaker.FromTemplate(owner, spec.Template), ct)).ConfigureAwait(false);
            if (done < plan.Create) _expectations.CreationObserved(key, plan.Create - done); // they will never be observed
            return failure;
        }

        if (plan.Delete.Count == 0) return null;
        _expectations.ExpectDeletions(key, plan.Delete.Select(p => p.Metadata.Uid!));
        var tasks = plan.Delete.Select(async pod =>
        {
            try
            {
                await _maker.DeleteAsync(owner, pod, ct).ConfigureAwait(false);
                return null;
            }
            catch (Exception e)
            {
                _expectations.DeletionObserved(key, pod.Metadata.Uid!);
                return e is ApiException { IsNotFound: true } ? null : e;
            }
        });
        return (await Task.WhenAll(tasks).ConfigureAwait(false)).FirstOrDefault(e => e is not null);
    }

    private void OnPod(Pod? old, Pod? now)
    {
        var pod = now ?? old!;
        var (before, after) = (old is null ? null : Owners.ControllerOf(old), Owners.ControllerOf(pod));
        if (before is not null && before.Uid != after?.Uid && Resolve(pod, before) is { } left) Enqueue(left);
        if (after is not null)
        {
            if (Resolve(pod, after) is not { } key) return;
            if (now is null || (now.Metadata.DeletionTimestamp is not null && old?.Metadata.DeletionTimestamp is null))
                _expectations.DeletionObserved(key, pod.Metadata.Uid!);
            else if (old is null) _expectations.CreationObserved(key);
            Enqueue(key);
            return;
        }

        // An orphan: whoever selects it may want it. Only looked for when it is new, was let go, or its labels changed.
        if (now is null || (old is not null && before is null && SameLabels(old, now))) return;
        foreach (var owner in _owners.Lister.List(now.Metadata.Namespace))
        {
            if (Spec(owner).Selector.Matches(now.Metadata.Labels)) Enqueue(ObjectKey.Of(owner));
        }
    }

    private ObjectKey? Resolve(Pod pod, Mesh.Api.Meta.V1.OwnerReference reference)
    {
        if (reference.Kind != _kind) return null;
        return _owners.Lister.Get(pod.Metadata.Namespace, reference.Name ?? "") is { } owner && owner.Metadata.Uid == reference.Uid ? ObjectKey.Of(owner) : null;
    }

    private static bool SameLabels(Pod a, Pod b)
    {
        var (x, y) = (a.Metadata.Labels ?? [], b.Metadata.Labels ?? []);
        return x.Count == y.Count && x.All(p => y.TryGetValue(p.Key, out var v) && v == p.Value);
    }
}
