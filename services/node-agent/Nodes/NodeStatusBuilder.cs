using System.Globalization;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Nodes;

/// <summary>Everything a node's status is made of.</summary>
internal sealed record NodeFacts
{
    public required string NodeName { get; init; }

    public required MachineInfo Machine { get; init; }

    public required NodePressure Pressure { get; init; }

    public required IReadOnlyList<string> Addresses { get; init; }

    public required RuntimeVersion? Runtime { get; init; }

    public string RuntimeScheme { get; init; } = "containerd";

    /// <summary>Why containers cannot run now; empty when they can.</summary>
    public IReadOnlyList<string> NotReady { get; init; } = [];

    public IReadOnlyList<ImageRecord> Images { get; init; } = [];

    public int MaxPods { get; init; } = 110;

    public int Port { get; init; } = 10250;

    public required DateTime Now { get; init; }
}

/// <summary>A node's status as kubelet writes it. Pure.</summary>
internal static class NodeStatusBuilder
{
    public const string KubeletVersion = "v1.36.0";
    private const int MaxImages = 50;

    public static NodeStatus Build(NodeStatus? before, NodeFacts facts)
    {
        var capacity = Capacity(facts);
        return new NodeStatus
        {
            Capacity = capacity,
            Allocatable = Allocatable(facts),
            Conditions = Conditions(before, facts),
            Addresses = [.. facts.Addresses.Select(a => new NodeAddress { Type = "InternalIP", Address = a }), new NodeAddress { Type = "Hostname", Address = facts.NodeName }],
            DaemonEndpoints = new NodeDaemonEndpoints { KubeletEndpoint = new DaemonEndpoint { Port = facts.Port } },
            NodeInfo = new NodeSystemInfo
            {
                MachineID = facts.Machine.MachineId,
                SystemUUID = facts.Machine.SystemUuid,
                BootID = facts.Machine.BootId,
                KernelVersion = facts.Machine.Kernel,
                OsImage = facts.Machine.OsImage,
                ContainerRuntimeVersion = $"{facts.RuntimeScheme}://{facts.Runtime?.Version.TrimStart('v').Split('~', '+')[0] ?? "Unknown"}",
                KubeletVersion = KubeletVersion,
                KubeProxyVersion = "",
                OperatingSystem = "linux",
                Architecture = facts.Machine.Architecture,
            },
            Images = Images(facts.Images),
        };
    }

    public static Dictionary<string, string> Capacity(NodeFacts facts) => Resources(facts, 0);

    /// <summary>What pods may use: the capacity less what the node keeps to itself before it evicts (100 MiB of memory, a tenth of the disk).</summary>
    public static Dictionary<string, string> Allocatable(NodeFacts facts) => Resources(facts, NodePressure.MemoryMark);

    private static Dictionary<string, string> Resources(NodeFacts facts, long keptMemory)
    {
        var disk = facts.Pressure.DiskTotal / 1024;
        return new Dictionary<string, string>
        {
            ["cpu"] = Number(facts.Machine.Cpus),
            ["memory"] = Number((facts.Machine.MemoryBytes - keptMemory) / 1024) + "Ki",
            ["ephemeral-storage"] = keptMemory == 0 ? Number(disk) + "Ki" : Number(facts.Pressure.DiskTotal / 10 * 9),
            ["hugepages-1Gi"] = "0",
            ["hugepages-2Mi"] = "0",
            ["pods"] = Number(facts.MaxPods),
        };
    }

    private static List<NodeCondition> Conditions(NodeStatus? before, NodeFacts facts)
    {
        NodeCondition Pressure(string type, bool bad, string goodReason, string goodMessage, string badReason, string badMessage) => new()
        {
            Type = type,
            Status = bad ? "True" : "False",
            Reason = bad ? badReason : goodReason,
            Message = bad ? badMessage : goodMessage,
        };
        var conditions = new List<NodeCondition>
        {
            Pressure("MemoryPressure", facts.Pressure.Memory, "KubeletHasSufficientMemory", "kubelet has sufficient memory available", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
            Pressure("DiskPressure", facts.Pressure.Disk, "KubeletHasNoDiskPressure", "kubelet has no disk pressure", "KubeletHasDiskPressure", "kubelet has disk pressure"),
            Pressure("PIDPressure", facts.Pressure.Pid, "KubeletHasSufficientPID", "kubelet has sufficient PID available", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
            facts.NotReady.Count == 0
                ? new NodeCondition { Type = "Ready", Status = "True", Reason = "KubeletReady", Message = "kubelet is posting ready status" }
                : new NodeCondition { Type = "Ready", Status = "False", Reason = "KubeletNotReady", Message = facts.NotReady.Count == 1 ? facts.NotReady[0] : $"[{string.Join(", ", facts.NotReady)}]" },
        };
        foreach (var condition in conditions)
        {
            var old = before?.Conditions?.FirstOrDefault(c => c.Type == condition.Type);
            condition.LastHeartbeatTime = facts.Now;
            condition.LastTransitionTime = old?.Status == condition.Status && old?.LastTransitionTime is { } since ? since : facts.Now;
        }

        // Others (network plugins) own conditions of their own.
        conditions.AddRange((before?.Conditions ?? []).Where(o => conditions.All(c => c.Type != o.Type)).Select(o => o.Clone()));
        return conditions;
    }

    private static List<ContainerImage> Images(IReadOnlyList<ImageRecord> images) =>
    [
        .. images.OrderByDescending(i => i.Size).Take(MaxImages)
            .Select(i => new ContainerImage { Names = [.. i.Digests.Concat(i.Tags)], SizeBytes = i.Size })
            .Where(i => i.Names!.Count > 0),
    ];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
