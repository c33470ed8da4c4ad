using Mesh.Api.Core.V1;
using Mesh.Client;

namespace Mesh.NodeAgent.Nodes;

/// <summary>What the node tells of itself as events: that its agent started, and when a condition turned.</summary>
internal static class NodeEvents
{
    /// <summary>Reasons kubelet uses, by condition: when it is True, when it is False.</summary>
    private static readonly Dictionary<string, (string True, string False)> Reasons = new()
    {
        ["MemoryPressure"] = ("NodeHasInsufficientMemory", "NodeHasSufficientMemory"),
        ["DiskPressure"] = ("NodeHasDiskPressure", "NodeHasNoDiskPressure"),
        ["PIDPressure"] = ("NodeHasInsufficientPID", "NodeHasSufficientPID"),
        ["Ready"] = ("NodeReady", "NodeNotReady"),
    };

    /// <summary>The reasons of events for what differs between two statuses; before is null when nothing was told yet.</summary>
    public static IEnumerable<string> Turned(NodeStatus? before, NodeStatus after)
    {
        foreach (var condition in after.Conditions ?? [])
        {
            if (!Reasons.TryGetValue(condition.Type ?? "", out var reason) || condition.Status is not ("True" or "False"))
                continue;
            var old = before?.Conditions?.FirstOrDefault(c => c.Type == condition.Type)?.Status;
            // That a node is not ready before it ever was is no news.
            if (old == condition.Status || (old is null && condition is { Type: "Ready", Status: "False" }))
                continue;
            yield return condition.Status == "True" ? reason.True : reason.False;
        }
    }

    /// <summary>Records an event about the node.</summary>
    public static void Record(IEventRecorder recorder, string node, string reason, string? message = null) =>
        recorder.Event(new ObjectReference { Kind = "Node", Name = node, Uid = node }, "Normal", reason, message ?? $"Node {node} status is now: {reason}");
}
