using Mesh.Api;
using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.DaemonSets;

/// <summary>What is to be done with a daemon set's pods.</summary>
/// <param name="Create">Nodes that are to get a pod.</param>
/// <param name="Delete">Pods that are to go.</param>
/// <param name="Ended">Pods that ended by themselves and are to be replaced; each is news.</param>
internal sealed record DaemonPlan(IReadOnlyList<string> Create, IReadOnlyList<Pod> Delete, IReadOnlyList<Pod> Ended);

/// <summary>The decision of the daemon set controller, without the cluster.</summary>
internal static class DaemonDecision
{
    internal static DaemonPlan Decide(DaemonSet set, IReadOnlyCollection<Node> nodes, IReadOnlyCollection<Pod> pods, string hash, DateTime now)
    {
        var byNode = pods.GroupBy(DaemonPods.NodeOf).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
        List<string> create = [];
        List<Pod> delete = [], ended = [];
        var sites = new List<Site>();
        foreach (var node in nodes)
        {
            var here = byNode.GetValueOrDefault(node.Metadata.Name!) ?? [];
            var (run, stay) = DaemonPods.Fits(set, node);
            var live = here.Where(p => p.Metadata.DeletionTimestamp is null).ToList();
            if (!stay)
            {
                delete.AddRange(live);
                continue;
            }

            ended.AddRange(live.Where(PodFacts.IsTerminal));
            var running = live.Where(p => !PodFacts.IsTerminal(p)).OrderBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal).ToList();
            var fresh = running.Find(p => IsCurrent(p, hash));
            var old = running.Find(p => !IsCurrent(p, hash));
            // One pod a node; while a surge replaces it, one old and one new.
            delete.AddRange(running.Where(p => p != old && p != fresh));
            if (fresh is not null && old is not null && MaxSurge(set, nodes.Count) == 0) delete.Add(old);
            if (run && here.Count == 0) create.Add(node.Metadata.Name!);
            if (run) sites.Add(new Site(node.Metadata.Name!, old, fresh));
        }

        // Pods of nodes that are gone are the pod garbage collector's.
        if (set.Spec?.UpdateStrategy?.Type != "OnDelete") Roll(set, sites, create, delete, now);
        return new DaemonPlan(create, [.. delete.Distinct()], ended);
    }

    internal static DaemonSetStatus Status(DaemonSet set, IReadOnlyCollection<Node> nodes, IReadOnlyCollection<Pod> pods, string hash, DateTime now)
    {
        var byNode = pods.Where(p => p.Metadata.DeletionTimestamp is null).GroupBy(DaemonPods.NodeOf).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
        int desired = 0, current = 0, misplaced = 0, ready = 0, available = 0, updated = 0;
        foreach (var node in nodes)
        {
            var here = byNode.GetValueOrDefault(node.Metadata.Name!) ?? [];
            if (!DaemonPods.Fits(set, node).Run)
            {
                if (here.Count > 0) misplaced++;
                continue;
            }

            desired++;
            if (here.Count == 0) continue;
            current++;
            if (here.Exists(PodFacts.IsReady)) ready++;
            if (here.Exists(p => PodFacts.IsAvailable(p, set.Spec?.MinReadySeconds ?? 0, now))) available++;
            if (here.Exists(p => IsCurrent(p, hash))) updated++;
        }

        return new DaemonSetStatus
        {
            DesiredNumberScheduled = desired,
            CurrentNumberScheduled = current,
            NumberMisscheduled = misplaced,
            NumberReady = ready,
            NumberAvailable = OrNull(available),
            NumberUnavailable = OrNull(desired - available),
            UpdatedNumberScheduled = OrNull(updated),
            ObservedGeneration = set.Metadata.Generation,
            CollisionCount = set.Status?.CollisionCount,
            Conditions = set.Status?.Conditions,
        };
    }

    /// <summary>One step of a rolling update: as many old pods go, or new ones come beside them, as the limits allow.</summary>
    private static void Roll(DaemonSet set, List<Site> sites, List<string> create, List<Pod> delete, DateTime now)
    {
        var (surge, most) = (MaxSurge(set, sites.Count), MaxUnavailable(set, sites.Count));
        var wait = set.Spec?.MinReadySeconds ?? 0;
        if (surge > 0)
        {
            var beside = sites.Count(s => s is { Old: not null, Fresh: not null } && !PodFacts.IsAvailable(s.Fresh, wait, now));
            foreach (var s in sites.Where(s => s.Old is not null))
            {
                if (s.Fresh is not null)
                {
                    if (PodFacts.IsAvailable(s.Fresh, wait, now)) delete.Add(s.Old!);
                }
                else if (!PodFacts.IsAvailable(s.Old!, wait, now) || beside < surge)
                {
                    create.Add(s.Node);
                    beside++;
                }
            }

            return;
        }

        var missing = sites.Count(s => s.Old is null && (s.Fresh is null || !PodFacts.IsAvailable(s.Fresh, wait, now)));
        var old = sites.Where(s => s is { Old: not null, Fresh: null }).Select(s => s.Old!).ToList();
        // What serves nobody goes first and costs nothing.
        var idle = old.Where(p => !PodFacts.IsAvailable(p, wait, now)).ToList();
        delete.AddRange(idle);
        delete.AddRange(old.Except(idle).Take(Math.Max(0, most - missing - idle.Count)));
    }

    private static int MaxSurge(DaemonSet set, int nodes) => Scaled(set.Spec?.UpdateStrategy?.RollingUpdate?.MaxSurge, nodes, 0);

    private static int MaxUnavailable(DaemonSet set, int nodes) => Scaled(set.Spec?.UpdateStrategy?.RollingUpdate?.MaxUnavailable, nodes, 1);

    private static int Scaled(IntOrString? value, int of, int otherwise) => value is not { } v ? otherwise
        : !v.IsString ? v.IntValue
        : int.TryParse(v.StringValue!.TrimEnd('%'), out var percent) ? (int)Math.Ceiling(percent * (double)of / 100) : otherwise;

    private static bool IsCurrent(Pod pod, string hash) => pod.Metadata.Labels?.GetValueOrDefault(DaemonPods.HashLabel) == hash;

    private static int? OrNull(int number) => number == 0 ? null : number;

    private sealed record Site(string Node, Pod? Old, Pod? Fresh);
}
