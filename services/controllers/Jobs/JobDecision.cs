using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Jobs;

/// <summary>What the decision sees.</summary>
/// <param name="Job">The job; its status is what was counted so far.</param>
/// <param name="Pods">Its pods, ended ones too.</param>
/// <param name="IsTracked">Whether a pod still has our finalizer, as far as we know: it has not been counted yet.</param>
/// <param name="MayAct">False while the cache has not shown our own last creations and deletions.</param>
/// <param name="Backoff">Failures so far.</param>
/// <param name="Now">The time, UTC.</param>
internal sealed record JobView(Job Job, IReadOnlyList<Pod> Pods, Func<Pod, bool> IsTracked, bool MayAct, PodBackoff Backoff, DateTime Now);

/// <summary>A pod to be made.</summary>
/// <param name="Index">Completion index; -1: none.</param>
/// <param name="Failures">Failures of this index so far that count; -1: not counted by index.</param>
/// <param name="Ignored">Failures of this index so far that do not count.</param>
internal readonly record struct NewPod(int Index, int Failures, int Ignored);

/// <summary>What is to be done, in this order: pods deleted or made, status written, finalizers taken off, status settled.</summary>
internal sealed record JobPlan
{
    internal IReadOnlyList<Pod> Delete { get; init; } = [];

    internal IReadOnlyList<NewPod> Create { get; init; } = [];

    /// <summary>The status with newly ended pods as uncounted; counts change when their finalizers are off.</summary>
    internal required JobStatus Status { get; init; }

    /// <summary>Pods whose finalizer is to go once the status names them.</summary>
    internal IReadOnlyList<Pod> Release { get; init; } = [];

    /// <summary>The condition that ends the job when nothing of it is left running or uncounted.</summary>
    internal JobCondition? Terminal { get; init; }

    /// <summary>Suspended or Resumed, when that just happened.</summary>
    internal (string Reason, string Message)? Event { get; init; }

    internal PodBackoff Backoff { get; init; }

    internal TimeSpan? Recheck { get; init; }
}

/// <summary>The decision of the job controller, without the cluster.</summary>
internal static class JobDecision
{
    /// <summary>Never more than this many creations or deletions in one go.</summary>
    internal const int Burst = 500;

    internal static JobPlan Decide(JobView view)
    {
        var (job, now) = (view.Job, view.Now);
        var status = job.Status?.Clone() ?? new JobStatus();
        status.UncountedTerminatedPods ??= new UncountedTerminatedPods();
        var tally = PodTally.Of(view, status);
        var backoff = view.Backoff.After(tally.NewSucceeded, tally.NewFailed, now);
        TimeSpan? recheck = null;
        if (status.StartTime is null && !JobFacts.IsSuspended(job)) status.StartTime = now;

        var end = JobEnd.Decide(view, status, tally, ref recheck);
        IReadOnlyList<Pod> delete = [];
        IReadOnlyList<NewPod> create = [];
        (string Reason, string Message)? news = null;
        var active = tally.Active.Count;
        if (end is not null)
        {
            delete = tally.Active;
            active = 0;
        }
        else
        {
            var managed = view.MayAct && job.Metadata.DeletionTimestamp is null;
            if (managed) (delete, create) = PodNumbers.Decide(view, tally, backoff, ref recheck);
            active += create.Count - delete.Count;
            end = JobEnd.Completed(job, tally, active, now);
            if (end is null && managed) news = Suspension(job, status, now, ref recheck);
        }

        status.Active = OrNull(active);
        status.Ready = tally.Active.Count(p => PodFacts.IsReady(p) && !delete.Contains(p));
        status.Terminating = tally.Terminating + delete.Count;
        if (JobFacts.HasPerIndexLimit(job)) status.FailedIndexes = IndexSet.Format(tally.FailedIndexes!);
        if (end is not null) JobConditions.Announce(status, end, now);
        var release = Uncounted.Collect(view, status, tally, end is not null);
        return new JobPlan
        {
            Delete = delete,
            Create = create,
            Status = status,
            Release = release,
            Terminal = end,
            Event = news,
            Backoff = backoff,
            Recheck = recheck,
        };
    }

    internal static int? OrNull(int number) => number == 0 ? null : number;

    private static (string Reason, string Message)? Suspension(Job job, JobStatus status, DateTime now, ref TimeSpan? recheck)
    {
        if (JobFacts.IsSuspended(job))
            return JobConditions.Ensure(status, "Suspended", true, "JobSuspended", "Job suspended", now) ? ("Suspended", "Job suspended") : null;
        if (!JobConditions.Ensure(status, "Suspended", false, "JobResumed", "Job resumed", now)) return null;
        // The deadline does not run while a job is suspended: it starts anew.
        status.StartTime = now;
        if (job.Spec?.ActiveDeadlineSeconds is { } seconds) recheck = TimeSpan.FromSeconds(seconds);
        return ("Resumed", "Job resumed");
    }
}
