using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Jobs;

/// <summary>A job's pods, sorted and counted.</summary>
internal sealed class PodTally
{
    internal required IReadOnlyList<Pod> Active { get; init; }

    internal required int Terminating { get; init; }

    /// <summary>Ended, tracked, and not yet named in the status.</summary>
    internal required IReadOnlyList<Pod> NewSucceeded { get; init; }

    internal required IReadOnlyList<Pod> NewFailed { get; init; }

    internal required int Succeeded { get; init; }

    internal required int Failed { get; init; }

    /// <summary>Null for jobs that are not Indexed.</summary>
    internal SortedSet<int>? SucceededIndexes { get; init; }

    /// <summary>Null without backoffLimitPerIndex.</summary>
    internal SortedSet<int>? FailedIndexes { get; init; }

    /// <summary>By index: the failed pod that holds the index's count until its replacement is there.</summary>
    internal IReadOnlyDictionary<int, Pod> Held { get; init; } = new Dictionary<int, Pod>();

    internal static PodTally Of(JobView view, JobStatus status)
    {
        var job = view.Job;
        var uncounted = status.UncountedTerminatedPods!;
        var succeeded = (uncounted.Succeeded ?? []).ToHashSet(StringComparer.Ordinal);
        var failed = (uncounted.Failed ?? []).ToHashSet(StringComparer.Ordinal);
        var newSucceeded = view.Pods.Where(p => view.IsTracked(p) && p.Status?.Phase == "Succeeded" && !succeeded.Contains(p.Metadata.Uid!)).ToList();
        var newFailed = view.Pods.Where(p => view.IsTracked(p) && JobFacts.CountsAsFailed(job, p) && !failed.Contains(p.Metadata.Uid!)).ToList();
        var active = view.Pods.Where(PodFacts.IsActive).ToList();
        var counted = newFailed.Count(p => FailurePolicy.Of(job, p).Action != FailurePolicy.Ignore);
        var limit = job.Spec?.Completions ?? int.MaxValue;
        SortedSet<int>? succeededIndexes = null, failedIndexes = null;
        Dictionary<int, Pod> held = [];
        if (JobFacts.IsIndexed(job))
        {
            succeededIndexes = IndexSet.Parse(status.CompletedIndexes, limit);
            foreach (var p in newSucceeded.Where(p => JobFacts.Index(p) is var i && i >= 0 && i < limit)) succeededIndexes.Add(JobFacts.Index(p));
        }

        if (JobFacts.HasPerIndexLimit(job))
        {
            failedIndexes = IndexSet.Parse(status.FailedIndexes, limit);
            foreach (var p in newFailed.Where(p => JobFacts.Index(p) is var i && i >= 0 && i < limit && EndsIndex(job, p))) failedIndexes.Add(JobFacts.Index(p));
            held = Hold(view, active, succeededIndexes!, failedIndexes, limit);
        }

        return new PodTally
        {
            Active = active,
            Terminating = view.Pods.Count(JobFacts.IsTerminating),
            NewSucceeded = newSucceeded,
            NewFailed = newFailed,
            Succeeded = succeededIndexes?.Count ?? (status.Succeeded ?? 0) + newSucceeded.Count + succeeded.Count,
            Failed = (status.Failed ?? 0) + counted + failed.Count,
            SucceededIndexes = succeededIndexes,
            FailedIndexes = failedIndexes,
            Held = held,
        };
    }

    private static bool EndsIndex(Job job, Pod pod) => FailurePolicy.Of(job, pod).Action switch
    {
        FailurePolicy.FailIndex => true,
        FailurePolicy.Ignore => false,
        _ => JobFacts.Number(pod, JobFacts.IndexFailures, 0) >= job.Spec!.BackoffLimitPerIndex,
    };

    private static Dictionary<int, Pod> Hold(JobView view, List<Pod> active, SortedSet<int> succeeded, SortedSet<int> failed, int limit)
    {
        var running = active.Select(JobFacts.Index).ToHashSet();
        return view.Pods.Where(p => view.IsTracked(p) && JobFacts.CountsAsFailed(view.Job, p))
            .GroupBy(JobFacts.Index)
            .Where(g => g.Key >= 0 && g.Key < limit && !running.Contains(g.Key) && !succeeded.Contains(g.Key) && !failed.Contains(g.Key))
            .ToDictionary(g => g.Key, g => g.MaxBy(p => JobFacts.Number(p, JobFacts.IndexFailures, 0) + JobFacts.Number(p, JobFacts.IndexIgnoredFailures, 0))!);
    }
}
