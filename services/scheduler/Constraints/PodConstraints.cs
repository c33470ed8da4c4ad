using Mesh.Api.Core.V1;

namespace Mesh.Scheduler.Constraints;

/// <summary>What a pod demands of its place in view of other pods.</summary>
internal sealed class PodConstraints
{
    public PodConstraints(PodSpec spec, PodIdentity identity)
    {
        var with = spec.Affinity?.PodAffinity;
        var without = spec.Affinity?.PodAntiAffinity;
        RequiredAffinity = Required(with?.RequiredDuringSchedulingIgnoredDuringExecution);
        RequiredAntiAffinity = Required(without?.RequiredDuringSchedulingIgnoredDuringExecution);
        Preferred =
        [
            .. Weighted(with?.PreferredDuringSchedulingIgnoredDuringExecution, 1),
            .. Weighted(without?.PreferredDuringSchedulingIgnoredDuringExecution, -1),
        ];
        HardSpread = Spread("DoNotSchedule");
        SoftSpread = Spread("ScheduleAnyway");
        SpreadsExplicitly = spec.TopologySpreadConstraints is { Count: > 0 };

        AffinityTerm[] Required(List<PodAffinityTerm>? terms) => [.. (terms ?? []).Select(t => new AffinityTerm(t, identity, 0))];
        IEnumerable<AffinityTerm> Weighted(List<WeightedPodAffinityTerm>? terms, int sign) =>
            (terms ?? []).Where(t => t.PodAffinityTerm is not null).Select(t => new AffinityTerm(t.PodAffinityTerm!, identity, sign * (t.Weight ?? 0)));
        SpreadConstraint[] Spread(string when) =>
            [.. (spec.TopologySpreadConstraints ?? []).Where(c => c.WhenUnsatisfiable == when).Select(c => new SpreadConstraint(c, identity))];
    }

    /// <summary>Pods that must be in the same domain.</summary>
    public AffinityTerm[] RequiredAffinity { get; }

    /// <summary>Pods that must not be in the same domain.</summary>
    public AffinityTerm[] RequiredAntiAffinity { get; }

    /// <summary>Pods whose nearness is liked (positive weight) or disliked.</summary>
    public AffinityTerm[] Preferred { get; }

    /// <summary>Spreading that must hold.</summary>
    public SpreadConstraint[] HardSpread { get; }

    /// <summary>Spreading that is liked.</summary>
    public SpreadConstraint[] SoftSpread { get; }

    /// <summary>The cluster's default spreading is not for this pod.</summary>
    public bool SpreadsExplicitly { get; }

    /// <summary>Whether a pod has any.</summary>
    public static bool AnyIn(PodSpec spec) => spec.TopologySpreadConstraints is { Count: > 0 }
        || spec.Affinity?.PodAffinity is { RequiredDuringSchedulingIgnoredDuringExecution.Count: > 0 } or { PreferredDuringSchedulingIgnoredDuringExecution.Count: > 0 }
        || spec.Affinity?.PodAntiAffinity is { RequiredDuringSchedulingIgnoredDuringExecution.Count: > 0 } or { PreferredDuringSchedulingIgnoredDuringExecution.Count: > 0 };

    /// <summary>Whether the coming, changing or going of that pod may let this one in somewhere.</summary>
    public bool Heeds(PodIdentity pod) =>
        RequiredAffinity.Any(t => t.MayMatch(pod)) || RequiredAntiAffinity.Any(t => t.MayMatch(pod))
        || HardSpread.Any(c => c.Counts(pod.Terminating ? new PodIdentity(pod.Namespace, pod.Labels, false) : pod));
}
