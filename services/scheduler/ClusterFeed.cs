using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Constraints;
using Mesh.Scheduler.Model;
using Mesh.Scheduler.Queue;
using Mesh.Scheduler.Sharding;

namespace Mesh.Scheduler;

/// <summary>Carries what informers see into the cluster state and the queue. Handlers only note; nothing is decided here.</summary>
internal sealed class ClusterFeed(ClusterState cluster, SchedulingQueue queue, IShardOwnership shards, SchedulerMetrics metrics, SchedulerOptions options)
{
    private ILister<Pod>? _pods;

    /// <summary>Registers with the informers; call before they start.</summary>
    public void Attach(IInformerFactory informers)
    {
        informers.For<Node>().AddHandler(OnNode);
        informers.For<Namespace>().AddHandler(OnNamespace);
        var pods = informers.For<Pod>();
        pods.AddHandler(OnPod);
        _pods = pods.Lister;
    }

    /// <summary>Keeps the queue to the pods that are this shard's; runs until cancelled, or not at all when the shards are fixed.</summary>
    public Task FollowOwnershipAsync(CancellationToken ct) => shards.RunAsync(OwnershipChanged, ct);

    internal void OnNode(Node? old, Node? node)
    {
        if (node is null)
        {
            cluster.RemoveNode(old!.Metadata.Name!);

            // Nothing fits better for one node less, except where its pods kept others away or its domain held spreading back.
            queue.MoveAll();
            return;
        }

        if (!cluster.SetNode(node)) return;
        metrics.Incoming(old is null ? "NodeAdd" : "NodeUpdate", "active");
        queue.MoveAll();
    }

    internal void OnNamespace(Namespace? old, Namespace? ns)
    {
        if (cluster.SetNamespace((ns ?? old!).Metadata.Name!, ns?.Metadata.Labels)) queue.MoveAll();
        else queue.MoveHeeding();
    }

    internal void OnPod(Pod? old, Pod? pod)
    {
        if (pod is null)
        {
            Gone(old!);
            return;
        }

        // The same name may be another pod now.
        if (old is not null && old.Metadata.Uid != pod.Metadata.Uid) Gone(old);
        var key = ObjectKey.Of(pod);
        if (pod.Status?.Phase is "Succeeded" or "Failed")
        {
            Gone(pod);
        }
        else if (!string.IsNullOrEmpty(pod.Spec?.NodeName))
        {
            var blueprint = new PodBlueprint(pod);
            var heeded = cluster.SetPod(pod.Metadata.Uid ?? "", pod.Spec.NodeName, blueprint);
            queue.Remove(key, pod.Metadata.Uid);
            if (!heeded) return;
            queue.MoveHeeding(blueprint.Identity);

            // What it was before may have kept a pod away.
            if (old is not null) queue.MoveHeeding(PodIdentity.Of(old));
        }
        else if (pod.Metadata.DeletionTimestamp is not null)
        {
            queue.Remove(key, pod.Metadata.Uid);
        }
        else if ((pod.Spec?.SchedulerName ?? "default-scheduler") == options.SchedulerName && shards.Owns(ShardKey.Of(key, pod.Spec is { } spec && PodConstraints.AnyIn(spec))))
        {
            if (old is null) metrics.Incoming("PodAdd", "active");
            queue.Set(pod);
        }
    }

    private void OwnershipChanged()
    {
        queue.RemoveWhere(pod => !shards.Owns(ShardKey.Of(pod.Key, pod.Blueprint.IsConstrained)));
        foreach (var pod in _pods?.List() ?? [])
        {
            if (string.IsNullOrEmpty(pod.Spec?.NodeName)) OnPod(pod, pod);
        }
    }

    private void Gone(Pod pod)
    {
        queue.Remove(ObjectKey.Of(pod), pod.Metadata.Uid);

        // Room was made: pods that wait for it are tried again.
        if (cluster.RemovePod(pod.Metadata.Uid ?? "")) queue.MoveAll();
    }
}
