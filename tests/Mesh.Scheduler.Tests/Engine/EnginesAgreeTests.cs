using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Tests.Engine;

/// <summary>The native engine and the reference, fed the same random history, must say the same to the last node.</summary>
public sealed class EnginesAgreeTests
{
    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Same_history_same_answers(int seed)
    {
        using var native = NativeEngine.TryCreate(out var reason);
        Assert.True(native is not null, reason);
        using var managed = new ManagedEngine();
        var world = new RandomWorld(new Random(seed));
        for (var step = 0; step < 60; step++) world.Step(native, managed, $"seed {seed}, step {step}");
    }

    private sealed class RandomWorld(Random random)
    {
        private const int Slots = 80;
        private readonly Dictionary<int, NodeRow> _nodes = [];
        private readonly List<(int Slot, PodDemand Demand)> _pods = [];

        public void Step(IPlacementEngine native, IPlacementEngine managed, string where)
        {
            switch (random.Next(10))
            {
                case < 3:
                    for (var i = random.Next(1, 20); i > 0; i--) SetNode(native, managed);
                    break;
                case 3 when _nodes.Count > 0:
                    var gone = _nodes.Keys.ElementAt(random.Next(_nodes.Count));
                    _nodes.Remove(gone);
                    _pods.RemoveAll(p => p.Slot == gone);
                    native.RemoveNode(gone);
                    managed.RemoveNode(gone);
                    break;
                case 4 when _pods.Count > 0:
                    var left = random.Next(_pods.Count);
                    native.Use(_pods[left].Slot, _pods[left].Demand, -1);
                    managed.Use(_pods[left].Slot, _pods[left].Demand, -1);
                    _pods.RemoveAt(left);
                    break;
                default:
                    Place(native, managed, where);
                    break;
            }
        }

        private void SetNode(IPlacementEngine native, IPlacementEngine managed)
        {
            var slot = random.Next(Slots);
            var row = _nodes[slot] = new NodeRow
            {
                Cpu = random.Next(0, 8) * 1000,
                Memory = random.Next(0, 16) * 1_000_000_000L,
                Ephemeral = random.Next(0, 50) * 1_000_000_000L,
                Pods = random.Next(1, 30),
                Zone = random.Next(-1, 3),
                Unschedulable = random.Next(8) == 0,
                Pairs = Some(12, 5),
                Keys = Some(6, 3),
                Taints = Some(8, 2),
                Extended = [0, 2],
                ExtendedAllocatable = [random.Next(4), random.Next(4)],
            };
            native.SetNode(slot, row);
            managed.SetNode(slot, row);
        }

        private void Place(IPlacementEngine native, IPlacementEngine managed, string where)
        {
            var pod = Pod();
            var expected = new Verdict[Slots + 3];
            var told = new Verdict[Slots + 3];
            managed.Explain(pod, expected);
            native.Explain(pod, told);
            Assert.True(expected.SequenceEqual(told), where);

            var want = new int[random.Next(1, 25)];
            var got = new int[want.Length];
            var count = managed.Place(pod, want);
            Assert.True(count == native.Place(pod, got), where);
            Assert.True(want.AsSpan(0, count).SequenceEqual(got.AsSpan(0, count)), $"{where}: [{string.Join(' ', want)}] [{string.Join(' ', got)}]");
            for (var i = 0; i < count; i++) _pods.Add((want[i], pod.Demand));
        }

        private PodClass Pod()
        {
            var cpu = random.Next(0, 5) * 250L;
            var memory = random.Next(0, 5) * 256_000_000L;
            var port = random.Next(4) == 0;
            return new PodClass
            {
                Demand = new PodDemand
                {
                    Cpu = cpu,
                    Memory = memory,
                    Ephemeral = random.Next(3) == 0 ? 1_000_000_000 : 0,
                    ScoreCpu = cpu == 0 ? PodDemand.DefaultScoreCpu : cpu,
                    ScoreMemory = memory == 0 ? PodDemand.DefaultScoreMemory : memory,
                    Extended = random.Next(3) == 0 ? [random.Next(3)] : [],
                    ExtendedAmounts = [1],
                    Ports = port ? [random.Next(3)] : [],
                } is var demand && demand.Extended.Length == 0 ? demand with { ExtendedAmounts = [] } : demand,
                Node = random.Next(12) == 0 ? random.Next(-2, Slots) : PodClass.AnyNode,
                ToleratesUnschedulable = random.Next(2) == 0,
                Seed = (uint)random.NextInt64(),
                Selector = random.Next(3) == 0 ? Term(0) : null,
                Required = random.Next(3) == 0 ? [Term(0), new Term([]), Term(0)] : random.Next(8) == 0 ? [] : null,
                Preferred = random.Next(2) == 0 ? [Term(random.Next(1, 100)), Term(random.Next(1, 100))] : [],
                BlockedTaints = Some(8, 3),
                SoftTaints = Some(8, 3),
                BusyPorts = port ? [0, 1] : [],
                Spread = random.Next(2) == 0 ? [.. Enumerable.Range(0, random.Next(1, Slots)).Select(_ => random.Next(4))] : null,
                Allowed = random.Next(4) == 0 ? [(ulong)random.NextInt64(), (ulong)random.NextInt64()] : null,
                Bonus = random.Next(4) == 0 ? [.. Enumerable.Range(0, Slots).Select(_ => random.NextInt64(100))] : null,
            };
        }

        private Term Term(int weight) => new(
            [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => new Requirement((RequirementOp)random.Next(4), Some(14, 3)))], weight);

        private int[] Some(int below, int most) => [.. Enumerable.Range(0, random.Next(most + 1)).Select(_ => random.Next(below)).Distinct()];
    }

    [Fact]
    public void A_disagreement_would_be_seen()
    {
        // The same history, but one engine is told of one pod more: the comparison must notice.
        using var first = new ManagedEngine();
        using var second = NativeEngine.TryCreate(out _)!;
        foreach (var engine in new IPlacementEngine[] { first, second })
        {
            for (var slot = 0; slot < 3; slot++) engine.SetNode(slot, new NodeRow { Cpu = 4000, Memory = 8_000_000_000, Pods = 10 });
        }

        var pod = new PodClass { Demand = new PodDemand { Cpu = 500, Memory = 500_000_000, ScoreCpu = 500, ScoreMemory = 500_000_000 }, Seed = 7 };
        var one = new int[1];
        first.Place(pod, one);
        second.Use(one[0], pod.Demand, 1);
        first.Use(one[0], pod.Demand, -1);
        var a = new int[1];
        var b = new int[1];
        first.Place(pod, a);
        second.Place(pod, b);
        Assert.NotEqual(a[0], b[0]);
    }
}
