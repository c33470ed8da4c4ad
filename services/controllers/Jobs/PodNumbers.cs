using Mesh.Api.Core.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Jobs;

/// <summary>How many pods a job wants now, and which: either some are deleted or some are made, never both at once.</summary>
internal static class PodNumbers
{
    internal static (IReadOnlyList<Pod> Delete, IReadOnlyList<NewPod> Create) Decide(JobView view, PodTally tally, PodBackoff backoff, ref TimeSpan? recheck)
    {
        var job = view.Job;
        if (JobFacts.IsSuspended(job)) return (tally.Active, []);
        var parallelism = job.Spec?.Parallelism ?? 1;
        // Without completions any success means that the work is done: what runs may end, nothing new starts.
        var wanted = job.Spec?.Completions is { } completions
            ? Math.Max(0, Math.Min(completions - tally.Succeeded, parallelism))
            : tally.Succeeded > 0 ? tally.Active.Count : parallelism;

        var delete = TooMany(view, tally, Math.Max(0, tally.Active.Count - wanted));
        if (delete.Count > 0) return ([.. delete.Take(JobDecision.Burst)], []);
        var missing = wanted - tally.Active.Count - (JobFacts.ReplacesOnlyFailed(job) ? tally.Terminating : 0);
        if (missing <= 0) return ([], []);

        if (!JobFacts.HasPerIndexLimit(job) && backoff.Remaining(view.Now) is var wait && wait > TimeSpan.Zero)
        {
            recheck = Earlier(recheck, wait);
            return ([], []);
        }

        missing = Math.Min(missing, JobDecision.Burst);
        if (!JobFacts.IsIndexed(job)) return ([], [.. Enumerable.Repeat(new NewPod(-1, -1, 0), missing)]);
        return ([], Pending(view, tally, missing, ref recheck));
    }

    internal static TimeSpan Earlier(TimeSpan? a, TimeSpan b) => a is { } there && there < b ? there : b;

    private static List<NewPod> Pending(JobView view, PodTally tally, int count, ref TimeSpan? recheck)
    {
        var job = view.Job;
        var running = view.Pods.Where(p => PodFacts.IsActive(p) || (JobFacts.ReplacesOnlyFailed(job) && JobFacts.IsTerminating(p))).Select(JobFacts.Index).ToHashSet();
        var pods = new List<NewPod>();
        for (var i = 0; i < (job.Spec?.Completions ?? 0) && pods.Count < count; i++)
        {
            if (running.Contains(i) || tally.SucceededIndexes!.Contains(i) || tally.FailedIndexes?.Contains(i) == true) continue;
            if (tally.FailedIndexes is null)
            {
                pods.Add(new NewPod(i, -1, 0));
                continue;
            }

            if (!tally.Held.TryGetValue(i, out var last))
            {
                pods.Add(new NewPod(i, 0, 0));
                continue;
            }

            var (failures, ignored) = (JobFacts.Number(last, JobFacts.IndexFailures, 0), JobFacts.Number(last, JobFacts.IndexIgnoredFailures, 0));
            if (FailurePolicy.Of(job, last).Action == FailurePolicy.Ignore) ignored++;
            else failures++;
            var wait = PodBackoff.Remaining(failures + ignored, JobFacts.FinishTime(last, view.Now), view.Now);
            if (wait > TimeSpan.Zero) recheck = Earlier(recheck, wait);
            else pods.Add(new NewPod(i, failures, ignored));
        }

        return pods;
    }

    /// <summary>Indexed: pods without a valid index and second pods of one index always go; then as many as are too many.</summary>
    private static List<Pod> TooMany(JobView view, PodTally tally, int atLeast)
    {
        List<Pod> delete = [], left = [];
        var order = new DeletionOrder(new Dictionary<string, int>(), view.Now);
        if (JobFacts.IsIndexed(view.Job))
        {
            foreach (var group in tally.Active.GroupBy(JobFacts.Index))
            {
                if (group.Key < 0 || group.Key >= (view.Job.Spec?.Completions ?? int.MaxValue))
                {
                    delete.AddRange(group);
                    continue;
                }

                var sorted = group.Order(order).ToList();
                delete.AddRange(sorted[..^1]);
                left.Add(sorted[^1]);
            }
        }
        else
        {
            left.AddRange(tally.Active);
        }

        if (delete.Count < atLeast) delete.AddRange(left.Order(order).Take(atLeast - delete.Count));
        return delete;
    }
}
