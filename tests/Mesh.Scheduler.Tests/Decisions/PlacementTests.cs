using Mesh.Api.Core.V1;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Tests.Decisions;

/// <summary>What goes where and what is said when it goes nowhere, on both engines.</summary>
public sealed class PlacementTests
{
    private static ClusterState Cluster(bool native, params Node[] nodes)
    {
        var cluster = new ClusterState(native ? NativeEngine.TryCreate(out _)! : new ManagedEngine(), () => 1);
        foreach (var node in nodes) cluster.SetNode(node);
        return cluster;
    }

    private static Placement Place(ClusterState cluster, params Pod[] pods) => cluster.Place(new PodBlueprint(pods[0]), [.. pods.Select(p => p.Metadata.Uid!)]);

    public static TheoryData<bool> Both() => [false, true];

    [Theory]
    [MemberData(nameof(Both))]
    public void Spreads_by_load_and_fills_until_nothing_fits(bool native)
    {
        using var cluster = Cluster(native, Build.Node("a", "2"), Build.Node("b", "2"), Build.Node("c", "1"));
        var pods = Enumerable.Range(0, 6).Select(i => Build.Pod($"p{i}", "1")).ToArray();
        var placed = Place(cluster, pods);
        Assert.Equal(["a", "a", "b", "b", "c"], placed.Nodes.Order());
        Assert.Equal("0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.", placed.Failure);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Failures_are_counted_by_cause(bool native)
    {
        using var cluster = Cluster(
            native, Build.Node("a", "1"), Build.Node("b", taints: Build.Taint("k", "v")), Build.Node("c", taints: Build.Taint("k", "v")), Build.Node("d", cordoned: true),
            Build.Node("e", pods: "0"));
        Assert.Equal(
            "0/5 nodes are available: 1 Insufficient cpu, 1 Too many pods, 1 node(s) were unschedulable, 2 node(s) had untolerated taint {k: v}. "
            + "preemption: 0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.",
            Place(cluster, Build.Pod("p", "2")).Failure);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void No_nodes(bool native)
    {
        using var cluster = Cluster(native);
        Assert.Equal("no nodes available to schedule pods", Place(cluster, Build.Pod("p")).Failure);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Node_selector_and_affinity(bool native)
    {
        ClusterState Disks() => Cluster(native, Build.Node("a", labels: new() { ["disk"] = "ssd", ["gen"] = "3" }), Build.Node("b", labels: new() { ["disk"] = "hdd", ["gen"] = "5" }), Build.Node("c"));
        using var cluster = Disks();
        Node_requirement("disk", "In", ["ssd", "nvme"], "a");
        Node_requirement("disk", "NotIn", ["ssd", "hdd"], "c");
        Node_requirement("disk", "Exists", [], "a", "b");
        Node_requirement("disk", "DoesNotExist", [], "c");
        Node_requirement("gen", "Gt", ["3"], "b");
        Node_requirement("gen", "Lt", ["4"], "a");
        var selected = Place(cluster, Build.Pod("s", change: p => p.Spec!.NodeSelector = new() { ["disk"] = "hdd" }));
        Assert.Equal(["b"], selected.Nodes);
        var named = Place(cluster, Build.Pod("f", change: p => p.Spec!.Affinity = Required(new NodeSelectorTerm { MatchFields = [new NodeSelectorRequirement { Key = "metadata.name", Operator = "In", Values = ["c"] }] })));
        Assert.Equal(["c"], named.Nodes);
        var none = Place(cluster, Build.Pod("n", change: p => p.Spec!.NodeSelector = new() { ["disk"] = "tape" }));
        Assert.Equal("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.", none.Failure);

        void Node_requirement(string key, string op, List<string> values, params string[] expected)
        {
            using var cluster = Disks();
            var seen = new HashSet<string>();
            for (var i = 0; i < 6; i++)
            {
                var pod = Build.Pod($"{key}{op}{i}", "100m", change: p => p.Spec!.Affinity = Required(new NodeSelectorTerm { MatchExpressions = [new NodeSelectorRequirement { Key = key, Operator = op, Values = values }] }));
                seen.UnionWith(Place(cluster, pod).Nodes);
            }

            Assert.Equal(expected, seen.Order());
        }
    }

    private static Affinity Required(NodeSelectorTerm term) => new() { NodeAffinity = new NodeAffinity { RequiredDuringSchedulingIgnoredDuringExecution = new NodeSelector { NodeSelectorTerms = [term] } } };

    [Theory]
    [MemberData(nameof(Both))]
    public void Preferences_win_over_load(bool native)
    {
        using var cluster = Cluster(native, Build.Node("a"), Build.Node("b", labels: new() { ["x"] = "y" }), Build.Node("c", taints: Build.Taint("slow", "", "PreferNoSchedule")));
        var pod = Build.Pod("p", "2", change: p => p.Spec!.Affinity = new Affinity
        {
            NodeAffinity = new NodeAffinity
            {
                PreferredDuringSchedulingIgnoredDuringExecution = [new PreferredSchedulingTerm { Weight = 10, Preference = new NodeSelectorTerm { MatchExpressions = [new NodeSelectorRequirement { Key = "x", Operator = "Exists" }] } }],
            },
        });
        Assert.Equal(["b"], Place(cluster, pod).Nodes);
        Assert.DoesNotContain("c", Place(cluster, Build.Pod("q", "100m"), Build.Pod("r", "100m")).Nodes);
    }

    [Theory]
    [InlineData("k", "Equal", "v", "NoSchedule", true)]
    [InlineData("k", "Equal", "w", "NoSchedule", false)]
    [InlineData("k", "Exists", null, null, true)]
    [InlineData(null, "Exists", null, null, true)]
    [InlineData("k", null, "v", null, true)]
    [InlineData("k", "Exists", null, "NoExecute", false)]
    [InlineData("j", "Exists", null, null, false)]
    public void Tolerations(string? key, string? op, string? value, string? effect, bool placed)
    {
        foreach (var native in new[] { false, true })
        {
            using var cluster = Cluster(native, Build.Node("a", taints: Build.Taint("k", "v")));
            var pod = Build.Pod("p", change: p => p.Spec!.Tolerations = [new Toleration { Key = key, Operator = op, Value = value, Effect = effect }]);
            Assert.Equal(placed ? 1 : 0, Place(cluster, pod).Nodes.Count);
        }
    }

    [Theory]
    [InlineData(80, null, "TCP", 80, null, "TCP", false)]
    [InlineData(80, "10.0.0.1", "TCP", 80, null, "TCP", false)]
    [InlineData(80, "10.0.0.1", "TCP", 80, "10.0.0.2", "TCP", true)]
    [InlineData(80, null, "TCP", 80, null, "UDP", true)]
    [InlineData(80, null, "TCP", 81, null, "TCP", true)]
    public void Host_ports(int first, string? firstIp, string firstProtocol, int second, string? secondIp, string secondProtocol, bool placed)
    {
        foreach (var native in new[] { false, true })
        {
            using var cluster = Cluster(native, Build.Node("a"));
            Pod With(string name, int port, string? ip, string protocol) =>
                Build.Pod(name, change: p => p.Spec!.Containers![0].Ports = [new ContainerPort { HostPort = port, HostIP = ip, Protocol = protocol }]);
            Assert.Single(Place(cluster, With("p", first, firstIp, firstProtocol)).Nodes);
            Assert.Equal(placed ? 1 : 0, Place(cluster, With("q", second, secondIp, secondProtocol)).Nodes.Count);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Pods_of_one_owner_spread_over_nodes_and_zones(bool native)
    {
        Dictionary<string, string> Zone(string z) => new() { ["topology.kubernetes.io/zone"] = z };
        using var cluster = Cluster(native, Build.Node("a1", labels: Zone("a")), Build.Node("a2", labels: Zone("a")), Build.Node("b1", labels: Zone("b")));
        Pod Owned(int i) => Build.Pod($"p{i}", "10m", "10Mi", p => p.Metadata.OwnerReferences = [new Mesh.Api.Meta.V1.OwnerReference { Uid = "rs", Controller = true }]);
        var nodes = Place(cluster, [.. Enumerable.Range(0, 4).Select(Owned)]).Nodes;
        Assert.Equal(2, nodes.Count(n => n == "b1"));
        Assert.Equal(3, nodes.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Extended_resources(bool native)
    {
        var node = Build.Node("a");
        node.Status!.Allocatable!["example.com/gpu"] = "1";
        using var cluster = Cluster(native, node, Build.Node("b"));
        Pod Gpu(string name) => Build.Pod(name, change: p => p.Spec!.Containers![0].Resources!.Requests!["example.com/gpu"] = "1");
        Assert.Equal(["a"], Place(cluster, Gpu("p")).Nodes);
        Assert.StartsWith("0/2 nodes are available: 2 Insufficient example.com/gpu.", Place(cluster, Gpu("q")).Failure);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void What_is_bound_counts_once_and_comes_back_when_gone(bool native)
    {
        using var cluster = Cluster(native, Build.Node("a", "2"));
        var pod = Build.Pod("p", "2");
        var bound = Build.Pod("p", "2");
        bound.Spec!.NodeName = "a";
        cluster.SetPod("uid-p", "a", new PodBlueprint(bound));
        cluster.SetPod("uid-p", "a", new PodBlueprint(bound));
        Assert.Empty(Place(cluster, Build.Pod("q", "1")).Nodes);
        cluster.Forget("uid-p");
        Assert.Empty(Place(cluster, Build.Pod("q", "1")).Nodes);
        Assert.True(cluster.RemovePod("uid-p"));
        Assert.Single(Place(cluster, Build.Pod("q", "2")).Nodes);
        cluster.Forget("uid-q");
        Assert.Single(Place(cluster, Build.Pod("r", "2")).Nodes);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Nodes_come_and_go_with_their_pods(bool native)
    {
        using var cluster = Cluster(native);
        var bound = Build.Pod("p", "3");
        bound.Spec!.NodeName = "a";
        cluster.SetPod("uid-p", "a", new PodBlueprint(bound));
        cluster.SetNode(Build.Node("a"));
        Assert.Empty(Place(cluster, Build.Pod("q", "2")).Nodes);
        cluster.RemoveNode("a");
        cluster.SetNode(Build.Node("other"));
        Assert.Equal(["other"], Place(cluster, Build.Pod("q", "2")).Nodes);
        cluster.SetNode(Build.Node("a"));
        Assert.Empty(Place(cluster, Build.Pod("r", "2500m")).Nodes);
        Assert.Single(Place(cluster, Build.Pod("s", "2")).Nodes);
        Assert.False(cluster.SetNode(Build.Node("a")));
    }
}
