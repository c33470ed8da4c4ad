using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Scheduler.Constraints;
using Mesh.Scheduler.Model;
using static Mesh.Scheduler.Tests.Constraints.World;

namespace Mesh.Scheduler.Tests.Constraints;

/// <summary>Inter-pod affinity and anti-affinity, rule by rule.</summary>
public sealed class AffinityTests
{
    private static Node[] Zones() => [Node("a1", "a"), Node("a2", "a"), Node("b1", "b"), Node("bare")];

    public static TheoryData<bool> Both() => [false, true];

    [Theory]
    [MemberData(nameof(Both))]
    public void Required_affinity_joins_the_domain(bool native)
    {
        using var cluster = Start(native, Zones());
        Assert.Equal(
            "0/4 nodes are available: 4 node(s) didn't match pod affinity rules. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.",
            Place(cluster, Pod("early", "web", Near(Term("db")))).Failure);
        Run(cluster, "b1", Pod("db", "db"));
        Assert.Equal(["b1", "b1"], Place(cluster, Pod("w1", "web", Near(Term("db"))), Pod("w2", "web", Near(Term("db")))).Nodes);
        cluster.RemovePod("uid-db");
        Assert.NotNull(Place(cluster, Pod("late", "web", Near(Term("db")))).Failure);
    }

    [Fact]
    public void All_terms_must_mean_one_pod()
    {
        using var cluster = Start(false, Zones());
        Run(cluster, "a1", Pod("x", "x"));
        Run(cluster, "a2", Pod("y", "y"));
        Assert.NotNull(Place(cluster, Pod("p", null, Near(Term("x"), Term("y")))).Failure);
        Run(cluster, "b1", Pod("xy", "x", p => p.Metadata.Labels!["tier"] = "y"));
        var tier = new PodAffinityTerm { TopologyKey = Host, LabelSelector = new LabelSelector { MatchLabels = new() { ["tier"] = "y" } } };
        Assert.Equal(["b1"], Place(cluster, Pod("q", null, Near(Term("x"), tier))).Nodes);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void The_first_of_a_series_goes_anywhere_the_rest_follow(bool native)
    {
        using var cluster = Start(native, Zones());
        var nodes = Place(cluster, [.. Enumerable.Range(0, 6).Select(i => Pod($"p{i}", "web", Near(Term("web"))))]).Nodes;
        Assert.Equal(6, nodes.Count);
        Assert.DoesNotContain("bare", nodes);
        Assert.Single(nodes.Select(n => n[0]).Distinct());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Required_anti_affinity_keeps_apart(bool native)
    {
        using var cluster = Start(native, Node("a1", "a"), Node("a2", "a"), Node("b1", "b"));
        var placed = Place(cluster, [.. Enumerable.Range(0, 3).Select(i => Pod($"p{i}", "web", Apart(Term("web"))))]);
        Assert.Equal(["a", "b"], placed.Nodes.Select(n => n[..1]).Order());
        Assert.Equal(
            "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
            placed.Failure);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Pods_that_run_keep_a_plain_pod_away(bool native)
    {
        using var cluster = Start(native, Zones());
        Run(cluster, "a1", Pod("lonely", "lonely", Apart(Term("web"))));
        var nodes = Place(cluster, [.. Enumerable.Range(0, 8).Select(i => Pod($"w{i}", "web"))]).Nodes;
        Assert.Equal(8, nodes.Count);
        Assert.DoesNotContain(nodes, n => n[0] == 'a');
        Run(cluster, "b1", Pod("too", "lonely", Apart(Term("web"), Term("web", Host))));
        Run(cluster, "bare", Pod("here", "lonely", Apart(Term("web", Host))));
        Assert.StartsWith("0/4 nodes are available: 4 node(s) didn't satisfy existing pods anti-affinity rules.", Place(cluster, Pod("w", "web")).Failure);
        Assert.Null(Place(cluster, Pod("other", "other")).Failure);
        cluster.RemovePod("uid-here");
        Assert.Equal(["bare"], Place(cluster, Pod("w", "web")).Nodes);
    }

    [Fact]
    public void Like_pods_with_other_labels_are_judged_apart()
    {
        using var cluster = Start(false, Node("a"));
        Run(cluster, "a", Pod("lonely", "lonely", Apart(Term("web", Host))));
        var pods = new[] { Pod("w0", "web"), Pod("w1", "web"), Pod("o", "other"), Pod("w2", "web") };
        var first = Place(cluster, pods);
        Assert.Equal((0, 2), (first.Nodes.Count, first.Tried));
        var second = Place(cluster, pods[2..]);
        Assert.Equal((1, 1), (second.Nodes.Count, second.Tried));
        Assert.Null(second.Failure);
    }

    [Fact]
    public void Namespaces_are_the_carriers_own_named_or_selected()
    {
        using var cluster = Start(false, Zones());
        Run(cluster, "b1", Pod("db", "db", p => p.Metadata.Namespace = "data"));
        cluster.SetNamespace("data", new Dictionary<string, string> { ["team"] = "red" });
        Assert.NotNull(Place(cluster, Pod("own", null, Near(Term("db")))).Failure);
        Assert.Equal(["b1"], Place(cluster, Pod("named", null, Near(Term("db", change: t => t.Namespaces = ["data"])))).Nodes);
        Assert.Equal(["b1"], Place(cluster, Pod("all", null, Near(Term("db", change: t => t.NamespaceSelector = new())))).Nodes);
        Action<PodAffinityTerm> Team(string team) => t => t.NamespaceSelector = new LabelSelector { MatchLabels = new() { ["team"] = team } };
        Assert.Equal(["b1"], Place(cluster, Pod("red", null, Near(Term("db", change: Team("red"))))).Nodes);
        Assert.NotNull(Place(cluster, Pod("blue", null, Near(Term("db", change: Team("blue"))))).Failure);
        cluster.SetNamespace("data", new Dictionary<string, string> { ["team"] = "blue" });
        Assert.Equal(["b1"], Place(cluster, Pod("blue", null, Near(Term("db", change: Team("blue"))))).Nodes);
        Assert.NotNull(Place(cluster, Pod("red2", null, Near(Term("db", change: Team("red"))))).Failure);
    }

    [Fact]
    public void Keys_take_their_values_from_the_carrier()
    {
        using var cluster = Start(false, Node("a1", "a"), Node("b1", "b"));
        Pod Revision(string name, string hash, params Action<Pod>[] changes) => Pod(name, "web", p =>
        {
            p.Metadata.Labels!["hash"] = hash;
            foreach (var change in changes) change(p);
        });
        Run(cluster, "a1", Revision("old", "1"));
        var same = Apart(Term("web", change: t => t.MatchLabelKeys = ["hash", "absent"]));
        var others = Apart(Term("web", change: t => t.MismatchLabelKeys = ["hash"]));
        Assert.Equal(["b1"], Place(cluster, Revision("s", "1", same)).Nodes);
        cluster.RemovePod("uid-s");
        Assert.Equal(["a1"], Place(cluster, Revision("m", "1", others, Near(Term("web", Host)))).Nodes);
        cluster.RemovePod("uid-m");
        Assert.Equal(["b1"], Place(cluster, Revision("n", "2", others)).Nodes);
    }

    [Fact]
    public void Missing_labels_and_selectors()
    {
        using var cluster = Start(false, Node("bare"));
        Run(cluster, "bare", Pod("web", "web"));
        Assert.Null(Place(cluster, Pod("apart", "x", Apart(Term("web")))).Failure);
        Assert.NotNull(Place(cluster, Pod("near", "x", Near(Term("web")))).Failure);

        // A missing selector means no pod, an empty one all.
        Assert.Null(Place(cluster, Pod("none", "x", Apart(Term("web", Host, t => t.LabelSelector = null)))).Failure);
        Assert.NotNull(Place(cluster, Pod("all", "x", Apart(Term("web", Host, t => t.LabelSelector = new())))).Failure);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Preferences_weigh_both_ways(bool native)
    {
        using var cluster = Start(native, Node("a1", "a"), Node("b1", "b"), Node("c1", "c"));
        Run(cluster, "b1", Pod("db", "db"));
        Assert.Equal(["b1", "b1", "b1"], Place(cluster, [.. Enumerable.Range(0, 3).Select(i => Pod($"p{i}", "x", Likes(5, Term("db"))))]).Nodes);
        Assert.DoesNotContain("b1", Place(cluster, [.. Enumerable.Range(0, 3).Select(i => Pod($"q{i}", "x", Dislikes(5, Term("db"))))]).Nodes);

        // Pods that run like a plain pod to come: preferred terms by weight, required ones by 1.
        using var other = Start(native, Node("a1", "a"), Node("b1", "b"), Node("c1", "c"));
        Run(other, "c1", Pod("liker", "liker", Likes(3, Term("web"))));
        Run(other, "a1", Pod("needer", "needer", p => Near(Term("web"))(p)));
        Assert.Equal(["c1", "c1"], Place(other, Pod("w1", "web"), Pod("w2", "web")).Nodes);
        other.RemovePod("uid-liker");
        Assert.Equal(["a1"], Place(other, Pod("w3", "web")).Nodes);
        Run(other, "a1", Pod("hater", "hater", Dislikes(50, Term("web"))));
        Assert.NotEqual("a1", Assert.Single(Place(other, Pod("w4", "web")).Nodes));
    }

    [Fact]
    public void Nodes_that_go_take_their_pods_along()
    {
        using var cluster = Start(false, Node("a1", "a"), Node("a2", "a"));
        Run(cluster, "a1", Pod("lonely", "lonely", Apart(Term("web"))));
        Assert.NotNull(Place(cluster, Pod("w", "web")).Failure);
        cluster.RemoveNode("a1");
        Assert.Equal(["a2"], Place(cluster, Pod("w", "web")).Nodes);
        cluster.SetNode(Node("a1", "b"));
        Assert.Equal(["a2"], Place(cluster, Pod("w2", "web")).Nodes);
        Assert.True(cluster.SetNode(Node("a1", "a")));
        Assert.NotNull(Place(cluster, Pod("w3", "web")).Failure);
    }

    [Fact]
    public void A_relabelled_pod_counts_as_what_it_is_now()
    {
        using var cluster = Start(false, Node("a1", "a"));
        Run(cluster, "a1", Pod("p", "x"));
        Assert.NotNull(Place(cluster, Pod("q", "y", Near(Term("web")))).Failure);
        var relabelled = Pod("p", "web");
        relabelled.Spec!.NodeName = "a1";
        Assert.True(cluster.SetPod("uid-p", "a1", new PodBlueprint(relabelled)));
        Assert.False(cluster.SetPod("uid-p", "a1", new PodBlueprint(relabelled)));
        Assert.Equal(["a1"], Place(cluster, Pod("q", "y", Near(Term("web")))).Nodes);
    }

    [Fact]
    public void Plain_pods_know_of_no_constraints()
    {
        var plain = new PodBlueprint(Pod("p", "web"));
        Assert.False(plain.IsConstrained);
        Assert.Null(plain.Constraints);
        Assert.Equal(plain.Signature, new PodBlueprint(Pod("q", "other")).Signature);
        Assert.True(new CarriedTerms().IsEmpty);
        var one = new PodBlueprint(Pod("p", "web", Apart(Term("web"))));
        Assert.NotEqual(one.Signature, new PodBlueprint(Pod("q", "other", Apart(Term("web")))).Signature);
        var carried = new CarriedTerms();
        var held = carried.Hold(one.Constraints);
        Assert.False(carried.IsEmpty);
        Assert.Same(held![0], carried.Hold(one.Constraints)![0]);
        carried.Release(held);
        Assert.False(carried.IsEmpty);
        carried.Release(held);
        Assert.True(carried.IsEmpty);
    }
}
