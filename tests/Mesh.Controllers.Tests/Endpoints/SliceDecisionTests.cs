using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.Controllers.Endpoints;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.Endpoints;

public sealed class SliceDecisionTests
{
    private static readonly Service Web = new()
    {
        Metadata = new() { Namespace = "ns", Name = "web", Uid = "s-uid" },
        Spec = new() { ClusterIP = "10.96.0.7", Selector = new() { ["app"] = "web" }, Ports = [new ServicePort { Name = "http", Port = 80, TargetPort = "http", Protocol = "TCP" }] },
    };

    [Fact]
    public void A_named_port_is_resolved_and_conditions_follow_the_pod()
    {
        var dying = Make.Pod("dying", ip: "10.0.0.3");
        dying.Metadata.DeletionTimestamp = DateTime.UnixEpoch;
        var groups = SliceDecision.Groups(Web, [Make.Pod("a"), Make.Pod("b", ready: false, ip: "10.0.0.2"), dying, Make.Pod("done", "Succeeded"), Make.Pod("noip", ip: null)], _ => "zone-1");
        var group = Assert.Single(groups);
        Assert.Equal(("IPv4", "http", 8080), (group.AddressType, group.Ports[0].Name, group.Ports[0].Port));
        Assert.Equal(
            [("10.0.0.1", true, true, false), ("10.0.0.2", false, false, false), ("10.0.0.3", false, true, true)],
            group.Endpoints.Select(e => (e.Addresses![0], e.Conditions!.Ready!.Value, e.Conditions.Serving!.Value, e.Conditions.Terminating!.Value)));
        Assert.All(group.Endpoints, e => Assert.Equal(("n1", "zone-1", "Pod"), (e.NodeName, e.Zone, e.TargetRef!.Kind)));
    }

    [Fact]
    public void Publish_not_ready_addresses_makes_everything_ready()
    {
        var service = Web.Clone();
        service.Spec!.PublishNotReadyAddresses = true;
        Assert.True(SliceDecision.Groups(service, [Make.Pod("a", ready: false)], _ => null)[0].Endpoints[0].Conditions!.Ready);
    }

    [Fact]
    public void No_endpoints_is_one_empty_slice()
    {
        var plan = SliceDecision.Plan(Owner(), SliceDecision.Groups(Web, [], _ => null), []);
        Assert.Empty(Assert.Single(plan.Create).Endpoints!);
    }

    [Fact]
    public void Many_endpoints_fill_slices_of_a_hundred()
    {
        var plan = SliceDecision.Plan(Owner(), Groups(250), []);
        Assert.Equal([100, 100, 50], plan.Create.Select(s => s.Endpoints!.Count));
        Assert.All(plan.Create, s => Assert.Equal(("web", "endpointslice-controller.k8s.io", "web-"), (s.Metadata.Labels![SliceDecision.ServiceName], s.Metadata.Labels[SliceDecision.ManagedBy], s.Metadata.GenerateName)));
    }

    [Fact]
    public void One_change_writes_one_slice()
    {
        var present = Written(SliceDecision.Plan(Owner(), Groups(250), []));
        var groups = Groups(250);
        groups[0].Endpoints.RemoveAt(120);
        var plan = SliceDecision.Plan(Owner(), groups, present);
        Assert.Empty(plan.Create);
        Assert.Empty(plan.Delete);
        Assert.Equal(99, Assert.Single(plan.Update).Endpoints!.Count);
    }

    [Fact]
    public void New_endpoints_take_free_places()
    {
        var present = Written(SliceDecision.Plan(Owner(), Groups(150), []));
        var plan = SliceDecision.Plan(Owner(), Groups(151), present);
        Assert.Empty(plan.Create);
        Assert.Equal(51, Assert.Single(plan.Update).Endpoints!.Count);
    }

    [Fact]
    public void Nothing_changed_writes_nothing()
    {
        var present = Written(SliceDecision.Plan(Owner(), Groups(150), []));
        var plan = SliceDecision.Plan(Owner(), Groups(150), present);
        Assert.Empty(plan.Create.Concat(plan.Update).Concat(plan.Delete));
    }

    [Fact]
    public void The_last_endpoint_leaves_one_empty_slice()
    {
        var present = Written(SliceDecision.Plan(Owner(), Groups(1), []));
        var plan = SliceDecision.Plan(Owner(), SliceDecision.Groups(Web, [], _ => null), present);
        Assert.Empty(plan.Create);
        Assert.Empty(plan.Delete);
        Assert.Empty(Assert.Single(plan.Update).Endpoints!);
    }

    private static List<SliceGroup> Groups(int pods) =>
        SliceDecision.Groups(Web, Enumerable.Range(0, pods).Select(i => Make.Pod($"p{i:000}", ip: $"10.0.{i / 250}.{i % 250}")), _ => null);

    private static SliceOwner Owner() => new(Web, "web", SliceDecision.Controller, [], null);

    private static List<EndpointSlice> Written(SlicePlan plan)
    {
        for (var i = 0; i < plan.Create.Count; i++) plan.Create[i].Metadata.Name = $"web-{i:000}";
        return plan.Create;
    }
}
