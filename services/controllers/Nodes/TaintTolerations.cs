using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Nodes;

/// <summary>How long a pod may stay on a node with NoExecute taints.</summary>
internal static class TaintTolerations
{
    /// <summary>
    /// When the pod must go: null when it may stay for ever, <see cref="DateTime.MinValue"/> when a taint is not tolerated at all,
    /// else the earliest end of the tolerations in use, counted from when each taint came (or from now, when it does not say).
    /// </summary>
    internal static DateTime? EvictAt(Pod pod, IEnumerable<Taint> taints, DateTime now)
    {
        DateTime? earliest = null;
        foreach (var taint in taints.Where(t => t.Effect == "NoExecute"))
        {
            var tolerating = (pod.Spec?.Tolerations ?? []).Where(t => Tolerates(t, taint)).ToList();
            if (tolerating.Count == 0) return DateTime.MinValue;
            var limits = tolerating.Where(t => t.TolerationSeconds is not null).Select(t => Math.Max(0, t.TolerationSeconds!.Value)).ToList();
            if (limits.Count == 0) continue;
            var until = (taint.TimeAdded ?? now).AddSeconds(limits.Min());
            if (earliest is null || until < earliest) earliest = until;
        }

        return earliest;
    }

    /// <summary>Kubernetes' rule: same effect (or any), same key (or any, with Exists), and Exists or the same value.</summary>
    internal static bool Tolerates(Toleration toleration, Taint taint)
    {
        if (!string.IsNullOrEmpty(toleration.Effect) && toleration.Effect != taint.Effect) return false;
        if (!string.IsNullOrEmpty(toleration.Key) && toleration.Key != taint.Key) return false;
        if (string.IsNullOrEmpty(toleration.Key) && toleration.Operator != "Exists") return false;
        return toleration.Operator == "Exists" || (toleration.Value ?? "") == (taint.Value ?? "");
    }
}
