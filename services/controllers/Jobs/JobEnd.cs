using Mesh.Api.Batch.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Jobs;

/// <summary>Whether a job is to end, and how; the answer is the terminal condition (Complete or Failed).</summary>
internal static class JobEnd
{
    internal static JobCondition? Decide(JobView view, JobStatus status, PodTally tally, ref TimeSpan? recheck)
    {
        var (job, now) = (view.Job, view.Now);
        // Decided in an earlier round, which may have been stopped half way.
        if (JobFacts.Condition(status, "SuccessCriteriaMet") is { Status: "True" } met) return JobConditions.New("Complete", met.Reason!, met.Message!, now);
        if (JobFacts.Condition(status, "FailureTarget") is { Status: "True" } target) return JobConditions.New("Failed", target.Reason!, target.Message!, now);

        foreach (var pod in view.Pods.Where(p => JobFacts.CountsAsFailed(job, p)))
        {
            if (FailurePolicy.Of(job, pod) is { Action: FailurePolicy.FailJob } verdict) return JobConditions.New("Failed", "PodFailurePolicy", verdict.Message, now);
        }

        if (tally.Failed > (job.Spec?.BackoffLimit ?? 6) || PodBackoff.RestartsExceedLimit(job, view.Pods))
            return JobConditions.New("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit", now);
        if (job.Spec?.ActiveDeadlineSeconds is { } seconds && !JobFacts.IsSuspended(job) && status.StartTime is { } start)
        {
            var left = start.AddSeconds(seconds) - now;
            if (left <= TimeSpan.Zero) return JobConditions.New("Failed", "DeadlineExceeded", "Job was active longer than specified deadline", now);
            recheck = PodNumbers.Earlier(recheck, left);
        }

        return Indexes(job, tally, now);
    }

    /// <summary>Complete when enough pods succeeded and none runs.</summary>
    internal static JobCondition? Completed(Job job, PodTally tally, int active, DateTime now)
    {
        var enough = job.Spec?.Completions is { } completions ? tally.Succeeded >= completions : tally.Succeeded > 0;
        return enough && active == 0 ? JobConditions.New("Complete", "CompletionsReached", "Reached expected number of succeeded pods", now) : null;
    }

    private static JobCondition? Indexes(Job job, PodTally tally, DateTime now)
    {
        if (tally.SucceededIndexes is not { } succeeded) return null;
        if (Satisfied(job, succeeded) is { } rule) return JobConditions.New("Complete", "SuccessPolicy", $"Matched rules at index {rule}", now);
        if (tally.FailedIndexes is not { Count: > 0 } failed) return null;
        if (job.Spec!.MaxFailedIndexes is { } most && failed.Count > most)
            return JobConditions.New("Failed", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes", now);
        return failed.Count + succeeded.Count >= (job.Spec.Completions ?? 0) ? JobConditions.New("Failed", "FailedIndexes", "Job has failed indexes", now) : null;
    }

    /// <summary>The successPolicy rule that is met (KEP-3998), or null.</summary>
    private static int? Satisfied(Job job, SortedSet<int> succeeded)
    {
        var rules = job.Spec?.SuccessPolicy?.Rules ?? [];
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            var named = rule.SucceededIndexes is { } text ? IndexSet.Parse(text, job.Spec!.Completions ?? int.MaxValue) : null;
            var among = named is null ? succeeded.Count : named.Count(succeeded.Contains);
            if (rule.SucceededCount is { } count ? among >= count : named is not null && among == named.Count) return i;
        }

        return null;
    }
}

/// <summary>Conditions of a job's status.</summary>
internal static class JobConditions
{
    internal static JobCondition New(string type, string reason, string message, DateTime now, bool holds = true) => new()
    {
        Type = type,
        Status = holds ? "True" : "False",
        Reason = reason,
        Message = message,
        LastProbeTime = now,
        LastTransitionTime = now,
    };

    /// <summary>Says that the end is decided (SuccessCriteriaMet, FailureTarget) while pods still run out.</summary>
    internal static void Announce(JobStatus status, JobCondition terminal, DateTime now)
    {
        var type = terminal.Type == "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
        if (JobFacts.Condition(status, type) is null) (status.Conditions ??= []).Add(New(type, terminal.Reason!, terminal.Message!, now));
    }

    /// <summary>Sets a condition; one that never held is not written as False. True when something changed.</summary>
    internal static bool Ensure(JobStatus status, string type, bool holds, string reason, string message, DateTime now)
    {
        var there = JobFacts.Condition(status, type);
        if (there is null && !holds) return false;
        var wanted = holds ? "True" : "False";
        if (there?.Status == wanted && there.Reason == reason && there.Message == message) return false;
        var made = New(type, reason, message, now, holds);
        var at = status.Conditions?.FindIndex(c => c.Type == type) ?? -1;
        if (at < 0) (status.Conditions ??= []).Add(made);
        else status.Conditions![at] = made;
        return true;
    }
}
