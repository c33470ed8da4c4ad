using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Tests.Constraints;

/// <summary>Random small clusters, through a random history: the scheduler chooses, and refuses, as the plain rules say.</summary>
public sealed class BruteForceTests
{
    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Same_history_same_choice(int seed)
    {
        using var cluster = World.Start(seed % 2 == 0);
        var run = new History(new Random(seed), cluster, seed);
        for (var step = 0; step < 120; step++) run.Step();

        // A history in which nothing was ever placed or refused would prove nothing.
        Assert.True(run.Placed > 5, $"placed {run.Placed}");
        Assert.True(run.Refused > 0, $"refused {run.Refused}");
    }

    private sealed class History(Random random, ClusterState cluster, int seed)
    {
        private static readonly string[] Apps = ["x", "y", "z"];
        private static readonly string[] Zones = ["a", "b", "c"];
        private static readonly string[] NamespaceNames = ["default", "other", "third"];
        private readonly BruteForce _rules = new();
        private int _pods;

        public int Placed { get; private set; }

        public int Refused { get; private set; }

        public void Step()
        {
            switch (random.Next(20))
            {
                case < 3:
                    SetNode();
                    break;
                case 3 when _rules.Nodes.Count > 2:
                    var gone = _rules.Nodes[random.Next(_rules.Nodes.Count)];
                    _rules.Nodes.Remove(gone);
                    cluster.RemoveNode(gone.Metadata.Name!);
                    break;
                case < 6 when _rules.Pods.Count > 0:
                    var ended = _rules.Pods[random.Next(_rules.Pods.Count)];
                    _rules.Pods.Remove(ended);
                    cluster.RemovePod(ended.Metadata.Uid!);
                    break;
                case 6 when _rules.Pods.Count > 0:
                    Change(random.Next(_rules.Pods.Count));
                    break;
                case 7:
                    var ns = NamespaceNames[random.Next(3)];
                    _rules.Namespaces[ns] = new() { ["team"] = Apps[random.Next(3)] };
                    cluster.SetNamespace(ns, _rules.Namespaces[ns]);
                    break;
                default:
                    Place();
                    break;
            }
        }

        private void SetNode()
        {
            var name = $"n{random.Next(7)}";
            var node = World.Node(name, random.Next(6) == 0 ? null : Zones[random.Next(3)], n =>
            {
                if (random.Next(2) == 0) n.Metadata.Labels!["rack"] = Apps[random.Next(3)];
                if (random.Next(6) == 0) n.Metadata.Labels!.Remove(World.Host);
                if (random.Next(4) == 0) n.Spec!.Taints = [Build.Taint("k")];
            });
            _rules.Nodes.RemoveAll(n => n.Metadata.Name == name);
            _rules.Nodes.Add(node);
            cluster.SetNode(node);
        }

        private void Change(int at)
        {
            var pod = _rules.Pods[at] = _rules.Pods[at].Clone();
            if (random.Next(2) == 0) pod.Metadata.DeletionTimestamp = DateTime.UnixEpoch;
            else pod.Metadata.Labels!["app"] = Apps[random.Next(3)];
            cluster.SetPod(pod.Metadata.Uid!, pod.Spec!.NodeName!, new PodBlueprint(pod));
        }

        private void Place()
        {
            // Several of a kind: each is judged with those before in place.
            var like = Pod();
            var pods = Enumerable.Range(0, random.Next(1, 4)).Select(i =>
            {
                var pod = like.Clone();
                pod.Metadata.Uid = $"uid-{++_pods}";
                return pod;
            }).ToArray();
            var placement = World.Place(cluster, pods);
            for (var i = 0; i <= placement.Nodes.Count && i < pods.Length; i++)
            {
                var where = $"seed {seed}, pod {_pods} ({i}) {System.Text.Encoding.UTF8.GetString(Api.KubeJson.Serialize(pods[i]))}";
                var reasons = _rules.Nodes.ToDictionary(n => n, n => _rules.Refuses(n, pods[i]));
                var fitting = _rules.Nodes.Where(n => reasons[n] is null).ToList();
                if (i == placement.Nodes.Count)
                {
                    Assert.True(fitting.Count == 0, where);
                    var counts = reasons.Values.GroupBy(r => r).Select(g => $"{g.Count()} {g.Key}").Order(StringComparer.Ordinal);
                    var head = _rules.Nodes.Count == 0 ? "no nodes available to schedule pods" : $"0/{_rules.Nodes.Count} nodes are available: {string.Join(", ", counts)}.";
                    Assert.True(placement.Failure!.StartsWith(head, StringComparison.Ordinal), $"{where}: {placement.Failure} instead of {head}");
                    Refused++;
                    return;
                }

                var scores = fitting.Count == 0 ? [] : _rules.Scores(pods[i], fitting);
                var chosen = placement.Nodes[i];
                Assert.True(scores.ContainsKey(chosen), $"{where}: {chosen} refuses it");
                Assert.True(scores[chosen] == scores.Values.Max(), $"{where}: {chosen} has {scores[chosen]}, not {string.Join(", ", scores)}");
                pods[i].Spec!.NodeName = chosen;
                _rules.Pods.Add(pods[i]);
                Placed++;
            }
        }

        private Pod Pod() => World.Pod("p", Apps[random.Next(3)], p =>
        {
            p.Metadata.Namespace = NamespaceNames[random.Next(3)];
            p.Metadata.Labels!["rev"] = Apps[random.Next(3)];
            if (random.Next(3) > 0) p.Spec!.Tolerations = [new Toleration { Key = "k", Operator = "Exists" }];
            if (random.Next(6) == 0) p.Spec!.NodeSelector = new() { ["rack"] = Apps[random.Next(3)] };
            if (random.Next(3) == 0) World.Near(Terms())(p);
            if (random.Next(3) == 0) World.Apart(Terms())(p);
            if (random.Next(4) == 0) Prefer((p.Spec!.Affinity ??= new()).PodAffinity ??= new());
            if (random.Next(4) == 0) Prefer((p.Spec!.Affinity ??= new()).PodAntiAffinity ??= new());
            for (var i = random.Next(8) - 5; i > 0; i--) SpreadBy(p);
        });

        private void Prefer(PodAffinity affinity) => affinity.PreferredDuringSchedulingIgnoredDuringExecution = Weighted();

        private void Prefer(PodAntiAffinity affinity) => affinity.PreferredDuringSchedulingIgnoredDuringExecution = Weighted();

        private List<WeightedPodAffinityTerm> Weighted() => [.. Terms().Select(t => new WeightedPodAffinityTerm { Weight = random.Next(1, 101), PodAffinityTerm = t })];

        private void SpreadBy(Pod pod) => (pod.Spec!.TopologySpreadConstraints ??= []).Add(new TopologySpreadConstraint
        {
            TopologyKey = Key(),
            MaxSkew = random.Next(1, 3),
            WhenUnsatisfiable = random.Next(2) == 0 ? "DoNotSchedule" : "ScheduleAnyway",
            LabelSelector = Selector(),
            MinDomains = random.Next(4) == 0 ? random.Next(1, 4) : null,
            NodeAffinityPolicy = random.Next(3) == 0 ? "Ignore" : null,
            NodeTaintsPolicy = random.Next(3) == 0 ? "Honor" : null,
            MatchLabelKeys = random.Next(4) == 0 ? ["rev", "absent"] : null,
        });

        private PodAffinityTerm[] Terms() => [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => new PodAffinityTerm
        {
            TopologyKey = Key(), LabelSelector = Selector(), Namespaces = random.Next(4) == 0 ? [NamespaceNames[random.Next(3)]] : null,
            NamespaceSelector = random.Next(4) switch { 0 => new LabelSelector(), 1 => new LabelSelector { MatchLabels = new() { ["team"] = Apps[random.Next(3)] } }, _ => null },
            MatchLabelKeys = random.Next(5) == 0 ? ["rev"] : null, MismatchLabelKeys = random.Next(5) == 0 ? ["rev", "absent"] : null,
        })];

        private string Key() => random.Next(5) switch { < 2 => World.Zone, < 4 => World.Host, _ => "rack" };

        private LabelSelector? Selector() => random.Next(8) switch
        {
            0 => null,
            1 => new LabelSelector(),
            2 => Expression("NotIn", Apps[random.Next(3)]),
            3 => Expression("In", Apps[random.Next(3)], Apps[random.Next(3)]),
            4 => Expression(random.Next(2) == 0 ? "Exists" : "DoesNotExist"),
            _ => World.App(Apps[random.Next(3)]),
        };

        private static LabelSelector Expression(string op, params string[] values) =>
            new() { MatchExpressions = [new LabelSelectorRequirement { Key = "app", Operator = op, Values = values.Length == 0 ? null : [.. values.Distinct()] }] };
    }
}
