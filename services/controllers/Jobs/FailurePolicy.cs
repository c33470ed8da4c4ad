using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Jobs;

/// <summary>What a job's podFailurePolicy says about a failed pod (KEP-3329): the first rule that matches decides.</summary>
internal static class FailurePolicy
{
    internal const string FailJob = "FailJob";
    internal const string FailIndex = "FailIndex";
    internal const string Ignore = "Ignore";

    /// <summary>The action, null when no rule matches; the message is what FailJob reports.</summary>
    internal static (string? Action, string Message) Of(Job job, Pod pod)
    {
        var rules = job.Spec?.PodFailurePolicy?.Rules ?? [];
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            if (rule.OnExitCodes is { } codes)
            {
                if (Container(codes, pod) is { } c)
                {
                    return (rule.Action, $"Container {c.Name} for pod {pod.Metadata.Namespace}/{pod.Metadata.Name} failed with exit code {c.State!.Terminated!.ExitCode} matching {rule.Action} rule at index {i}");
                }
            }
            else if (rule.OnPodConditions is { } patterns)
            {
                var condition = pod.Status?.Conditions?.Find(c => patterns.Exists(p => p.Type == c.Type && (string.IsNullOrEmpty(p.Status) ? "True" : p.Status) == c.Status));
                if (condition is not null)
                    return (rule.Action, $"Pod {pod.Metadata.Namespace}/{pod.Metadata.Name} has condition {condition.Type} matching {rule.Action} rule at index {i}");
            }
        }

        return (null, "");
    }

    private static ContainerStatus? Container(PodFailurePolicyOnExitCodesRequirement codes, Pod pod)
    {
        foreach (var c in (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? []))
        {
            if (!string.IsNullOrEmpty(codes.ContainerName) && codes.ContainerName != c.Name) continue;
            if (c.State?.Terminated?.ExitCode is not { } code || code == 0) continue;
            if ((codes.Values ?? []).Contains(code) == (codes.Operator == "In")) return c;
        }

        return null;
    }
}
