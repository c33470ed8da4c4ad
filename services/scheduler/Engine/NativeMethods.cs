using System.Runtime.InteropServices;

namespace Mesh.Scheduler.Engine;

/// <summary>The C ABI of libmesh_scheduler (libs/native/scheduler/mesh_scheduler.h), line by line.</summary>
internal static unsafe partial class NativeMethods
{
    public const int Abi = 1;
    private const string Library = "libmesh_scheduler.so";

    [LibraryImport(Library, EntryPoint = "mesh_scheduler_abi")]
    public static partial int AbiVersion();

    [LibraryImport(Library, EntryPoint = "mesh_scheduler_create")]
    public static partial nint Create();

    [LibraryImport(Library, EntryPoint = "mesh_scheduler_destroy")]
    public static partial void Destroy(nint engine);

    [LibraryImport(Library, EntryPoint = "mesh_scheduler_set_node")]
    public static partial int SetNode(nint engine, int slot, Node* node);

    [LibraryImport(Library, EntryPoint = "mesh_scheduler_remove_node")]
    public static partial int RemoveNode(nint engine, int slot);

    [LibraryImport(Library, EntryPoint = "mesh_scheduler_use")]
    public static partial int Use(nint engine, int slot, Demand* demand, int sign);

    [LibraryImport(Library, EntryPoint = "mesh_scheduler_place")]
    public static partial int Place(nint engine, Class* pod, int count, int* slots);

    [LibraryImport(Library, EntryPoint = "mesh_scheduler_explain")]
    public static partial int Explain(nint engine, Class* pod, int slots, uint* codes);

    [StructLayout(LayoutKind.Sequential)]
    public struct Node
    {
        public long Cpu, Memory, Ephemeral;
        public int Pods, Zone;
        public int Unschedulable, PairCount, KeyCount, TaintCount, ExtendedCount, Reserved;
        public int* Pairs, Keys, Taints, Extended;
        public long* ExtendedAllocatable;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Demand
    {
        public long Cpu, Memory, Ephemeral;
        public long ScoreCpu, ScoreMemory;
        public int ExtendedCount, PortCount;
        public int* Extended;
        public long* ExtendedAmounts;
        public int* Ports;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Requirement
    {
        public int Op, First, Count;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Term
    {
        public int First, Count, Weight;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Class
    {
        public Demand Demand;
        public int Node;
        public int ToleratesUnschedulable;
        public uint Seed;
        public int HasRequired;
        public Term Selector;
        public int RequiredCount, PreferredCount, BlockedCount, SoftCount, BusyCount, Reserved;
        public Term* Required, Preferred;
        public Requirement* Requirements;
        public int* Ids;
        public int* BlockedTaints, SoftTaints, BusyPorts;
        public int* Spread;
        public ulong* Allowed;
        public long* Bonus;
    }
}
