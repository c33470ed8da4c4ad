using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.PodGc;

/// <summary>Looks every 20 s for pods that nobody else will ever delete.</summary>
internal sealed class PodGcController : KeyedController
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(20);

    /// <summary>How long a node must be missing before its pods go: it may only be registering anew.</summary>
    private static readonly TimeSpan Quarantine = TimeSpan.FromSeconds(40);

    private static readonly ObjectKey Everything = new(null, "all");
    private readonly IInformer<Pod> _pods;
    private readonly IInformer<Node> _nodes;
    private readonly Dictionary<string, DateTime> _missingSince = new(StringComparer.Ordinal);

    internal PodGcController(ControllerContext context)
        : base(context, "pod-garbage-collector-controller", "pod_garbage_collector")
    {
        _pods = Watch<Pod>();
        _nodes = Watch<Node>();
        Queue.Add(Everything); // every worker makes the round, each over its own pods
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        var pods = _pods.Lister.List();
        var gone = await GoneNodesAsync(pods, ct).ConfigureAwait(false);
        foreach (var (pod, reason) in PodGcDecision.Decide(pods, gone.Contains, Context.Options.TerminatedPodGcThreshold))
        {
            if (!Context.Ownership.Owns(ObjectKey.Of(pod))) continue;
            try
            {
                if (reason == PodGcReason.Orphaned && !PodFacts.IsTerminal(pod))
                    await PodDisruption.MarkAsync(Client, pod, "DeletionByPodGC", "PodGC: node no longer exists", Context.Now, ct, phase: "Failed").ConfigureAwait(false);
                var options = new DeleteOptions { GracePeriodSeconds = 0, Preconditions = new Mesh.Api.Meta.V1.Preconditions { Uid = pod.Metadata.Uid } };
                await Client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name!, options, ct).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound || e.IsConflict)
            {
                // gone or changed meanwhile; the next round decides again
            }
        }

        return ReconcileResult.After(Period);
    }

    private async Task<HashSet<string>> GoneNodesAsync(IReadOnlyCollection<Pod> pods, CancellationToken ct)
    {
        var missing = pods.Select(p => p.Spec?.NodeName).OfType<string>().Where(n => n.Length > 0 && _nodes.Lister.Get(null, n) is null).ToHashSet(StringComparer.Ordinal);
        foreach (var back in _missingSince.Keys.Where(n => !missing.Contains(n)).ToList()) _missingSince.Remove(back);
        var gone = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in missing)
        {
            if (!_missingSince.TryGetValue(name, out var since)) _missingSince[name] = Context.Now;
            else if (Context.Now - since >= Quarantine && await IsGoneAsync(name, ct).ConfigureAwait(false)) gone.Add(name);
        }

        return gone;
    }

    /// <summary>The cache says it is gone; deleting pods deserves a second opinion.</summary>
    private async Task<bool> IsGoneAsync(string node, CancellationToken ct)
    {
        try
        {
            await Client.GetAsync<Node>(null, node, ct).ConfigureAwait(false);
            return false;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return true;
        }
    }
}
