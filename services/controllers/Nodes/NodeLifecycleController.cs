using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Coordination.V1;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Nodes;

/// <summary>Finds nodes that fell silent, marks them and their pods, and keeps the taints their conditions call for.</summary>
internal sealed class NodeLifecycleController : KeyedController
{
    private static readonly TimeSpan StartupGrace = TimeSpan.FromSeconds(60);
    private readonly IInformer<Node> _nodes;
    private readonly IInformer<Lease> _leases;
    private readonly IInformer<Pod> _pods;
    private readonly IEventRecorder _recorder;
    private readonly ConcurrentDictionary<string, NodeSighting> _sightings = new(StringComparer.Ordinal);

    internal NodeLifecycleController(ControllerContext context)
        : base(context, "node-lifecycle-controller", "node_lifecycle_controller")
    {
        _recorder = context.Recorder("node-controller");
        _nodes = WatchPrimary<Node>();
        _leases = Context.Informers.For<Lease>(ns: "kube-node-lease");
        _pods = Watch<Pod>();
        PodIndexes.AddNode(_pods);
        _pods.AddHandler((old, now) =>
        {
            // A pod that lands on a node already lost must not look ready.
            if (now?.Spec?.NodeName is { Length: > 0 } node && old?.Spec?.NodeName != node && IsLost(node)) Enqueue(new ObjectKey(null, node));
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_nodes.Lister.Get(null, key.Name) is not { } node)
        {
            _sightings.TryRemove(key.Name, out _);
            return ReconcileResult.Done;
        }

        var lease = _leases.Lister.Get("kube-node-lease", key.Name)?.Spec?.RenewTime;
        var verdict = NodeHealth.Judge(
            node, lease, _sightings.GetValueOrDefault(key.Name), Context.Options.NodeMonitorGracePeriod, StartupGrace, Context.Now);
        _sightings[key.Name] = verdict.Sighting;
        if (verdict.NewConditions is { } conditions)
        {
            var silent = node.Clone();
            (silent.Status ??= new NodeStatus()).Conditions = conditions;
            node = await Client.UpdateStatusAsync(silent, ct).ConfigureAwait(false);
            _recorder.Normal(node, "NodeNotReady", $"Node {key.Name} status is now: NodeNotReady");
        }

        if (NodeTaints.Decide(node, Context.Now) is { } taints)
        {
            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject { ["resourceVersion"] = node.Metadata.ResourceVersion },
                ["spec"] = new JsonObject { ["taints"] = Taints(taints) },
            };
            await Client.PatchAsync<Node>(null, key.Name, PatchType.Merge, Json.Bytes(patch), ct: ct).ConfigureAwait(false);
        }

        if (NodeHealth.Find(node, "Ready") is { Status: "False" or "Unknown" }) await MarkPodsAsync(key.Name, ct).ConfigureAwait(false);
        return ReconcileResult.After(Context.Options.NodeMonitorPeriod);
    }

    private bool IsLost(string node) => _nodes.Lister.Get(null, node) is { } n && NodeHealth.Find(n, "Ready") is { Status: "False" or "Unknown" };

    /// <summary>Pods of a lost node leave the endpoints: nobody says any more whether they are ready.</summary>
    private async Task MarkPodsAsync(string node, CancellationToken ct)
    {
        foreach (var pod in _pods.Lister.ByIndex(PodIndexes.Node, node))
        {
            if (!PodFacts.IsReady(pod) || PodFacts.IsTerminal(pod)) continue;
            var changed = pod.Clone();
            var ready = changed.Status!.Conditions!.Find(c => c.Type == "Ready")!;
            (ready.Status, ready.LastTransitionTime) = ("False", Context.Now);
            try
            {
                await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
                _recorder.Warning(pod, "NodeNotReady", "Node is not ready");
            }
            catch (ApiException e) when (e.IsNotFound || e.IsConflict)
            {
                // it changed or went meanwhile; the next look decides again
            }
        }
    }

    private static JsonArray Taints(List<Taint> taints) => new([.. taints.Select(t =>
    {
        var json = new JsonObject { ["key"] = t.Key, ["effect"] = t.Effect };
        if (t.Value is not null) json["value"] = t.Value;
        if (t.TimeAdded is { } at) json["timeAdded"] = KubeTime.Format(at);
        return (JsonNode)json;
    })]);
}
