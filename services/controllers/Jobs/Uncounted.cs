using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Jobs;

/// <summary>
/// Counting that survives a crash (KEP-2307): an ended pod's uid is first written into status.uncountedTerminatedPods, then its
/// finalizer goes, then the uid becomes part of the counts. A pod cannot vanish uncounted and is never counted twice.
/// </summary>
internal static class Uncounted
{
    private const int Most = 500;

    /// <summary>Names newly ended pods in the status; gives the pods whose finalizer may go then.</summary>
    internal static List<Pod> Collect(JobView view, JobStatus status, PodTally tally, bool ending)
    {
        var job = view.Job;
        var uncounted = status.UncountedTerminatedPods!;
        var release = new List<Pod>();
        var limit = job.Spec?.Completions ?? int.MaxValue;
        var held = ending ? [] : tally.Held.Values.Select(p => p.Metadata.Uid).ToHashSet();
        var completed = JobFacts.IsIndexed(job) ? IndexSet.Parse(status.CompletedIndexes, limit) : null;
        foreach (var pod in view.Pods.Where(view.IsTracked))
        {
            if ((uncounted.Succeeded?.Count ?? 0) + (uncounted.Failed?.Count ?? 0) + (completed is null ? 0 : release.Count) >= Most) break;
            if (held.Contains(pod.Metadata.Uid)) continue;
            if (pod.Status?.Phase == "Succeeded")
            {
                release.Add(pod);
                if (completed is null) Name(uncounted.Succeeded ??= [], pod);
                else if (JobFacts.Index(pod) is var i && i >= 0 && i < limit) completed.Add(i);
            }
            else if (JobFacts.CountsAsFailed(job, pod) || job.Metadata.DeletionTimestamp is not null)
            {
                release.Add(pod);
                if (completed is not null && (JobFacts.Index(pod) is var i && (i < 0 || i >= limit))) continue;
                if (FailurePolicy.Of(job, pod).Action != FailurePolicy.Ignore) Name(uncounted.Failed ??= [], pod);
            }
        }

        if (completed is { Count: > 0 }) (status.CompletedIndexes, status.Succeeded) = (IndexSet.Format(completed), completed.Count);
        return release;
    }

    /// <summary>Moves uids whose pods have no finalizer any more into the counts.</summary>
    internal static void Settle(JobStatus status, Func<string, bool> isTracked)
    {
        var uncounted = status.UncountedTerminatedPods ??= new UncountedTerminatedPods();
        status.Succeeded = JobDecision.OrNull((status.Succeeded ?? 0) + Take(uncounted.Succeeded, isTracked));
        status.Failed = JobDecision.OrNull((status.Failed ?? 0) + Take(uncounted.Failed, isTracked));
        if (uncounted.Succeeded?.Count == 0) uncounted.Succeeded = null;
        if (uncounted.Failed?.Count == 0) uncounted.Failed = null;
    }

    /// <summary>True when every ended pod is part of the counts and nothing runs any more: the job may be called finished.</summary>
    internal static bool AllIn(JobStatus status) =>
        status.UncountedTerminatedPods is not { Succeeded.Count: > 0 } and not { Failed.Count: > 0 }
        && status is { Active: null or 0, Ready: null or 0, Terminating: null or 0 };

    private static void Name(List<string> uids, Pod pod)
    {
        if (!uids.Contains(pod.Metadata.Uid!)) uids.Add(pod.Metadata.Uid!);
    }

    private static int Take(List<string>? uids, Func<string, bool> isTracked) => uids?.RemoveAll(uid => !isTracked(uid)) ?? 0;
}
