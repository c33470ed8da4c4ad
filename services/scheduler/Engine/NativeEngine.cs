using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Engine;

/// <summary>The engine in C++. Arrays are pinned for the length of a call; nothing is kept by the other side but copies.</summary>
internal sealed unsafe class NativeEngine : IPlacementEngine
{
    private nint _engine;
    private int _slots;

    private NativeEngine(nint engine) => _engine = engine;

    /// <inheritdoc/>
    public string Name => "native";

    /// <summary>The engine; null with the reason when the library is not there or is of another version.</summary>
    public static NativeEngine? TryCreate(out string? reason)
    {
        try
        {
            var abi = NativeMethods.AbiVersion();
            if (abi != NativeMethods.Abi)
            {
                reason = $"libmesh_scheduler.so has ABI {abi}, {NativeMethods.Abi} is wanted";
                return null;
            }

            var engine = NativeMethods.Create();
            reason = engine == 0 ? "libmesh_scheduler.so: out of memory" : null;
            return engine == 0 ? null : new NativeEngine(engine);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            reason = e.Message;
            return null;
        }
    }

    /// <inheritdoc/>
    public void SetNode(int slot, NodeRow row)
    {
        _slots = Math.Max(_slots, slot + 1);
        fixed (int* pairs = row.Pairs, keys = row.Keys, taints = row.Taints, extended = row.Extended)
        fixed (long* amounts = row.ExtendedAllocatable)
        {
            var node = new NativeMethods.Node
            {
                Cpu = row.Cpu,
                Memory = row.Memory,
                Ephemeral = row.Ephemeral,
                Pods = row.Pods,
                Zone = row.Zone,
                Unschedulable = row.Unschedulable ? 1 : 0,
                PairCount = row.Pairs.Length,
                KeyCount = row.Keys.Length,
                TaintCount = row.Taints.Length,
                ExtendedCount = row.Extended.Length,
                Pairs = pairs,
                Keys = keys,
                Taints = taints,
                Extended = extended,
                ExtendedAllocatable = amounts,
            };
            Check(NativeMethods.SetNode(_engine, slot, &node));
        }
    }

    /// <inheritdoc/>
    public void RemoveNode(int slot) => Check(NativeMethods.RemoveNode(_engine, slot));

    /// <inheritdoc/>
    public void Use(int slot, PodDemand demand, int sign)
    {
        _slots = Math.Max(_slots, slot + 1);
        fixed (int* extended = demand.Extended, ports = demand.Ports)
        fixed (long* amounts = demand.ExtendedAmounts)
        {
            var native = Convert(demand, extended, amounts, ports);
            Check(NativeMethods.Use(_engine, slot, &native, sign));
        }
    }

    /// <inheritdoc/>
    public int Place(PodClass pod, Span<int> slots)
    {
        fixed (int* chosen = slots) return Call(pod, chosen, null, slots.Length);
    }

    /// <inheritdoc/>
    public void Explain(PodClass pod, Span<Verdict> verdicts)
    {
        fixed (Verdict* codes = verdicts) Call(pod, null, (uint*)codes, verdicts.Length);

        // Slots past what the engine has seen hold no node.
        for (var slot = _slots; slot < verdicts.Length; slot++) verdicts[slot] = Verdict.NoNode;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_engine != 0) NativeMethods.Destroy(_engine);
        _engine = 0;
    }

    private int Call(PodClass pod, int* chosen, uint* codes, int count)
    {
        var flat = new FlatTerms(pod);
        var spread = Padded(pod.Spread);
        var demand = pod.Demand;
        fixed (int* extended = demand.Extended, ports = demand.Ports, blocked = pod.BlockedTaints, soft = pod.SoftTaints, busy = pod.BusyPorts, ids = flat.Ids, counts = spread)
        fixed (long* amounts = demand.ExtendedAmounts, bonus = Padded(pod.Bonus))
        fixed (ulong* allowed = PaddedBits(pod.Allowed))
        fixed (NativeMethods.Term* required = flat.Required, preferred = flat.Preferred)
        fixed (NativeMethods.Requirement* requirements = flat.Requirements)
        {
            var native = new NativeMethods.Class
            {
                Demand = Convert(demand, extended, amounts, ports),
                Node = pod.Node,
                ToleratesUnschedulable = pod.ToleratesUnschedulable ? 1 : 0,
                Seed = pod.Seed,
                HasRequired = pod.Required is null ? 0 : 1,
                Selector = flat.Selector,
                RequiredCount = flat.Required.Length,
                PreferredCount = flat.Preferred.Length,
                BlockedCount = pod.BlockedTaints.Length,
                SoftCount = pod.SoftTaints.Length,
                BusyCount = pod.BusyPorts.Length,
                Required = required,
                Preferred = preferred,
                Requirements = requirements,
                Ids = ids,
                BlockedTaints = blocked,
                SoftTaints = soft,
                BusyPorts = busy,
                Spread = spread is null ? null : counts,
                Allowed = allowed,
                Bonus = bonus,
            };
            return codes is null
                ? Check(NativeMethods.Place(_engine, &native, count, chosen))
                : Check(NativeMethods.Explain(_engine, &native, Math.Min(count, _slots), codes));
        }
    }

    // The other side reads one value a slot: arrays made before the newest nodes came are lengthened.
    private T[]? Padded<T>(T[]? values)
    {
        if (values is null || values.Length >= Math.Max(_slots, 1)) return values;
        Array.Resize(ref values, Math.Max(_slots, 1));
        return values;
    }

    private ulong[]? PaddedBits(ulong[]? bits)
    {
        var words = (_slots / 64) + 1;
        if (bits is null || bits.Length >= words) return bits;
        Array.Resize(ref bits, words);
        return bits;
    }

    private static NativeMethods.Demand Convert(PodDemand demand, int* extended, long* amounts, int* ports) => new()
    {
        Cpu = demand.Cpu,
        Memory = demand.Memory,
        Ephemeral = demand.Ephemeral,
        ScoreCpu = demand.ScoreCpu,
        ScoreMemory = demand.ScoreMemory,
        ExtendedCount = demand.Extended.Length,
        PortCount = demand.Ports.Length,
        Extended = extended,
        ExtendedAmounts = amounts,
        Ports = ports,
    };

    private static int Check(int answer) => answer >= 0 ? answer : throw new InsufficientMemoryException("the placement engine ran out of memory");

    /// <summary>Terms, requirements and ids of a class, each in one array.</summary>
    private sealed class FlatTerms
    {
        private readonly List<NativeMethods.Requirement> _requirements = [];
        private readonly List<int> _ids = [];

        public FlatTerms(PodClass pod)
        {
            Selector = pod.Selector is null ? default : Flatten(pod.Selector);
            Required = [.. (pod.Required ?? []).Select(Flatten)];
            Preferred = [.. pod.Preferred.Select(Flatten)];
            Requirements = [.. _requirements];
            Ids = [.. _ids];
        }

        public NativeMethods.Term Selector { get; }

        public NativeMethods.Term[] Required { get; }

        public NativeMethods.Term[] Preferred { get; }

        public NativeMethods.Requirement[] Requirements { get; }

        public int[] Ids { get; }

        private NativeMethods.Term Flatten(Term term)
        {
            var first = _requirements.Count;
            foreach (var requirement in term.Requirements)
            {
                _requirements.Add(new NativeMethods.Requirement { Op = (int)requirement.Op, First = _ids.Count, Count = requirement.Ids.Length });
                _ids.AddRange(requirement.Ids);
            }

            return new NativeMethods.Term { First = first, Count = term.Requirements.Length, Weight = term.Weight };
        }
    }
}
