using System.Collections.Concurrent;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Nodes;

/// <summary>Deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer.</summary>
internal sealed class TaintEvictionController : KeyedController
{
    private readonly IInformer<Node> _nodes;
    private readonly IInformer<Pod> _pods;
    private readonly IEventRecorder _recorder;
    private readonly ConcurrentDictionary<ObjectKey, DateTime> _scheduled = new();

    internal TaintEvictionController(ControllerContext context)
        : base(context, "taint-eviction-controller", "noexec_taint_pod")
    {
        _recorder = context.Recorder("taint-eviction-controller");
        _nodes = Watch<Node>();
        _pods = Watch<Pod>();
        PodIndexes.AddNode(_pods);
        _pods.AddHandler((old, now) =>
        {
            if (now?.Spec?.NodeName is { Length: > 0 } node && old?.Spec?.NodeName != node) Enqueue(ObjectKey.Of(now));
            else if (now is null) _scheduled.TryRemove(ObjectKey.Of(old!), out _);
        });
        _nodes.AddHandler((old, now) =>
        {
            if (now is null || SameTaints(old, now)) return;
            foreach (var pod in _pods.Lister.ByIndex(PodIndexes.Node, now.Metadata.Name!)) Enqueue(ObjectKey.Of(pod));
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_pods.Lister.Get(key.Namespace, key.Name) is not { Metadata.DeletionTimestamp: null } pod || PodFacts.IsTerminal(pod)) return ReconcileResult.Done;
        var taints = _nodes.Lister.Get(null, pod.Spec?.NodeName ?? "")?.Spec?.Taints ?? [];
        if (TaintTolerations.EvictAt(pod, taints, Context.Now) is not { } at)
        {
            if (_scheduled.TryRemove(key, out _)) _recorder.Normal(pod, "TaintManagerEviction", $"Cancelling deletion of Pod {key}");
            return ReconcileResult.Done;
        }

        if (at > Context.Now)
        {
            _scheduled[key] = at;
            return ReconcileResult.After(at - Context.Now);
        }

        _scheduled.TryRemove(key, out _);
        _recorder.Normal(pod, "TaintManagerEviction", $"Marking for deletion Pod {key}");
        try
        {
            await PodDisruption.MarkAsync(Client, pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", Context.Now, ct).ConfigureAwait(false);
            await Client.DeleteAsync<Pod>(key.Namespace, key.Name, ct: ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // gone already
        }

        return ReconcileResult.Done;
    }

    private static bool SameTaints(Node? a, Node b)
    {
        static IEnumerable<string> NoExecute(Node? n) => (n?.Spec?.Taints ?? []).Where(t => t.Effect == "NoExecute").Select(t => t.Key + "=" + t.Value + "@" + t.TimeAdded);
        return NoExecute(a).SequenceEqual(NoExecute(b));
    }
}
