using System.Globalization;
using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Jobs;

namespace Mesh.Controllers.CronJobs;

/// <summary>An event to record about the cron job.</summary>
internal readonly record struct CronNews(bool Warning, string Reason, string Message);

/// <summary>What is to be done: old jobs deleted, running ones replaced, at most one made; then the status.</summary>
internal sealed record CronPlan
{
    /// <summary>Finished jobs beyond the history limits.</summary>
    internal IReadOnlyList<Job> Forget { get; init; } = [];

    /// <summary>Running jobs that make room for the new one.</summary>
    internal IReadOnlyList<Job> Replace { get; init; } = [];

    /// <summary>The job to make, and the time it is for.</summary>
    internal (Job Job, DateTime At)? Create { get; init; }

    internal required CronJobStatus Status { get; init; }

    internal IReadOnlyList<CronNews> News { get; init; } = [];

    internal TimeSpan? Recheck { get; init; }
}

/// <summary>The decision of the cron job controller, without the cluster.</summary>
internal static class CronJobDecision
{
    private const int TooMany = 100;
    private const string ScheduledAt = "batch.kubernetes.io/cronjob-scheduled-timestamp";

    // A wake-up just before the minute would find nothing to do.
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(100);

    internal static CronPlan Decide(CronJob cron, IReadOnlyCollection<Job> jobs, DateTime now)
    {
        var status = cron.Status?.Clone() ?? new CronJobStatus();
        var news = new List<CronNews>();
        Follow(cron, jobs, status, news);
        var plan = new CronPlan { Status = status, News = news, Forget = Beyond(cron, jobs) };
        if (cron.Metadata.DeletionTimestamp is not null || cron.Spec?.Suspend == true) return plan;

        CronTimes times;
        try
        {
            times = CronTimes.Parse(cron.Spec?.Schedule ?? "", cron.Spec?.TimeZone);
        }
        catch (TimeZoneNotFoundException)
        {
            news.Add(new CronNews(true, "UnknownTimeZone", $"invalid timeZone: \"{cron.Spec!.TimeZone}\": unknown time zone {cron.Spec.TimeZone}"));
            return plan;
        }
        catch (FormatException e)
        {
            news.Add(new CronNews(true, "UnparseableSchedule", $"unparseable schedule: \"{cron.Spec!.Schedule}\" : {e.Message}"));
            return plan;
        }

        plan = plan with { Recheck = times.Next(now) is { } next ? next - now + Late : null };
        if (Due(cron, times, now, news) is not { } due || due == status.LastScheduleTime) return plan;
        if (cron.Spec?.StartingDeadlineSeconds is { } deadline && due.AddSeconds(deadline) < now)
        {
            news.Add(new CronNews(true, "MissSchedule", "Missed scheduled time to start a job: " + due.ToString("ddd, dd MMM yyyy HH:mm:ss +0000", CultureInfo.InvariantCulture)));
            return plan;
        }

        var running = status.Active ?? [];
        var name = $"{cron.Metadata.Name}-{new DateTimeOffset(due).ToUnixTimeSeconds() / 60}";
        if (running.Exists(r => r.Name == name)) return plan;
        if (cron.Spec?.ConcurrencyPolicy == "Forbid" && running.Count > 0)
        {
            news.Add(new CronNews(false, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid"));
            return plan;
        }

        IReadOnlyList<Job> replaced = cron.Spec?.ConcurrencyPolicy == "Replace" ? [.. jobs.Where(j => running.Exists(r => r.Uid == j.Metadata.Uid))] : [];
        foreach (var job in replaced) running.RemoveAll(r => r.Uid == job.Metadata.Uid);
        return plan with { Replace = replaced, Create = (Make(cron, name, due, times.Zone), due) };
    }

    /// <summary>A reference to a job as the status lists it.</summary>
    internal static ObjectReference Reference(Job job) => new()
    {
        ApiVersion = "batch/v1",
        Kind = "Job",
        Namespace = job.Metadata.Namespace,
        Name = job.Metadata.Name,
        Uid = job.Metadata.Uid,
        ResourceVersion = job.Metadata.ResourceVersion,
    };

    /// <summary>Brings the list of active jobs up to date.</summary>
    private static void Follow(CronJob cron, IReadOnlyCollection<Job> jobs, CronJobStatus status, List<CronNews> news)
    {
        var active = status.Active ?? [];
        foreach (var job in jobs)
        {
            var listed = active.Exists(r => r.Uid == job.Metadata.Uid);
            if (!JobFacts.IsFinished(job))
            {
                if (!listed && cron.Metadata.DeletionTimestamp is null && !IsByHand(job))
                    news.Add(new CronNews(true, "UnexpectedJob", "Saw a job that the controller did not create or forgot: " + job.Metadata.Name));
                continue;
            }

            if (listed)
            {
                active.RemoveAll(r => r.Uid == job.Metadata.Uid);
                news.Add(new CronNews(false, "SawCompletedJob", $"Saw completed job: {job.Metadata.Name}, condition: {(JobFacts.Holds(job, "Complete") ? "Complete" : "Failed")}"));
            }

            if (JobFacts.Holds(job, "Complete") && job.Status?.CompletionTime is { } at && (status.LastSuccessfulTime is not { } last || at > last)) status.LastSuccessfulTime = at;
        }

        foreach (var gone in active.Where(r => !jobs.Any(j => j.Metadata.Uid == r.Uid)).ToList())
        {
            news.Add(new CronNews(false, "MissingJob", "Active job went missing: " + gone.Name));
            active.Remove(gone);
        }

        status.Active = active.Count == 0 ? null : active;
    }

    /// <summary>Made by kubectl create job --from: it is ours to collect, not to run.</summary>
    private static bool IsByHand(Job job) => job.Metadata.Annotations?.GetValueOrDefault("cronjob.kubernetes.io/instantiate") == "manual";

    private static List<Job> Beyond(CronJob cron, IReadOnlyCollection<Job> jobs)
    {
        var forget = new List<Job>();
        foreach (var (type, limit) in new[] { ("Complete", cron.Spec?.SuccessfulJobsHistoryLimit), ("Failed", cron.Spec?.FailedJobsHistoryLimit) })
        {
            if (limit is not { } most) continue;
            var finished = jobs.Where(j => j.Metadata.DeletionTimestamp is null && JobFacts.Holds(j, type))
                .OrderBy(j => j.Status?.StartTime ?? DateTime.MaxValue).ThenBy(j => j.Metadata.Name, StringComparer.Ordinal).ToList();
            forget.AddRange(finished.Take(Math.Max(0, finished.Count - most)));
        }

        return forget;
    }

    /// <summary>The latest time that has come since the last start, or null.</summary>
    private static DateTime? Due(CronJob cron, CronTimes times, DateTime now, List<CronNews> news)
    {
        var from = cron.Status?.LastScheduleTime ?? cron.Metadata.CreationTimestamp ?? now;
        if (cron.Spec?.StartingDeadlineSeconds is { } seconds && now.AddSeconds(-seconds) is var floor && floor > from) from = floor;
        DateTime? due = null;
        var missed = 0;
        for (var at = times.Next(from); at is { } t && t <= now; at = times.Next(t), missed++) due = t;
        if (missed > TooMany)
            news.Add(new CronNews(true, "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"));
        return due;
    }

    private static Job Make(CronJob cron, string name, DateTime due, TimeZoneInfo zone)
    {
        var template = cron.Spec?.JobTemplate;
        var local = TimeZoneInfo.ConvertTime(new DateTimeOffset(due), zone);
        var annotations = template?.Metadata?.Annotations is { } given ? new Dictionary<string, string>(given) : [];
        annotations[ScheduledAt] = local.ToString(local.Offset == TimeSpan.Zero ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
        return new Job
        {
            Metadata = new ObjectMeta
            {
                Namespace = cron.Metadata.Namespace,
                Name = name,
                Labels = template?.Metadata?.Labels is { } labels ? new(labels) : null,
                Annotations = annotations,
                OwnerReferences = [Owners.ControllerReference(cron)],
            },
            Spec = template?.Spec?.Clone() ?? new JobSpec(),
        };
    }
}
