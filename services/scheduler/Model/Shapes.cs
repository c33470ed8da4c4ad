namespace Mesh.Scheduler.Model;

/// <summary>What a node offers and says about itself, in interned ids.</summary>
internal sealed record NodeRow
{
    /// <summary>Allocatable millicores.</summary>
    public long Cpu { get; init; }

    /// <summary>Allocatable bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Allocatable bytes of local disk.</summary>
    public long Ephemeral { get; init; }

    /// <summary>How many pods it takes.</summary>
    public int Pods { get; init; }

    /// <summary>Zone id, -1 without one.</summary>
    public int Zone { get; init; } = -1;

    /// <summary>Cordoned.</summary>
    public bool Unschedulable { get; init; }

    /// <summary>Label pairs (and the pair of its name).</summary>
    public int[] Pairs { get; init; } = [];

    /// <summary>Label keys.</summary>
    public int[] Keys { get; init; } = [];

    /// <summary>Taints, in the node's order.</summary>
    public int[] Taints { get; init; } = [];

    /// <summary>Extended resources it has.</summary>
    public int[] Extended { get; init; } = [];

    /// <summary>How much of each.</summary>
    public long[] ExtendedAllocatable { get; init; } = [];
}

/// <summary>What a pod takes from its node.</summary>
internal sealed record PodDemand
{
    /// <summary>What a container without a CPU request counts as in scores, in millicores.</summary>
    public const long DefaultScoreCpu = 100;

    /// <summary>What a container without a memory request counts as in scores, in bytes.</summary>
    public const long DefaultScoreMemory = 200 * 1024 * 1024;

    /// <summary>Requested millicores.</summary>
    public long Cpu { get; init; }

    /// <summary>Requested bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Requested bytes of local disk.</summary>
    public long Ephemeral { get; init; }

    /// <summary>Millicores as scores see it.</summary>
    public long ScoreCpu { get; init; }

    /// <summary>Bytes as scores see it.</summary>
    public long ScoreMemory { get; init; }

    /// <summary>Extended resources it asks for.</summary>
    public int[] Extended { get; init; } = [];

    /// <summary>How much of each.</summary>
    public long[] ExtendedAmounts { get; init; } = [];

    /// <summary>Host ports it listens on.</summary>
    public int[] Ports { get; init; } = [];
}

/// <summary>How a requirement looks at a node's labels.</summary>
internal enum RequirementOp
{
    /// <summary>Has one of the pairs.</summary>
    HasPair,

    /// <summary>Has none of the pairs.</summary>
    LacksPairs,

    /// <summary>Has the key.</summary>
    HasKey,

    /// <summary>Lacks the key.</summary>
    LacksKey,
}

/// <summary>One requirement over interned labels.</summary>
internal sealed record Requirement(RequirementOp Op, int[] Ids);

/// <summary>Requirements that must all hold; none at all hold nowhere.</summary>
internal sealed record Term(Requirement[] Requirements, int Weight = 0);

/// <summary>All that decides where a pod may and should go. Pods with the same class are placed in one run.</summary>
internal sealed record PodClass
{
    /// <summary>Value of <see cref="Node"/>: any node.</summary>
    public const int AnyNode = -1;

    /// <summary>Value of <see cref="Node"/>: a node is named that does not exist.</summary>
    public const int NoNode = -2;

    /// <summary>What each pod takes.</summary>
    public required PodDemand Demand { get; init; }

    /// <summary>The only slot it may use, or one of the constants.</summary>
    public int Node { get; init; } = AnyNode;

    /// <summary>Goes to cordoned nodes too.</summary>
    public bool ToleratesUnschedulable { get; init; }

    /// <summary>Breaks ties between equal nodes.</summary>
    public uint Seed { get; init; }

    /// <summary>spec.nodeSelector; null for none.</summary>
    public Term? Selector { get; init; }

    /// <summary>Required node affinity: one of the terms must hold; null for none.</summary>
    public Term[]? Required { get; init; }

    /// <summary>Preferred node affinity with weights.</summary>
    public Term[] Preferred { get; init; } = [];

    /// <summary>Known taints that keep it away.</summary>
    public int[] BlockedTaints { get; init; } = [];

    /// <summary>Known PreferNoSchedule taints that it does not tolerate.</summary>
    public int[] SoftTaints { get; init; } = [];

    /// <summary>Known host ports that collide with its own.</summary>
    public int[] BusyPorts { get; init; } = [];

    /// <summary>By slot, pods that it should spread away from; null when it belongs to no group.</summary>
    public int[]? Spread { get; init; }

    /// <summary>By slot, a bit: what further filters allow; null for everything.</summary>
    public ulong[]? Allowed { get; init; }

    /// <summary>By slot, what further scores add; null for nothing.</summary>
    public long[]? Bonus { get; init; }
}
