using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Nodes;

/// <summary>What was last seen of a node, by our own clock: clocks of nodes are not trusted.</summary>
internal sealed record NodeSighting(DateTime? LeaseRenewed, DateTime? Heartbeat, DateTime SeenAt);

/// <summary>A decision about a node's conditions.</summary>
internal sealed record NodeVerdict(NodeSighting Sighting, List<NodeCondition>? NewConditions);

/// <summary>
/// Lease-based health. A lease renewed or a heartbeat moved since the last look is a sign of life. Without one for the grace
/// period the node's conditions become Unknown; a node that never said anything gets them with other words.
/// </summary>
internal static class NodeHealth
{
    private static readonly string[] Watched = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

    internal static NodeVerdict Judge(Node node, DateTime? leaseRenewed, NodeSighting? before, TimeSpan grace, TimeSpan startupGrace, DateTime now)
    {
        var ready = Find(node, "Ready");
        NodeSighting sighting;
        if (before is null)
            sighting = new NodeSighting(leaseRenewed, ready?.LastHeartbeatTime, ready is null ? node.Metadata.CreationTimestamp ?? now : now);
        else if (before.LeaseRenewed != leaseRenewed || before.Heartbeat != ready?.LastHeartbeatTime)
            sighting = new NodeSighting(leaseRenewed, ready?.LastHeartbeatTime, now);
        else
            sighting = before;

        var silence = now - sighting.SeenAt;
        if (silence <= (ready is null ? startupGrace : grace)) return new NodeVerdict(sighting, null);
        if (Watched.All(type => Find(node, type)?.Status == "Unknown")) return new NodeVerdict(sighting, null);

        var conditions = (node.Status?.Conditions ?? []).Where(c => !Watched.Contains(c.Type)).ToList();
        foreach (var type in Watched)
        {
            var old = Find(node, type);
            conditions.Add(old is { Status: "Unknown" } ? old : new NodeCondition
            {
                Type = type,
                Status = "Unknown",
                Reason = old is null ? "NodeStatusNeverUpdated" : "NodeStatusUnknown",
                Message = old is null ? "Kubelet never posted node status." : "Kubelet stopped posting node status.",
                LastHeartbeatTime = old?.LastHeartbeatTime ?? node.Metadata.CreationTimestamp,
                LastTransitionTime = now,
            });
        }

        return new NodeVerdict(sighting, conditions);
    }

    internal static NodeCondition? Find(Node node, string type) => node.Status?.Conditions?.Find(c => c.Type == type);
}
