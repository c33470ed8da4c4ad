using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds;
using Mesh.Gateway.Registry.Kinds.Network;

namespace Mesh.Gateway.Tests.Kinds;

public class ServiceStrategyTests
{
    private readonly KindHarness harness = new();

    [Fact]
    public async Task A_small_service_gets_an_address()
    {
        var service = await Create("a", """{"ports":[{"port":80}],"selector":{"app":"a"}}""");
        var spec = service.Obj("spec");
        Assert.StartsWith("10.96.", spec.Str("clusterIP"));
        Assert.Equal([spec.Str("clusterIP")], spec.Strings("clusterIPs"));
        Assert.Equal("""[{"port":80,"protocol":"TCP","targetPort":80}]""", spec!["ports"]!.ToJsonString());
        Assert.Equal(("ClusterIP", "None", "Cluster", "SingleStack"), (spec.Str("type"), spec.Str("sessionAffinity"), spec.Str("internalTrafficPolicy"), spec.Str("ipFamilyPolicy")));
        Assert.Equal(["IPv4"], spec.Strings("ipFamilies"));
        Assert.Equal("""{"loadBalancer":{}}""", service["status"]!.ToJsonString());
    }

    [Fact]
    public async Task Node_ports_are_given_once()
    {
        var first = await Create("a", """{"type":"NodePort","ports":[{"port":80,"nodePort":30001}]}""");
        Assert.Equal("Cluster", first.Obj("spec").Str("externalTrafficPolicy"));
        var error = await Assert.ThrowsAsync<ApiException>(() => Create("b", """{"type":"NodePort","ports":[{"port":80,"nodePort":30001}]}"""));
        Assert.Equal("Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated", error.Message);
        Assert.Equal(2, harness.Reservations.Taken.Count);
        error = await Assert.ThrowsAsync<ApiException>(() => Create("b", """{"type":"NodePort","ports":[{"port":80,"nodePort":80}]}"""));
        Assert.Equal("Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767", error.Message);
    }

    [Fact]
    public async Task A_wanted_address_must_be_free_and_in_range()
    {
        await Create("a", """{"clusterIP":"10.96.0.10","ports":[{"port":80}]}""");
        var error = await Assert.ThrowsAsync<ApiException>(() => Create("b", """{"clusterIP":"10.96.0.10","ports":[{"port":80}]}"""));
        Assert.Equal("Service \"b\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.10\"]: failed to allocate IP 10.96.0.10: provided IP is already allocated", error.Message);
        error = await Assert.ThrowsAsync<ApiException>(() => Create("b", """{"clusterIP":"1.2.3.4","ports":[{"port":80}]}"""));
        Assert.Contains("the provided IP (1.2.3.4) is not in the valid range. The range of valid IPs is 10.96.0.0/16", error.Message);
    }

    [Fact]
    public async Task A_refused_service_gives_back_what_it_took()
    {
        await Assert.ThrowsAsync<ApiException>(() => Create("a", """{"type":"NodePort","ports":[{"port":80},{"port":81}]}"""));
        Assert.Empty(harness.Reservations.Taken);
    }

    [Fact]
    public async Task Updates_keep_what_was_given_and_release_what_is_gone()
    {
        var old = await Create("a", """{"type":"NodePort","ports":[{"port":80}],"selector":{"app":"a"}}""");
        var ip = old.Obj("spec").Str("clusterIP");
        var port = old.Obj("spec").Items("ports").Single().Item.Num("nodePort");
        var next = await harness.UpdateAsync("", "services", Service("a", """{"type":"NodePort","ports":[{"port":80}],"selector":{"app":"b"}}"""), old);
        Assert.Equal((ip, port), (next.Obj("spec").Str("clusterIP"), next.Obj("spec").Items("ports").Single().Item.Num("nodePort")));

        var plain = (JsonObject)next.DeepClone();
        plain["spec"]!["type"] = "ClusterIP";
        plain = await harness.UpdateAsync("", "services", plain, next);
        Assert.False(plain.Obj("spec").Items("ports").Single().Item.Has("nodePort"));
        Assert.False(plain.Obj("spec").Has("externalTrafficPolicy"));
        Assert.Equal([("serviceips", ip)], harness.Reservations.Taken.Keys);

        var reservation = await harness.Strategy("", "services").ReserveAsync(null, plain, harness.Context, default);
        await reservation!.CommitAsync(default);
        Assert.Empty(harness.Reservations.Taken);
    }

    [Fact]
    public async Task Headless_and_external_services_have_no_address()
    {
        var headless = await Create("a", """{"clusterIP":"None","ports":[{"port":80}],"selector":{"app":"a"}}""");
        Assert.Equal(["None"], headless.Obj("spec").Strings("clusterIPs"));
        var external = await Create("b", """{"type":"ExternalName","externalName":"example.com"}""");
        Assert.False(external.Obj("spec").Has("clusterIP"));
        Assert.Empty(harness.Reservations.Taken);
    }

    [Fact]
    public async Task Comparing_takes_what_is_held_and_names_what_nobody_holds()
    {
        var service = await Create("a", """{"type":"NodePort","ports":[{"port":80}]}""");
        var expected = harness.Reservations.Taken.Keys.ToHashSet();
        harness.Reservations.Taken.Clear();
        harness.Reservations.Taken[("servicenodeports", "30999")] = "gone/gone";
        var unheld = await ServiceAllocator.CompareAsync([service], harness.Reservations, default);
        Assert.Equal([("servicenodeports", "30999", "gone/gone")], unheld);
        Assert.Equal([.. expected, ("servicenodeports", "30999")], harness.Reservations.Taken.Keys.ToHashSet());
    }

    [Fact]
    public async Task A_small_range_is_used_up_to_its_end()
    {
        var allocator = new ServiceAllocator(new ServiceNetwork("10.0.0.0/29"), new Random(1));
        for (var i = 0; i < 6; i++)
            await allocator.ReserveAsync(Service("s" + i, """{"type":"ClusterIP"}"""), null, harness.Reservations, default);
        Assert.Equal(6, harness.Reservations.Taken.Count);
        var error = await Assert.ThrowsAsync<ApiException>(async () => await allocator.ReserveAsync(Service("x", """{"type":"ClusterIP"}"""), null, harness.Reservations, default));
        Assert.Equal("Internal error occurred: failed to allocate a serviceIP: range is full", error.Message);
    }

    private static JsonObject Service(string name, string spec) =>
        KindHarness.Json($$$"""{"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}","namespace":"default"},"spec":{{{spec}}}}""");

    private Task<JsonObject> Create(string name, string spec) => harness.CreateAsync("", "services", Service(name, spec));
}
