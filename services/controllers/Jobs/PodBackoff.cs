using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Jobs;

/// <summary>Failures of a job's pods since the last success: each doubles the wait before the next pod, 10 s up to 10 min.</summary>
internal readonly record struct PodBackoff(int Failures, DateTime Last)
{
    internal static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    internal static readonly TimeSpan Most = TimeSpan.FromMinutes(10);

    /// <summary>The record after pods that newly ended.</summary>
    internal PodBackoff After(IReadOnlyList<Pod> succeeded, IReadOnlyList<Pod> failed, DateTime now)
    {
        if (succeeded.Count == 0 && failed.Count == 0) return this;
        DateTime? success = succeeded.Count == 0 ? null : succeeded.Max(p => JobFacts.FinishTime(p, now));
        var (failures, last) = success is null ? (Failures, Last) : (0, default);
        foreach (var at in failed.Select(p => JobFacts.FinishTime(p, now)).Order())
        {
            if (success is not null && at <= success) continue;
            (failures, last) = (failures + 1, at);
        }

        return new PodBackoff(failures, last);
    }

    /// <summary>How long to wait still; zero: not at all.</summary>
    internal TimeSpan Remaining(DateTime now) => Remaining(Failures, Last, now);

    /// <summary>The same for any count of failures.</summary>
    internal static TimeSpan Remaining(int failures, DateTime last, DateTime now)
    {
        if (failures == 0) return TimeSpan.Zero;
        var wait = TimeSpan.FromSeconds(Math.Min(Most.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 30))));
        var left = last + wait - now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>With restartPolicy OnFailure restarts in place count against the limit too.</summary>
    internal static bool RestartsExceedLimit(Job job, IEnumerable<Pod> pods)
    {
        if (job.Spec?.Template?.Spec?.RestartPolicy != "OnFailure") return false;
        var restarts = pods.Where(p => p.Status?.Phase is "Running" or "Pending").Sum(p =>
            (p.Status!.InitContainerStatuses ?? []).Sum(c => c.RestartCount ?? 0) + (p.Status.ContainerStatuses ?? []).Sum(c => c.RestartCount ?? 0));
        var limit = job.Spec.BackoffLimit ?? 6;
        return limit == 0 ? restarts > 0 : restarts >= limit;
    }
}
