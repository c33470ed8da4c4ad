using Mesh.Scheduler.Constraints;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Decisions;

/// <summary>Why a pod fits nowhere, in Kubernetes' words, counted by cause.</summary>
internal static class FitFailure
{
    /// <summary>The nodes of each reason, as text: <c>1 Insufficient cpu, 2 node(s) had untolerated taint {k: v}</c>.</summary>
    public static string Describe(IReadOnlyList<(Verdict Verdict, NodeRow Row, Refusal Refusal, bool HasVictims)> nodes, PodBlueprint pod, PodClass resolved, Vocabulary words)
    {
        if (nodes.Count == 0) return "no nodes available to schedule pods";
        var reasons = new Dictionary<string, int>();
        var preemption = new Dictionary<string, int>();
        foreach (var (verdict, row, refusal, hasVictims) in nodes)
        {
            foreach (var reason in Reasons(verdict, row, refusal, pod, resolved, words)) Count(reasons, reason);
            if (!IsResolvable(verdict, refusal)) Count(preemption, "Preemption is not helpful for scheduling");
            else if (!hasVictims) Count(preemption, "No preemption victims found for incoming pod");
        }

        var head = $"0/{nodes.Count} nodes are available: ";
        var text = $"{head}{Sentence(reasons)}.";
        return preemption.Count == 0 ? text : $"{text} preemption: {head}{Sentence(preemption)}.";
    }

    /// <summary>Whether taking pods away could make room: not against taints, labels, names and cordons.</summary>
    public static bool IsResolvable(Verdict verdict, Refusal refusal) =>
        (verdict & Verdict.Reason) is Verdict.Ports or Verdict.Resources || ((verdict & Verdict.Reason) == Verdict.NotAllowed && refusal.IsResolvable());

    private static IEnumerable<string> Reasons(Verdict verdict, NodeRow row, Refusal refusal, PodBlueprint pod, PodClass resolved, Vocabulary words)
    {
        switch (verdict & Verdict.Reason)
        {
            case Verdict.Unschedulable: yield return "node(s) were unschedulable"; break;
            case Verdict.NodeName: yield return "node(s) didn't match the requested node name"; break;
            case Verdict.Taint:
                var taint = words.Taints[row.Taints.First(resolved.BlockedTaints.Contains)];
                yield return $"node(s) had untolerated taint {{{taint.Key}: {taint.Value}}}";
                break;
            case Verdict.Affinity: yield return "node(s) didn't match Pod's node affinity/selector"; break;
            case Verdict.Ports: yield return "node(s) didn't have free ports for the requested pod ports"; break;
            case Verdict.NotAllowed: yield return refusal.Text(); break;
            case Verdict.Resources:
                if (verdict.HasFlag(Verdict.Pods)) yield return "Too many pods";
                if (verdict.HasFlag(Verdict.Cpu)) yield return "Insufficient cpu";
                if (verdict.HasFlag(Verdict.Memory)) yield return "Insufficient memory";
                if (verdict.HasFlag(Verdict.Ephemeral)) yield return "Insufficient ephemeral-storage";
                var names = pod.ExtendedNames;
                for (var i = 0; i < names.Count; i++)
                {
                    if (((uint)verdict & ((uint)Verdict.Extended << Math.Min(i, 16))) != 0) yield return $"Insufficient {names[i]}";
                }

                break;
            default: break;
        }
    }

    private static void Count(Dictionary<string, int> counts, string reason) => counts[reason] = counts.GetValueOrDefault(reason) + 1;

    private static string Sentence(Dictionary<string, int> counts) => string.Join(", ", counts.Select(c => $"{c.Value} {c.Key}").Order(StringComparer.Ordinal));
}
