using System.Globalization;
using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Jobs;

/// <summary>What the job controllers ask of jobs and their pods.</summary>
internal static class JobFacts
{
    internal const string Finalizer = "batch.kubernetes.io/job-tracking";
    internal const string NameLabel = "batch.kubernetes.io/job-name";
    internal const string IndexKey = "batch.kubernetes.io/job-completion-index";
    internal const string IndexFailures = "batch.kubernetes.io/job-index-failure-count";
    internal const string IndexIgnoredFailures = "batch.kubernetes.io/job-index-ignored-failure-count";

    internal static bool IsFinished(Job job) => Holds(job, "Complete") || Holds(job, "Failed");

    internal static bool Holds(Job job, string type) => Condition(job.Status, type)?.Status == "True";

    internal static JobCondition? Condition(JobStatus? status, string type) => status?.Conditions?.Find(c => c.Type == type);

    internal static bool IsSuspended(Job job) => job.Spec?.Suspend == true;

    internal static bool IsIndexed(Job job) => job.Spec?.CompletionMode == "Indexed";

    internal static bool HasPerIndexLimit(Job job) => job.Spec?.BackoffLimitPerIndex is not null;

    /// <summary>A pod on its way out is replaced only when it has ended (podReplacementPolicy, KEP-3939).</summary>
    internal static bool ReplacesOnlyFailed(Job job) => job.Spec?.PodReplacementPolicy == "Failed";

    internal static bool HasFinalizer(Pod pod) => pod.Metadata.Finalizers?.Contains(Finalizer) == true;

    internal static bool IsTerminating(Pod pod) => !PodFacts.IsTerminal(pod) && pod.Metadata.DeletionTimestamp is not null;

    /// <summary>Failed, or on its way out without having succeeded, which is how orphans count.</summary>
    internal static bool CountsAsFailed(Job job, Pod pod)
    {
        if (pod.Status?.Phase == "Failed") return true;
        return !ReplacesOnlyFailed(job) && pod.Metadata.DeletionTimestamp is not null && pod.Status?.Phase != "Succeeded";
    }

    /// <summary>The pod's completion index, or -1 when it has none.</summary>
    internal static int Index(Pod pod) => Number(pod, IndexKey, -1);

    internal static int Number(Pod pod, string annotation, int otherwise) =>
        pod.Metadata.Annotations?.TryGetValue(annotation, out var text) == true
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    /// <summary>When a pod ended: its last container's end, else when it was asked to go, was last ready, was made.</summary>
    internal static DateTime FinishTime(Pod pod, DateTime now)
    {
        var ends = (pod.Status?.ContainerStatuses ?? []).Select(c => c.State?.Terminated?.FinishedAt).ToList();
        if (ends.Count > 0 && ends.TrueForAll(e => e is not null)) return ends.Max()!.Value;
        if (pod.Metadata.DeletionTimestamp is { } at) return at.AddSeconds(-(pod.Metadata.DeletionGracePeriodSeconds ?? 0));
        return PodFacts.Condition(pod, "Ready")?.LastTransitionTime ?? pod.Metadata.CreationTimestamp ?? now;
    }
}
