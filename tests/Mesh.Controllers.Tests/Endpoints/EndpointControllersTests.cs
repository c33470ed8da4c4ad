using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.Controllers.Endpoints;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.Endpoints;

public sealed class EndpointControllersTests : ControllerTest
{
    [Fact]
    public async Task Endpoints_follow_pods()
    {
        Client.Seed(Service());
        using var c = new EndpointsController(Context);
        await StartAsync(c);
        await SettleAsync(() => Found() is { Subsets: not { Count: > 0 } }, "empty endpoints", c);
        Client.Seed(Make.Pod("a", ip: "10.0.0.2"));
        Client.Seed(Make.Pod("b", ready: false, ip: "10.0.0.1"));
        await SettleAsync(() => Found()?.Subsets is [{ Addresses.Count: 1, NotReadyAddresses.Count: 1 }], "one ready, one not", c);
        var subset = Found()!.Subsets![0];
        Assert.Equal(("10.0.0.2", "10.0.0.1", 8080, "http"), (subset.Addresses![0].Ip, subset.NotReadyAddresses![0].Ip, subset.Ports![0].Port, subset.Ports[0].Name));
        Assert.True(Found()!.Metadata.Annotations!.ContainsKey(EndpointFacts.TriggerTime));
        await Client.DeleteAsync<Pod>("ns", "a", new() { GracePeriodSeconds = 0 });
        await SettleAsync(() => Found()?.Subsets is [{ Addresses: null }], "a left", c);
    }

    [Fact]
    public async Task Slices_follow_pods_without_doubles()
    {
        Client.Seed(Service());
        using var c = new EndpointSliceController(Context);
        await StartAsync(c);
        for (var i = 0; i < 5; i++) Client.Seed(Make.Pod("p" + i, ip: "10.0.0." + (i + 1)));
        await SettleAsync(() => Client.All<EndpointSlice>() is [{ Endpoints.Count: 5 }], "five in one slice", c);
        var slice = Client.All<EndpointSlice>()[0];
        Assert.Equal(("Service", "web", true), (slice.Metadata.OwnerReferences![0].Kind, slice.Metadata.OwnerReferences[0].Name, slice.Metadata.OwnerReferences[0].Controller));
        Client.Seed(Make.Pod("p0", ready: false, ip: "10.0.0.1"));
        await SettleAsync(() => Client.All<EndpointSlice>() is [{ Endpoints: { } e }] && e.Count(x => x.Conditions!.Ready == false) == 1, "one not ready", c);
        await Client.DeleteAsync<EndpointSlice>("ns", slice.Metadata.Name!);
        await SettleAsync(() => Client.All<EndpointSlice>() is [{ Endpoints.Count: 5 }], "made again", c);
    }

    [Fact]
    public async Task Endpoints_of_a_service_without_selector_are_mirrored()
    {
        var service = Service();
        service.Spec!.Selector = null;
        Client.Seed(service);
        Client.Seed(new Mesh.Api.Core.V1.Endpoints
        {
            Metadata = new() { Namespace = "ns", Name = "web" },
            Subsets = [new EndpointSubset { Addresses = [new EndpointAddress { Ip = "192.0.2.1" }], Ports = [new Mesh.Api.Core.V1.EndpointPort { Name = "http", Port = 80, Protocol = "TCP" }] }],
        });
        using var c = new EndpointSliceMirroringController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<EndpointSlice>() is [{ Endpoints: [{ Addresses: ["192.0.2.1"] }] }], "mirrored", c);
        Assert.Equal(EndpointSliceMirroringController.Manager, Client.All<EndpointSlice>()[0].Metadata.Labels![SliceDecision.ManagedBy]);
        await Client.DeleteAsync<Mesh.Api.Core.V1.Endpoints>("ns", "web");
        await SettleAsync(() => Client.All<EndpointSlice>().Count == 0, "gone", c);
    }

    private Mesh.Api.Core.V1.Endpoints? Found() => Client.Find<Mesh.Api.Core.V1.Endpoints>("ns", "web");

    private static Service Service() => new()
    {
        Metadata = new() { Namespace = "ns", Name = "web" },
        Spec = new() { ClusterIP = "10.96.0.7", Selector = new() { ["app"] = "web" }, Ports = [new ServicePort { Name = "http", Port = 80, TargetPort = "http", Protocol = "TCP" }] },
    };
}
