using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.DaemonSets;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.DaemonSets;

public sealed class DaemonSetTests : ControllerTest
{
    private DaemonSet Now => Client.Find<DaemonSet>("ns", "agent")!;

    [Theory]
    [InlineData(null, null, null, true, true)]
    [InlineData("NoSchedule", "k", null, false, true)] // it may stay where it is
    [InlineData("NoExecute", "k", null, false, false)]
    [InlineData("PreferNoSchedule", "k", null, true, true)]
    [InlineData("NoSchedule", "node.kubernetes.io/unschedulable", null, true, true)] // cordoned nodes keep their daemons
    [InlineData("NoExecute", "node.kubernetes.io/not-ready", null, true, true)]
    [InlineData(null, null, "ssd", false, false)]
    public void Which_nodes_fit(string? effect, string? taint, string? disk, bool run, bool stay)
    {
        var set = Set();
        if (disk is not null) set.Spec!.Template!.Spec!.NodeSelector = new() { ["disk"] = disk };
        var node = Node("n1");
        if (effect is not null) node.Spec!.Taints = [new Taint { Key = taint, Effect = effect }];
        Assert.Equal((run, stay), DaemonPods.Fits(set, node));
    }

    [Fact]
    public void A_pod_is_made_for_its_node()
    {
        var pod = DaemonPods.Make(Set(), "n7", "hash");
        Assert.Equal(("n7", "hash", "agent-"), (DaemonPods.NodeOf(pod), pod.Metadata.Labels!["controller-revision-hash"], pod.Metadata.GenerateName));
        Assert.Equal(6, pod.Spec!.Tolerations!.Count);
        Assert.Null(pod.Spec.NodeName); // the scheduler puts it there
    }

    [Fact]
    public void A_rolling_update_goes_as_far_as_the_limits_allow()
    {
        var set = Set();
        List<Node> nodes = [Node("n1"), Node("n2"), Node("n3")];
        List<Pod> old = [.. nodes.Select(n => Pod("old-" + n.Metadata.Name, n.Metadata.Name!, "old"))];
        Assert.Single(DaemonDecision.Decide(set, nodes, old, "new", Time.Now).Delete);
        set.Spec!.UpdateStrategy!.RollingUpdate!.MaxUnavailable = "50%";
        Assert.Equal(2, DaemonDecision.Decide(set, nodes, old, "new", Time.Now).Delete.Count);
        // A new pod that is not ready yet uses the allowance.
        Assert.Single(DaemonDecision.Decide(set, nodes, [old[0], old[1], Pod("new", "n3", "new", ready: false)], "new", Time.Now).Delete);
        set.Spec.UpdateStrategy.Type = "OnDelete";
        Assert.Empty(DaemonDecision.Decide(set, nodes, old, "new", Time.Now).Delete);
    }

    [Fact]
    public void A_surge_makes_the_new_pod_before_the_old_one_goes()
    {
        var set = Set();
        set.Spec!.UpdateStrategy!.RollingUpdate = new RollingUpdateDaemonSet { MaxSurge = 1, MaxUnavailable = 0 };
        List<Node> nodes = [Node("n1"), Node("n2")];
        List<Pod> old = [Pod("o1", "n1", "old"), Pod("o2", "n2", "old")];
        var first = DaemonDecision.Decide(set, nodes, old, "new", Time.Now);
        Assert.Equal((1, 0), (first.Create.Count, first.Delete.Count));
        var waits = DaemonDecision.Decide(set, nodes, [.. old, Pod("f1", "n1", "new", ready: false)], "new", Time.Now);
        Assert.Equal((0, 0), (waits.Create.Count, waits.Delete.Count));
        var next = DaemonDecision.Decide(set, nodes, [.. old, Pod("f1", "n1", "new")], "new", Time.Now);
        Assert.Equal(["o1"], next.Delete.Select(p => p.Metadata.Name));
    }

    [Fact]
    public async Task Follows_nodes_updates_its_pods_and_keeps_history()
    {
        Client.Seed(Set());
        Client.Seed(Node("n1"));
        Client.Seed(Node("n2"));
        using var c = new DaemonSetController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<Pod>().Count == 2 && Now.Status is { DesiredNumberScheduled: 2, CurrentNumberScheduled: 2, NumberReady: 0, UpdatedNumberScheduled: 2 }, "a pod on each", c);
        RunPods();
        await SettleAsync(() => Now.Status is { NumberReady: 2, NumberAvailable: 2, NumberUnavailable: null }, "ready", c);
        Client.Seed(Node("n3"));
        await SettleAsync(() => Client.All<Pod>().Select(DaemonPods.NodeOf).Order().SequenceEqual(["n1", "n2", "n3"]), "the new node too", c);
        RunPods();

        var set = Now;
        set.Spec!.Template!.Spec!.Containers![0].Image = "nginx:2";
        await Client.UpdateAsync(set);
        await SettleAsync(() =>
        {
            RunPods();
            return Client.All<Pod>().Count == 3 && Client.All<Pod>().All(p => p.Spec!.Containers![0].Image == "nginx:2") && Now.Status is { UpdatedNumberScheduled: 3, NumberAvailable: 3 };
        }, "updated", c);
        Assert.Equal([1L, 2L], Client.All<ControllerRevision>().Select(r => r.Revision!.Value).Order());

        set = Now;
        set.Spec!.Template!.Spec!.Containers![0].Image = "nginx:1";
        await Client.UpdateAsync(set);
        await SettleAsync(() => Client.All<ControllerRevision>().Select(r => r.Revision!.Value).Order().SequenceEqual([2L, 3L]), "the first is the third now", c);
    }

    [Fact]
    public async Task A_failed_pod_is_replaced_at_growing_intervals()
    {
        Client.Seed(Set());
        Client.Seed(Node("n1"));
        using var c = new DaemonSetController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<Pod>().Count == 1, "made", c);
        var first = Fail();
        await SettleAsync(() => Client.All<Pod>() is [{ } p] && p.Metadata.Name != first, "replaced", c);
        Assert.Contains(Events.All, e => e == $"Warning FailedDaemonPod: Found failed daemon pod ns/{first} on node n1, will try to kill it");
        var second = Fail();
        await SettleAsync(() => Context.Informers.For<Pod>().Lister.Get("ns", second)?.Status?.Phase == "Failed", "seen", c);
        Assert.Equal(second, Client.All<Pod>()[0].Metadata.Name);
        Time.Advance(TimeSpan.FromSeconds(2));
        await SettleAsync(() => Client.All<Pod>() is [{ } p] && p.Metadata.Name != second, "replaced later", c);

        string Fail()
        {
            var pod = Client.All<Pod>()[0];
            pod.Status = new PodStatus { Phase = "Failed" };
            Client.Seed(pod);
            return pod.Metadata.Name!;
        }
    }

    private static DaemonSet Set() => new()
    {
        Metadata = new ObjectMeta { Namespace = "ns", Name = "agent", Generation = 1 },
        Spec = new DaemonSetSpec
        {
            Selector = Make.Selector(),
            Template = Make.Template(),
            RevisionHistoryLimit = 10,
            UpdateStrategy = new DaemonSetUpdateStrategy { Type = "RollingUpdate", RollingUpdate = new RollingUpdateDaemonSet { MaxUnavailable = 1, MaxSurge = 0 } },
        },
    };

    private static Node Node(string name) => new() { Metadata = new ObjectMeta { Name = name, Labels = new() { ["disk"] = "hdd" } }, Spec = new NodeSpec() };

    private static Pod Pod(string name, string node, string hash, bool ready = true)
    {
        var pod = Make.Pod(name, ready: ready, node: node);
        pod.Metadata.Labels!["controller-revision-hash"] = hash;
        return pod;
    }
}
