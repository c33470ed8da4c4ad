using System.Globalization;
using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Deployments;

/// <summary>Names and arithmetic of deployments.</summary>
internal static class DeploymentFacts
{
    internal const string Revision = "deployment.kubernetes.io/revision";
    internal const string RevisionHistory = "deployment.kubernetes.io/revision-history";
    internal const string DesiredReplicas = "deployment.kubernetes.io/desired-replicas";
    internal const string MaxReplicas = "deployment.kubernetes.io/max-replicas";

    private static readonly HashSet<string> NotCopied = new(StringComparer.Ordinal)
    {
        "kubectl.kubernetes.io/last-applied-configuration", Revision, RevisionHistory, DesiredReplicas, MaxReplicas, "deprecated.deployment.rollback.to",
    };

    internal static int Replicas(Deployment d) => d.Spec?.Replicas ?? 1;

    internal static int Replicas(ReplicaSet rs) => rs.Spec?.Replicas ?? 1;

    internal static bool IsRolling(Deployment d) => d.Spec?.Strategy?.Type is null or "" or "RollingUpdate";

    /// <summary>How many pods more than wanted there may be; rounds up.</summary>
    internal static int MaxSurge(Deployment d) => IsRolling(d) ? Fenceposts(d).Surge : 0;

    /// <summary>How many pods fewer than wanted may be available; rounds down.</summary>
    internal static int MaxUnavailable(Deployment d)
    {
        if (!IsRolling(d) || Replicas(d) == 0) return 0;
        return Math.Min(Fenceposts(d).Unavailable, Replicas(d));
    }

    internal static int MinAvailable(Deployment d) => IsRolling(d) ? Replicas(d) - MaxUnavailable(d) : 0;

    internal static long RevisionOf(Mesh.Api.IKubeObject obj) =>
        obj.Metadata.Annotations?.TryGetValue(Revision, out var text) == true && long.TryParse(text, CultureInfo.InvariantCulture, out var n) ? n : 0;

    internal static int? IntAnnotation(ReplicaSet rs, string name) =>
        rs.Metadata.Annotations?.TryGetValue(name, out var text) == true && int.TryParse(text, CultureInfo.InvariantCulture, out var n) ? n : null;

    /// <summary>The annotations a set takes over from its deployment.</summary>
    internal static IEnumerable<KeyValuePair<string, string>> CopiedAnnotations(Deployment d) =>
        (d.Metadata.Annotations ?? []).Where(a => !NotCopied.Contains(a.Key));

    /// <summary>Writes desired-replicas and max-replicas; true when that changed something.</summary>
    internal static bool SetReplicasAnnotations(ReplicaSet rs, Deployment d)
    {
        var annotations = rs.Metadata.Annotations ??= [];
        var (desired, max) = (Text(Replicas(d)), Text(Replicas(d) + MaxSurge(d)));
        var changed = annotations.GetValueOrDefault(DesiredReplicas) != desired || annotations.GetValueOrDefault(MaxReplicas) != max;
        (annotations[DesiredReplicas], annotations[MaxReplicas]) = (desired, max);
        return changed;
    }

    /// <summary>The set whose template is the deployment's; the oldest when a collision made two.</summary>
    internal static ReplicaSet? FindNew(Deployment d, IEnumerable<ReplicaSet> sets) =>
        Oldest(sets).FirstOrDefault(rs => TemplateHash.SameTemplate(rs.Spec?.Template, d.Spec?.Template));

    internal static IOrderedEnumerable<ReplicaSet> Oldest(IEnumerable<ReplicaSet> sets) =>
        sets.OrderBy(rs => rs.Metadata.CreationTimestamp).ThenBy(rs => rs.Metadata.Name, StringComparer.Ordinal);

    /// <summary>All wanted pods are of the new template, available, and no old ones remain.</summary>
    internal static bool IsComplete(Deployment d, DeploymentStatus s) =>
        (s.UpdatedReplicas ?? 0) == Replicas(d) && (s.Replicas ?? 0) == Replicas(d) && (s.AvailableReplicas ?? 0) == Replicas(d)
        && (s.ObservedGeneration ?? 0) >= (d.Metadata.Generation ?? 0);

    internal static string Text(long n) => n.ToString(CultureInfo.InvariantCulture);

    private static (int Surge, int Unavailable) Fenceposts(Deployment d)
    {
        var rolling = d.Spec?.Strategy?.RollingUpdate;
        var surge = (rolling?.MaxSurge ?? "25%").GetScaledValue(Replicas(d), roundUp: true);
        var unavailable = (rolling?.MaxUnavailable ?? "25%").GetScaledValue(Replicas(d), roundUp: false);
        // Both zero after rounding would stand still for ever.
        return surge == 0 && unavailable == 0 ? (0, 1) : (surge, unavailable);
    }
}
