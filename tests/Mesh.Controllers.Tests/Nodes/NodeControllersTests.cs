using Mesh.Api.Coordination.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Nodes;
using Mesh.Controllers.Tests.Framework;
using Mesh.Controllers.Workloads;
using Xunit;

namespace Mesh.Controllers.Tests.Nodes;

public sealed class NodeControllersTests : ControllerTest
{
    [Fact]
    public async Task A_silent_node_becomes_unknown_tainted_and_its_pods_unready()
    {
        Client.Seed(Node("n1"));
        Client.Seed(Make.Pod("p"));
        Renew("n1");
        using var c = new NodeLifecycleController(Context);
        await StartAsync(c);
        for (var i = 0; i < 10; i++)
        {
            Renew("n1");
            await SettleAsync(() => Context.Informers.For<Lease>(ns: "kube-node-lease").Lister.Get("kube-node-lease", "n1")?.Spec?.RenewTime == Time.Now, "renewal seen", c);
            Time.Advance(TimeSpan.FromSeconds(10));
            await SettleAsync(() => true, "a look", c);
        }

        Assert.Equal("True", Ready("n1")!.Status);

        for (var i = 0; i < 9; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(5));
            await SettleAsync(() => true, "a look", c);
        }

        await SettleAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromSeconds(5));
                return Ready("n1")!.Status == "Unknown" && Client.Find<Node>(null, "n1")!.Spec!.Taints is { Count: 2 } && !PodFacts.IsReady(Client.Find<Pod>("ns", "p")!);
            },
            "unknown", c);
        Assert.Equal(("NodeStatusUnknown", "Kubelet stopped posting node status."), (Ready("n1")!.Reason, Ready("n1")!.Message));
        Assert.Equal(
            ["node.kubernetes.io/unreachable:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"],
            Client.Find<Node>(null, "n1")!.Spec!.Taints!.Select(t => t.Key + ":" + t.Effect).Order(StringComparer.Ordinal));

        Client.Seed(With(Client.Find<Node>(null, "n1")!, n => n.Status!.Conditions = [new NodeCondition { Type = "Ready", Status = "True", LastHeartbeatTime = Time.Now }]));
        await SettleAsync(() => Client.Find<Node>(null, "n1")!.Spec!.Taints is not { Count: > 0 }, "taints gone", c);
    }

    [Fact]
    public async Task A_node_that_says_not_ready_gets_other_taints()
    {
        Client.Seed(With(Node("n1"), n => n.Status!.Conditions![0].Status = "False"));
        using var c = new NodeLifecycleController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.Find<Node>(null, "n1")!.Spec?.Taints is { Count: 2 } t && t.All(x => x.Key == NodeTaints.NotReady), "not-ready", c);
    }

    [Fact]
    public void Cordoned_and_pressed_nodes_are_tainted_and_foreign_taints_stay()
    {
        var node = Node("n1");
        node.Spec = new NodeSpec { Unschedulable = true, Taints = [new Taint { Key = "dedicated", Effect = "NoSchedule" }] };
        node.Status!.Conditions!.Add(new NodeCondition { Type = "DiskPressure", Status = "True" });
        Assert.Equal(
            ["dedicated", "node.kubernetes.io/disk-pressure", "node.kubernetes.io/unschedulable"],
            NodeTaints.Decide(node, Time.Now)!.Select(t => t.Key!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(null, 0L, true)]
    [InlineData(60L, 59L, false)]
    [InlineData(60L, 61L, true)]
    [InlineData(-1L, 100000L, false)]
    public async Task Pods_leave_a_tainted_node_when_their_toleration_ends(long? tolerate, long after, bool gone)
    {
        var pod = Make.Pod("p");
        if (tolerate is not null)
            pod.Spec!.Tolerations = [new Toleration { Key = NodeTaints.Unreachable, Operator = "Exists", Effect = "NoExecute", TolerationSeconds = tolerate == -1 ? null : tolerate }];
        Client.Seed(pod);
        Client.Seed(With(Node("n1"), n => n.Spec = new NodeSpec { Taints = [new Taint { Key = NodeTaints.Unreachable, Effect = "NoExecute", TimeAdded = Time.Now }] }));
        using var c = new TaintEvictionController(Context);
        await StartAsync(c);
        await SettleAsync(() => true, "a look", c);
        Time.Advance(TimeSpan.FromSeconds(after));
        await SettleAsync(() => Client.Find<Pod>("ns", "p")!.Metadata.DeletionTimestamp is not null == gone, "as tolerated", c);
        if (gone) Assert.Contains("Normal TaintManagerEviction: Marking for deletion Pod ns/p", Events.All);
    }

    [Fact]
    public async Task Nodes_get_ranges_that_do_not_overlap_and_come_back()
    {
        Client.Seed(With(Node("n0"), n => n.Spec = new NodeSpec { PodCIDR = "10.244.1.0/24", PodCIDRs = ["10.244.1.0/24"] }));
        for (var i = 1; i <= 3; i++) Client.Seed(Node("n" + i));
        using var c = new NodeIpamController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<Node>().All(n => n.Spec?.PodCIDR is not null), "all have ranges", c);
        Assert.Equal(["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"], Client.All<Node>().Select(n => n.Spec!.PodCIDR!).Order(StringComparer.Ordinal));

        await Client.DeleteAsync<Node>(null, "n0");
        await SettleAsync(() => Context.Informers.For<Node>().Lister.Get(null, "n0") is null, "seen", c);
        Client.Seed(Node("n4"));
        await SettleAsync(() => Client.Find<Node>(null, "n4")!.Spec?.PodCIDR == "10.244.1.0/24", "reused", c);
    }

    [Fact]
    public void A_range_runs_out()
    {
        var range = new CidrAllocator("10.0.0.0/23", 24);
        Assert.Equal("10.0.0.0/24,10.0.1.0/24,", string.Join(",", range.Allocate(), range.Allocate(), range.Allocate()));
        range.Release("10.0.0.0/24");
        Assert.Equal("10.0.0.0/24", range.Allocate());
        Assert.Equal("fd00::/64", new CidrAllocator("fd00::/48", 64).Allocate());
    }

    private NodeCondition? Ready(string node) => Client.Find<Node>(null, node)!.Status?.Conditions?.Find(c => c.Type == "Ready");

    private void Renew(string node) => Client.Seed(new Lease { Metadata = new() { Namespace = "kube-node-lease", Name = node }, Spec = new() { HolderIdentity = node, RenewTime = Time.Now } });

    private Node Node(string name) => new()
    {
        Metadata = new() { Name = name },
        Status = new() { Conditions = [new NodeCondition { Type = "Ready", Status = "True", LastHeartbeatTime = Time.Now }] },
    };

    private static T With<T>(T obj, Action<T> change)
    {
        change(obj);
        return obj;
    }
}
