using Mesh.Api;
using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Disruption;

/// <summary>How many pods the controllers of some pods are to have together: a deployment's counts, not that of its sets.</summary>
internal sealed class ControllerScales
{
    private readonly IInformer<ReplicationController> _rcs;
    private readonly IInformer<ReplicaSet> _sets;
    private readonly IInformer<Deployment> _deployments;
    private readonly IInformer<StatefulSet> _stateful;

    internal ControllerScales(
        IInformer<ReplicationController> rcs, IInformer<ReplicaSet> sets, IInformer<Deployment> deployments, IInformer<StatefulSet> stateful, Action<string?> scaled)
    {
        (_rcs, _sets, _deployments, _stateful) = (rcs, sets, deployments, stateful);
        // A new number of replicas changes what a budget expects before any pod comes or goes.
        rcs.AddHandler((old, now) => Compare(old?.Spec?.Replicas, now?.Spec?.Replicas, now ?? old!, scaled));
        sets.AddHandler((old, now) => Compare(old?.Spec?.Replicas, now?.Spec?.Replicas, now ?? old!, scaled));
        deployments.AddHandler((old, now) => Compare(old?.Spec?.Replicas, now?.Spec?.Replicas, now ?? old!, scaled));
        stateful.AddHandler((old, now) => Compare(old?.Spec?.Replicas, now?.Spec?.Replicas, now ?? old!, scaled));
    }

    /// <summary>The sum, and whether some pods have no controller. Throws InvalidOperationException for a controller that has no scale.</summary>
    internal (int Total, bool Unmanaged) Of(IEnumerable<Pod> pods)
    {
        var scales = new Dictionary<string, int>(StringComparer.Ordinal);
        var unmanaged = false;
        foreach (var pod in pods)
        {
            if (Owners.ControllerOf(pod) is not { } owner)
            {
                unmanaged = true;
                continue;
            }

            var (uid, scale) = Find(pod, owner);
            scales[uid] = scale;
        }

        return (scales.Values.Sum(), unmanaged);
    }

    private (string Uid, int Scale) Find(Pod pod, Mesh.Api.Meta.V1.OwnerReference owner)
    {
        var ns = pod.Metadata.Namespace;
        var group = owner.ApiVersion?.Split('/')[0];
        switch (owner.Kind)
        {
            case "ReplicaSet" when group == "apps" && _sets.Lister.Get(ns, owner.Name!) is { } set && set.Metadata.Uid == owner.Uid:
                if (Owners.ControllerOf(set) is not { Kind: "Deployment" } above) return (owner.Uid!, set.Spec?.Replicas ?? 1);
                if (_deployments.Lister.Get(ns, above.Name!) is { } d && d.Metadata.Uid == above.Uid) return (above.Uid!, d.Spec?.Replicas ?? 1);
                break;
            case "ReplicationController" when owner.ApiVersion == "v1" && _rcs.Lister.Get(ns, owner.Name!) is { } rc && rc.Metadata.Uid == owner.Uid:
                return (owner.Uid!, rc.Spec?.Replicas ?? 1);
            case "StatefulSet" when group == "apps" && _stateful.Lister.Get(ns, owner.Name!) is { } ss && ss.Metadata.Uid == owner.Uid:
                return (owner.Uid!, ss.Spec?.Replicas ?? 1);
            case "Job" or "DaemonSet" or "Node":
                throw new InvalidOperationException($"{(owner.Kind == "Job" ? "jobs.batch" : owner.Kind == "DaemonSet" ? "daemonsets.apps" : "nodes")} does not implement the scale subresource");
        }

        throw new InvalidOperationException($"found no controllers for pod \"{pod.Metadata.Name}\"");
    }

    private static void Compare(int? old, int? now, IKubeObject obj, Action<string?> scaled)
    {
        if (old != now) scaled(obj.Metadata.Namespace);
    }
}
