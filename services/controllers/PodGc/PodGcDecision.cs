using Mesh.Api.Core.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.PodGc;

/// <summary>Why a pod is collected.</summary>
internal enum PodGcReason
{
    /// <summary>Finished, and there are too many finished ones.</summary>
    Terminated,

    /// <summary>Its node does not exist.</summary>
    Orphaned,

    /// <summary>On its way out without ever having had a node.</summary>
    Unscheduled,
}

/// <summary>Which pods nobody else will ever delete.</summary>
internal static class PodGcDecision
{
    internal static IEnumerable<(Pod Pod, PodGcReason Reason)> Decide(IReadOnlyCollection<Pod> pods, Func<string, bool> nodeIsGone, int threshold)
    {
        var finished = pods.Where(p => PodFacts.IsTerminal(p) && p.Metadata.DeletionTimestamp is null).ToList();
        if (threshold > 0 && finished.Count > threshold)
        {
            var oldest = finished.OrderBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal);
            foreach (var pod in oldest.Take(finished.Count - threshold)) yield return (pod, PodGcReason.Terminated);
        }

        foreach (var pod in pods)
        {
            if (pod.Spec?.NodeName is { Length: > 0 } node)
            {
                if (nodeIsGone(node)) yield return (pod, PodGcReason.Orphaned);
            }
            else if (pod.Metadata.DeletionTimestamp is not null)
            {
                yield return (pod, PodGcReason.Unscheduled);
            }
        }
    }
}
