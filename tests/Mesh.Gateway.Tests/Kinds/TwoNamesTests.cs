using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Fields that grew a second name: who writes one has written both.</summary>
public class TwoNamesTests
{
    private readonly KindHarness harness = new();

    [Theory]
    [InlineData("""{"podCIDR":"10.0.0.0/24"}""")]
    [InlineData("""{"podCIDRs":["10.0.0.0/24"]}""")]
    [InlineData("""{"podCIDR":"10.0.0.0/24","podCIDRs":["10.1.0.0/24","fd00::/64"]}""")]
    public async Task A_nodes_pod_range(string spec)
    {
        var node = await harness.CreateAsync("", "nodes", KindHarness.Json("""{"metadata":{"name":"n"},"spec":SPEC}""".Replace("SPEC", spec, StringComparison.Ordinal)));
        Assert.Equal("""{"podCIDR":"10.0.0.0/24","podCIDRs":["10.0.0.0/24"]}""", Sorted(node["spec"]!));
    }

    [Fact]
    public void A_pods_address()
    {
        var pod = KindHarness.Json("""{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]},"status":{"podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.2"}]}}""");
        harness.Strategy("", "pods").Default(pod);
        Assert.Equal("""[{"ip":"10.0.0.1"}]""", pod["status"]!["podIPs"]!.ToJsonString());
    }

    [Fact]
    public async Task A_claims_source_is_in_both_of_its_fields_unless_the_old_one_cannot_hold_it()
    {
        var claim = await ClaimAsync(""" "dataSource":{"kind":"PersistentVolumeClaim","name":"a"} """);
        Assert.Equal("""{"kind":"PersistentVolumeClaim","name":"a"}""", claim["spec"]!["dataSourceRef"]!.ToJsonString());
        claim = await ClaimAsync(""" "dataSourceRef":{"apiGroup":"x.y","kind":"Populator","name":"a"} """);
        Assert.Equal("Populator", (string?)claim["spec"]!["dataSource"]!["kind"]);
        claim = await ClaimAsync(""" "dataSource":{"apiGroup":"x.y","kind":"Populator","name":"a"} """);
        Assert.Null(claim["spec"]!["dataSource"]);
        Assert.Null(claim["spec"]!["dataSourceRef"]);
    }

    [Fact]
    public async Task A_service_whose_clusterIP_changes_is_told_so()
    {
        var service = await harness.CreateAsync("", "services", KindHarness.Json("""{"metadata":{"name":"s","namespace":"default"},"spec":{"ports":[{"port":80}]}}"""));
        var changed = (JsonObject)service.DeepClone();
        changed["spec"]!["clusterIP"] = "10.96.9.9";
        var refused = await Assert.ThrowsAsync<Mesh.Api.ApiException>(() => harness.UpdateAsync("", "services", changed, service));
        Assert.Contains("spec.clusterIPs[0]: Invalid value: [\"10.96.9.9\"]: may not change once set", refused.Message, StringComparison.Ordinal);
    }

    private Task<JsonObject> ClaimAsync(string source) => harness.CreateAsync("", "persistentvolumeclaims", KindHarness.Json(
        """{"metadata":{"name":"c","namespace":"default"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},SOURCE}}""".Replace("SOURCE", source, StringComparison.Ordinal)));

    private static string Sorted(JsonNode node) => new JsonObject(node.AsObject().OrderBy(static p => p.Key, StringComparer.Ordinal).Select(static p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))).ToJsonString();
}
