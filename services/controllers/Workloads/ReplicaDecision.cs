using Mesh.Api.Core.V1;
using Mesh.Api.Selectors;

namespace Mesh.Controllers.Workloads;

/// <summary>What replica sets and replication controllers want.</summary>
internal sealed record ReplicaSpec(int Replicas, int MinReadySeconds, Selector Selector, PodTemplateSpec? Template);

/// <summary>How many pods there are, counted as both kinds report them.</summary>
internal sealed record ReplicaCounts(int Replicas, int FullyLabeled, int Ready, int Available, int Terminating);

/// <summary>Create this many, or delete these.</summary>
internal sealed record ReplicaPlan(int Create, IReadOnlyList<Pod> Delete);

/// <summary>The decision of replica sets and replication controllers, without the cluster.</summary>
internal static class ReplicaDecision
{
    /// <summary>Never more than this many creations or deletions in one go.</summary>
    internal const int Burst = 500;

    internal static ReplicaPlan Decide(int wanted, IReadOnlyList<Pod> active, IEnumerable<Pod> related, DateTime now)
    {
        var diff = active.Count - wanted;
        if (diff < 0) return new ReplicaPlan(Math.Min(-diff, Burst), []);
        if (diff == 0) return new ReplicaPlan(0, []);
        return new ReplicaPlan(0, DeletionOrder.Choose(active, related, Math.Min(diff, Burst), now));
    }

    internal static ReplicaCounts Count(IReadOnlyCollection<Pod> owned, ReplicaSpec spec, DateTime now)
    {
        var templateLabels = Selector.FromSet(spec.Template?.Metadata?.Labels ?? []);
        int replicas = 0, labeled = 0, ready = 0, available = 0, terminating = 0;
        foreach (var pod in owned)
        {
            if (!PodFacts.IsActive(pod))
            {
                if (!PodFacts.IsTerminal(pod)) terminating++;
                continue;
            }

            replicas++;
            if (templateLabels.Matches(pod.Metadata.Labels)) labeled++;
            if (!PodFacts.IsReady(pod)) continue;
            ready++;
            if (PodFacts.IsAvailable(pod, spec.MinReadySeconds, now)) available++;
        }

        return new ReplicaCounts(replicas, labeled, ready, available, terminating);
    }

    /// <summary>The ReplicaFailure condition's reason when making or deleting pods failed; null when all went well.</summary>
    internal static (string Reason, string Message)? Failure(Exception? error, int diff) =>
        error is null ? null : (diff < 0 ? "FailedCreate" : "FailedDelete", error.Message);
}
