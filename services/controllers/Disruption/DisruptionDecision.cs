using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Api.Policy.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Disruption;

/// <summary>How many pods a budget counts on, and how many of them must be healthy.</summary>
internal readonly record struct Expectation(int Expected, int DesiredHealthy);

/// <summary>A budget's status and what goes with it.</summary>
/// <param name="Status">The status to write.</param>
/// <param name="Recheck">When a pod that was to be evicted counts as healthy again.</param>
/// <param name="NotDeleted">Pods that were to be evicted two minutes ago and are still there.</param>
internal sealed record DisruptionVerdict(PodDisruptionBudgetStatus Status, TimeSpan? Recheck, IReadOnlyList<Pod> NotDeleted);

/// <summary>The decision of the disruption controller, without the cluster.</summary>
internal static class DisruptionDecision
{
    /// <summary>An eviction that was allowed but did not happen within this time gives its allowance back.</summary>
    internal static readonly TimeSpan DeletionTimeout = TimeSpan.FromMinutes(2);

    /// <summary>What the budget asks for, given its pods; the scale (of all their controllers) is only asked for where it counts.</summary>
    internal static Expectation Expect(PodDisruptionBudgetSpec? spec, int pods, Func<int> scale)
    {
        if (spec?.MaxUnavailable is { } most)
        {
            var expected = scale();
            return new Expectation(expected, Math.Max(0, expected - Scaled(most, expected)));
        }

        if (spec?.MinAvailable is not { } least) return default;
        if (!least.IsString) return new Expectation(pods, least.IntValue);
        var all = scale();
        return new Expectation(all, Scaled(least, all));
    }

    internal static DisruptionVerdict Decide(PodDisruptionBudget budget, IReadOnlyCollection<Pod> pods, Expectation expectation, DateTime now)
    {
        var (disrupted, recheck, late) = Disrupted(budget, pods, now);
        var healthy = pods.Count(p => p.Metadata.DeletionTimestamp is null && !disrupted.ContainsKey(p.Metadata.Name!) && PodFacts.IsReady(p));
        var allowed = expectation.Expected > 0 ? Math.Max(0, healthy - expectation.DesiredHealthy) : 0;
        var status = new PodDisruptionBudgetStatus
        {
            ObservedGeneration = budget.Metadata.Generation,
            CurrentHealthy = healthy,
            DesiredHealthy = expectation.DesiredHealthy,
            ExpectedPods = expectation.Expected,
            DisruptionsAllowed = allowed,
            DisruptedPods = disrupted.Count == 0 ? null : disrupted,
            Conditions = Conditions(budget, allowed > 0 ? "SufficientPods" : "InsufficientPods", allowed > 0, "", now),
        };
        return new DisruptionVerdict(status, recheck, late);
    }

    /// <summary>The status when the budget cannot be worked out: nothing may be evicted.</summary>
    internal static PodDisruptionBudgetStatus Unknown(PodDisruptionBudget budget, string why, DateTime now)
    {
        var status = budget.Status?.Clone() ?? new PodDisruptionBudgetStatus();
        (status.DisruptionsAllowed, status.ObservedGeneration) = (0, budget.Metadata.Generation);
        status.CurrentHealthy ??= 0;
        status.DesiredHealthy ??= 0;
        status.ExpectedPods ??= 0;
        status.Conditions = Conditions(budget, "SyncFailed", false, why, now);
        return status;
    }

    private static int Scaled(IntOrString value, int of) => !value.IsString ? value.IntValue
        : int.TryParse(value.StringValue!.TrimEnd('%'), out var percent) ? (int)Math.Ceiling(percent * (double)of / 100) : 0;

    private static (Dictionary<string, DateTime> Disrupted, TimeSpan? Recheck, List<Pod> Late) Disrupted(
        PodDisruptionBudget budget, IReadOnlyCollection<Pod> pods, DateTime now)
    {
        Dictionary<string, DateTime> left = [];
        List<Pod> late = [];
        TimeSpan? recheck = null;
        if (budget.Status?.DisruptedPods is not { Count: > 0 } listed) return (left, null, late);
        foreach (var pod in pods)
        {
            if (pod.Metadata.DeletionTimestamp is not null || !listed.TryGetValue(pod.Metadata.Name!, out var since)) continue;
            var wait = since + DeletionTimeout - now;
            if (wait < TimeSpan.Zero)
            {
                late.Add(pod);
                continue;
            }

            if (recheck is null || wait < recheck) recheck = wait;
            left[pod.Metadata.Name!] = since;
        }

        return (left, recheck, late);
    }

    private static List<Condition> Conditions(PodDisruptionBudget budget, string reason, bool holds, string message, DateTime now)
    {
        var there = budget.Status?.Conditions?.Find(c => c.Type == "DisruptionAllowed");
        var value = holds ? "True" : "False";
        return
        [
            .. (budget.Status?.Conditions ?? []).Where(c => c.Type != "DisruptionAllowed"),
            new Condition
            {
                Type = "DisruptionAllowed",
                Status = value,
                Reason = reason,
                Message = message,
                ObservedGeneration = budget.Metadata.Generation,
                LastTransitionTime = there?.Status == value ? there.LastTransitionTime : now,
            },
        ];
    }
}
