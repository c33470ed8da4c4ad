using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using static Mesh.Scheduler.Tests.Constraints.World;

namespace Mesh.Scheduler.Tests.Constraints;

/// <summary>topologySpreadConstraints, rule by rule.</summary>
public sealed class SpreadTests
{
    public static TheoryData<bool> Both() => [false, true];

    [Theory]
    [MemberData(nameof(Both))]
    public void Domains_stay_within_the_skew(bool native)
    {
        using var cluster = Start(native, Node("a1", "a"), Node("a2", "a"), Node("b1", "b"), Node("bare"));
        var nodes = Place(cluster, [.. Enumerable.Range(0, 6).Select(i => Pod($"p{i}", "web", Spread("web")))]).Nodes;
        Assert.Equal(3, nodes.Count(n => n[0] == 'a'));
        Assert.Equal(3, nodes.Count(n => n == "b1"));
        cluster.SetNode(Node("b1", "b", n => n.Spec!.Unschedulable = true));
        Assert.Single(Place(cluster, Pod("one", "web", Spread("web"))).Nodes);
        Assert.Equal(
            "0/4 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), 1 node(s) were unschedulable, "
            + "2 node(s) didn't match pod topology spread constraints. preemption: 0/4 nodes are available: 2 No preemption victims found for incoming pod, "
            + "2 Preemption is not helpful for scheduling.",
            Place(cluster, Pod("two", "web", Spread("web"))).Failure);
        Assert.Single(Place(cluster, Pod("wide", "web", Spread("web", skew: 2))).Nodes);
    }

    [Fact]
    public void Too_few_domains_count_as_an_empty_one()
    {
        using var cluster = Start(false, Node("a1", "a"), Node("b1", "b"));
        Pod Wide(int i) => Pod($"p{i}", "web", Spread("web", change: c => c.MinDomains = 3));
        Assert.Equal(2, Place(cluster, Wide(0), Wide(1), Wide(2)).Nodes.Count);
        cluster.SetNode(Node("c1", "c"));
        Assert.Equal(["c1"], Place(cluster, Wide(3)).Nodes);
        Assert.Single(Place(cluster, Wide(4)).Nodes);
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("Ignore", null, false)]
    [InlineData(null, "Honor", true)]
    [InlineData("Ignore", "Honor", true)]
    public void Taints_are_passed_over_unless_honoured(string? affinity, string? taints, bool placed)
    {
        using var cluster = Start(false, Node("a1", "a"), Node("b1", "b", n => n.Spec!.Taints = [Build.Taint("k")]));
        Run(cluster, "a1", Pod("there", "web"));
        var pod = Pod("p", "web", Spread("web", change: c => (c.NodeAffinityPolicy, c.NodeTaintsPolicy) = (affinity, taints)));
        Assert.Equal(placed ? 1 : 0, Place(cluster, pod).Nodes.Count);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("Honor", true)]
    [InlineData("Ignore", false)]
    public void Node_affinity_is_honoured_unless_ignored(string? policy, bool placed)
    {
        using var cluster = Start(false, Node("a1", "a", n => n.Metadata.Labels!["disk"] = "ssd"), Node("b1", "b"));
        Run(cluster, "a1", Pod("there", "web"));
        var pod = Pod("p", "web", Spread("web", change: c => c.NodeAffinityPolicy = policy));
        pod.Spec!.NodeSelector = new() { ["disk"] = "ssd" };
        Assert.Equal(placed ? 1 : 0, Place(cluster, pod).Nodes.Count);
    }

    [Fact]
    public void Which_pods_count()
    {
        using var cluster = Start(false, Node("a1", "a"), Node("b1", "b"));
        Run(cluster, "a1", Pod("p1", "web"));
        Run(cluster, "b1", Pod("p2", "web", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch));
        Run(cluster, "b1", Pod("p3", "web", p => p.Metadata.Namespace = "other"));
        Run(cluster, "b1", Pod("p4", "other"));
        Assert.Equal(["b1"], Place(cluster, Pod("q", "web", Spread("web"))).Nodes);

        // Of another revision, since the key takes its value from the pod.
        var revised = Pod("r", "web", Spread("web", change: c => c.MatchLabelKeys = ["hash"]));
        revised.Metadata.Labels!["hash"] = "2";
        var next = revised.Clone();
        next.Metadata.Uid = "uid-r2";
        Assert.Equal(["a1", "b1"], Place(cluster, revised, next).Nodes.Order());

        // Pods that do not count themselves pile up where they like.
        Assert.Equal(5, Place(cluster, [.. Enumerable.Range(0, 5).Select(i => Pod($"s{i}", "stranger", Spread("web")))]).Nodes.Count);
    }

    [Fact]
    public void Several_constraints_hold_at_once()
    {
        using var cluster = Start(false, Node("a1", "a"), Node("a2", "a"), Node("b1", "b"), Node("bare"));
        Pod Both(int i) => Pod($"p{i}", "web", p =>
        {
            Spread("web")(p);
            Spread("web", Host)(p);
        });
        var nodes = Place(cluster, [.. Enumerable.Range(0, 3).Select(Both)]).Nodes;
        Assert.Equal(["a1", "a2", "b1"], nodes.Order());
        Assert.Equal(["b1"], Place(cluster, Both(3)).Nodes);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Soft_spreading_prefers_and_never_refuses(bool native)
    {
        using var cluster = Start(native, Node("a1", "a"), Node("a2", "a"), Node("b1", "b"));
        Action<Pod> soft = Spread("web", when: "ScheduleAnyway");
        var nodes = Place(cluster, [.. Enumerable.Range(0, 6).Select(i => Pod($"p{i}", "web", soft))]).Nodes;
        Assert.Equal(3, nodes.Count(n => n == "b1"));
        cluster.RemoveNode("b1");
        Assert.Null(Place(cluster, Pod("q", "web", soft)).Failure);
    }

    [Fact]
    public void Soft_spreading_over_hosts_and_nodes_without_the_label()
    {
        using var cluster = Start(false, Node("a1", "a"), Node("a2", "a"), Node("bare"));
        Action<Pod> hosts = Spread("web", Host, when: "ScheduleAnyway");
        Assert.Equal(["a1", "a2", "bare"], Place(cluster, [.. Enumerable.Range(0, 3).Select(i => Pod($"p{i}", "web", hosts))]).Nodes.Order());
        Assert.DoesNotContain("bare", Place(cluster, [.. Enumerable.Range(0, 3).Select(i => Pod($"z{i}", "web", Spread("web", when: "ScheduleAnyway")))]).Nodes);
    }

    [Fact]
    public void Explicit_constraints_stand_in_for_the_default_spreading()
    {
        using var cluster = Start(false, Node("a1", "a"), Node("b1", "b"));
        Pod Owned(int i, bool spread) => Pod($"p{i}{spread}", "web", p =>
        {
            p.Metadata.OwnerReferences = [new OwnerReference { Uid = "rs", Controller = true }];
            if (spread) Spread("nobody", skew: 5)(p);
        });

        // Nothing scores, the tie-break alone decides: all to one node. Without a constraint of their own they spread.
        Assert.Single(Place(cluster, [.. Enumerable.Range(0, 4).Select(i => Owned(i, true))]).Nodes.Distinct());
        Assert.Equal(2, Place(cluster, [.. Enumerable.Range(0, 8).Select(i => Owned(i, false))]).Nodes.Distinct().Count());
    }
}
