using Mesh.Api;
using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.DaemonSets;

/// <summary>The shell around <see cref="DaemonDecision"/>: one pod of every daemon set on every node that fits.</summary>
internal sealed class DaemonSetController : KeyedController
{
    private const string RevisionsByOwner = "controllerUid";
    private readonly IInformer<DaemonSet> _sets;
    private readonly IInformer<Pod> _pods;
    private readonly IInformer<Node> _nodes;
    private readonly IInformer<ControllerRevision> _revisions;
    private readonly IEventRecorder _recorder;
    private readonly PodMaker _maker;
    private readonly Expectations _expectations;
    private readonly ItemBackoff<string> _ends = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15));
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, DateTime> _notBefore = new(StringComparer.Ordinal);

    internal DaemonSetController(ControllerContext context)
        : base(context, "daemonset-controller", "daemonset")
    {
        _recorder = context.Recorder("daemonset-controller");
        _maker = new PodMaker(context.Client, _recorder);
        _expectations = new Expectations(context.Time);
        _sets = WatchPrimary<DaemonSet>();
        _pods = Watch<Pod>();
        PodIndexes.Add(_pods);
        _pods.AddHandler(OnPod);
        _revisions = Watch<ControllerRevision>();
        _revisions.AddIndex(RevisionsByOwner, r => Owners.ControllerOf(r)?.Uid is { } uid ? [uid] : []);
        _nodes = Watch<Node>();
        _nodes.AddHandler((old, now) =>
        {
            if (old is null || now is null || !SamePlace(old, now)) EnqueueSets();
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_sets.Lister.Get(key.Namespace, key.Name) is not { } set)
        {
            _expectations.Forget(key);
            return ReconcileResult.Done;
        }

        var mayAct = _expectations.Satisfied(key);
        var claims = ClaimDecision.Decide(set, LabelSelectors.OfWorkload(set.Spec?.Selector), PodIndexes.Candidates(_pods.Lister, set));
        var pods = await ClaimDecision.ActAsync(Client, set, claims, ct).ConfigureAwait(false);
        if (set.Metadata.DeletionTimestamp is not null) return ReconcileResult.Done;

        var hash = await ReviseAsync(set, pods, ct).ConfigureAwait(false);
        var nodes = _nodes.Lister.List();
        TimeSpan? recheck = null;
        if (mayAct)
        {
            var plan = DaemonDecision.Decide(set, nodes, pods, hash, Context.Now);
            var ended = plan.Ended.Where(p => MayReplace(set, p, ref recheck)).ToList();
            foreach (var pod in ended) Tell(set, pod);
            await ActAsync(key, set, plan.Create, [.. plan.Delete, .. ended], hash, ct).ConfigureAwait(false);
        }

        var status = DaemonDecision.Status(set, nodes, pods, hash, Context.Now);
        if (!DaemonSetStatus.SemanticEquals(set.Status ?? new(), status))
        {
            var changed = set.Clone();
            changed.Status = status;
            await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
        }

        if (set.Spec?.MinReadySeconds is > 0 and var seconds && status.NumberReady > (status.NumberAvailable ?? 0)) recheck ??= TimeSpan.FromSeconds(seconds);
        return recheck is { } after ? ReconcileResult.After(after) : ReconcileResult.Done;
    }

    private async Task<string> ReviseAsync(DaemonSet set, IReadOnlyCollection<Pod> pods, CancellationToken ct)
    {
        var inUse = pods.Select(p => p.Metadata.Labels?.GetValueOrDefault(DaemonPods.HashLabel) ?? "").ToHashSet(StringComparer.Ordinal);
        var plan = DaemonRevisions.Decide(set, _revisions.Lister.ByIndex(RevisionsByOwner, set.Metadata.Uid ?? ""), inUse);
        if (plan.Renumber is { } again) await Client.UpdateAsync(again, ct).ConfigureAwait(false);
        if (plan.Create is { } made)
        {
            try
            {
                await Client.CreateAsync(made, ct).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
                var there = await Client.GetAsync<ControllerRevision>(made.Metadata.Namespace, made.Metadata.Name!, ct).ConfigureAwait(false);
                if (!Owners.IsControlledBy(there, set) || !System.Text.Json.Nodes.JsonNode.DeepEquals(there.Data, made.Data))
                {
                    // Another template has the name: the next attempt computes another.
                    var changed = set.Clone();
                    (changed.Status ??= new DaemonSetStatus()).CollisionCount = (set.Status?.CollisionCount ?? 0) + 1;
                    await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
                    throw;
                }
            }
        }

        foreach (var old in plan.Forget)
        {
            try
            {
                await Client.DeleteAsync<ControllerRevision>(old.Metadata.Namespace, old.Metadata.Name!, ct: ct).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // already gone
            }
        }

        return plan.Hash;
    }

    private async Task ActAsync(ObjectKey key, DaemonSet set, IReadOnlyList<string> create, IReadOnlyList<Pod> delete, string hash, CancellationToken ct)
    {
        _expectations.ExpectDeletions(key, delete.Select(p => p.Metadata.Uid!));
        foreach (var pod in delete)
        {
            try
            {
                await _maker.DeleteAsync(set, pod, ct).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                _expectations.DeletionObserved(key, pod.Metadata.Uid!);
            }
            catch
            {
                _expectations.Forget(key);
                throw;
            }
        }

        if (create.Count == 0) return;
        _expectations.ExpectCreations(key, create.Count);
        var (done, failure) = await SlowStart.RunAsync(create.Count, i => _maker.CreateAsync(set, DaemonPods.Make(set, create[i], hash), ct)).ConfigureAwait(false);
        if (done < create.Count) _expectations.CreationObserved(key, create.Count - done);
        if (failure is not null && !PodMaker.IsTerminatingNamespace(failure)) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>A pod that fails again and again on a node is replaced at growing intervals.</summary>
    private bool MayReplace(DaemonSet set, Pod pod, ref TimeSpan? recheck)
    {
        if (pod.Status?.Phase == "Succeeded") return true;
        var place = set.Metadata.Uid + "/" + DaemonPods.NodeOf(pod);
        var wait = _notBefore.GetValueOrDefault(place) - Context.Now;
        if (wait > TimeSpan.Zero)
        {
            if (recheck is null || wait < recheck) recheck = wait;
            return false;
        }

        _notBefore[place] = Context.Now + _ends.When(place);
        return true;
    }

    private void Tell(DaemonSet set, Pod pod)
    {
        var (ns, name, node) = (pod.Metadata.Namespace, pod.Metadata.Name, DaemonPods.NodeOf(pod));
        if (pod.Status?.Phase == "Failed") _recorder.Warning(set, "FailedDaemonPod", $"Found failed daemon pod {ns}/{name} on node {node}, will try to kill it");
        else _recorder.Normal(set, "SucceededDaemonPod", $"Found succeeded daemon pod {ns}/{name} on node {node}, will try to delete it");
    }

    private void OnPod(Pod? old, Pod? now)
    {
        var pod = now ?? old!;
        if (Owners.ControllerOf(pod) is { } owner)
        {
            if (owner.Kind != "DaemonSet" || _sets.Lister.Get(pod.Metadata.Namespace, owner.Name ?? "") is not { } set || set.Metadata.Uid != owner.Uid) return;
            var key = ObjectKey.Of(set);
            if (now is null || (now.Metadata.DeletionTimestamp is not null && old?.Metadata.DeletionTimestamp is null))
                _expectations.DeletionObserved(key, pod.Metadata.Uid!);
            else if (old is null) _expectations.CreationObserved(key);
            Enqueue(key);
            return;
        }

        if (now is null) return;
        foreach (var set in _sets.Lister.List(now.Metadata.Namespace))
        {
            if (LabelSelectors.OfWorkload(set.Spec?.Selector).Matches(now.Metadata.Labels)) Enqueue(ObjectKey.Of(set));
        }
    }

    private void EnqueueSets()
    {
        foreach (var set in _sets.Lister.List()) Enqueue(ObjectKey.Of(set));
    }

    /// <summary>Labels and taints decide; a node's heartbeats do not.</summary>
    private static bool SamePlace(Node a, Node b)
    {
        var (x, y) = (a.Metadata.Labels ?? [], b.Metadata.Labels ?? []);
        if (x.Count != y.Count || !x.All(p => y.TryGetValue(p.Key, out var v) && v == p.Value)) return false;
        var (s, t) = (a.Spec?.Taints ?? [], b.Spec?.Taints ?? []);
        return s.Count == t.Count && s.Zip(t).All(p => Taint.SemanticEquals(p.First, p.Second));
    }
}
