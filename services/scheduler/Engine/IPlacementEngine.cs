using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Engine;

/// <summary>What keeps a node from taking a pod: the first in this order; of resources, all that lack.</summary>
[Flags]
internal enum Verdict : uint
{
    /// <summary>It fits.</summary>
    Fits = 0,

    /// <summary>The slot has no node.</summary>
    NoNode = 1,

    /// <summary>Cordoned.</summary>
    Unschedulable = 2,

    /// <summary>The pod names another node.</summary>
    NodeName = 3,

    /// <summary>A taint is not tolerated.</summary>
    Taint = 4,

    /// <summary>Node selector or required affinity do not match.</summary>
    Affinity = 5,

    /// <summary>A host port is taken.</summary>
    Ports = 6,

    /// <summary>Resources lack; the flags say which.</summary>
    Resources = 7,

    /// <summary>A further filter says no.</summary>
    NotAllowed = 8,

    /// <summary>The part that holds the values above.</summary>
    Reason = 0xff,

    /// <summary>CPU lacks.</summary>
    Cpu = 0x100,

    /// <summary>Memory lacks.</summary>
    Memory = 0x200,

    /// <summary>Local disk lacks.</summary>
    Ephemeral = 0x400,

    /// <summary>Too many pods.</summary>
    Pods = 0x800,

    /// <summary>The first extended resource of the demand lacks; the others follow a bit each, up to the seventeenth.</summary>
    Extended = 0x1000,
}

/// <summary>Knows the nodes and places pods. Not safe for several threads: its owner serialises.</summary>
internal interface IPlacementEngine : IDisposable
{
    /// <summary>What it is, for logs and metrics.</summary>
    string Name { get; }

    /// <summary>Adds or changes a node; what its slot has in use stays.</summary>
    void SetNode(int slot, NodeRow row);

    /// <summary>Removes a node and forgets what was in use there.</summary>
    void RemoveNode(int slot);

    /// <summary>A pod came to the slot (sign 1) or left it (-1).</summary>
    void Use(int slot, PodDemand demand, int sign);

    /// <summary>Places pods of a class one after the other and counts them as in use; answers how many, their slots in order.</summary>
    int Place(PodClass pod, Span<int> slots);

    /// <summary>One verdict a slot.</summary>
    void Explain(PodClass pod, Span<Verdict> verdicts);
}
