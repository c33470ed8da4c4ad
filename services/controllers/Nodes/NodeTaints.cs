using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Nodes;

/// <summary>Which taints a node's conditions call for.</summary>
internal static class NodeTaints
{
    internal const string NotReady = "node.kubernetes.io/not-ready";
    internal const string Unreachable = "node.kubernetes.io/unreachable";
    private const string Unschedulable = "node.kubernetes.io/unschedulable";

    /// <summary>Condition, status and the taint key it means.</summary>
    private static readonly (string Type, string Status, string Key)[] NoSchedule =
    [
        ("Ready", "False", NotReady),
        ("Ready", "Unknown", Unreachable),
        ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
        ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
        ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
        ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
    ];

    /// <summary>The taints the node should have; null when it has them. Taints of others are left alone.</summary>
    internal static List<Taint>? Decide(Node node, DateTime now)
    {
        var present = node.Spec?.Taints ?? [];
        var wanted = new List<(string Key, string Effect)>();
        foreach (var (type, status, key) in NoSchedule)
        {
            if (NodeHealth.Find(node, type)?.Status == status) wanted.Add((key, "NoSchedule"));
        }

        if (node.Spec?.Unschedulable == true) wanted.Add((Unschedulable, "NoSchedule"));
        var ready = NodeHealth.Find(node, "Ready")?.Status;
        if (ready == "False") wanted.Add((NotReady, "NoExecute"));
        if (ready == "Unknown") wanted.Add((Unreachable, "NoExecute"));
        // A node that registered tainted and has not reported yet keeps that taint.
        if (ready is null && present.Exists(t => t is { Key: NotReady, Effect: "NoSchedule" })) wanted.Add((NotReady, "NoSchedule"));

        var kept = present.Where(t => !IsOurs(t) || wanted.Contains((t.Key!, t.Effect!))).ToList();
        var missing = wanted.Where(w => !present.Exists(t => t.Key == w.Key && t.Effect == w.Effect)).ToList();
        if (kept.Count == present.Count && missing.Count == 0) return null;
        kept.AddRange(missing.Select(w => new Taint { Key = w.Key, Effect = w.Effect, TimeAdded = now }));
        return kept;
    }

    private static bool IsOurs(Taint taint) => taint.Effect switch
    {
        "NoSchedule" => taint.Key == Unschedulable || NoSchedule.Any(n => n.Key == taint.Key),
        "NoExecute" => taint.Key is NotReady or Unreachable,
        _ => false,
    };
}
