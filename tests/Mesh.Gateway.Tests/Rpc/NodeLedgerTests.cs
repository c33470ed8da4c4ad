using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry;

namespace Mesh.Gateway.Tests.Rpc;

/// <summary>What a bound pod takes of its node, with and without a resize under way.</summary>
public class NodeLedgerTests
{
    [Theory]
    [InlineData("2", null, null, null, "2")]
    [InlineData("2", "1", "1", null, "2")]
    [InlineData("2", "1", "1", "Deferred", "2")]
    [InlineData("1000", "1", "1", "Infeasible", "1")]
    [InlineData("1", "2", "3", null, "3")]
    public void Requests_of_a_container(string asked, string? has, string? granted, string? pending, string cpu)
    {
        var pod = JsonNode.Parse("""{"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"ASKED"}}}]},"status":{}}""".Replace("ASKED", asked, StringComparison.Ordinal))!.AsObject();
        if (has is not null)
        {
            pod["status"]!["containerStatuses"] = new JsonArray(new JsonObject
            {
                ["name"] = "a",
                ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["cpu"] = has } },
                ["allocatedResources"] = new JsonObject { ["cpu"] = granted },
            });
        }

        if (pending is not null) pod["status"]!["conditions"] = new JsonArray(new JsonObject { ["type"] = "PodResizePending", ["status"] = "True", ["reason"] = pending });
        Assert.Equal(Quantity.Parse(cpu).Nanos, NodeLedger.Requests(pod)["cpu"]);
    }

    [Fact]
    public void Requests_of_the_pod_itself_stand_for_its_containers()
    {
        var pod = JsonNode.Parse("""{"spec":{"resources":{"requests":{"cpu":"1000"}},"containers":[{"name":"a","resources":{"requests":{"cpu":"1","memory":"1Gi"}}}]},"status":{"resources":{"requests":{"cpu":"2"}},"conditions":[{"type":"PodResizePending","reason":"Infeasible"}]}}""")!.AsObject();
        var requests = NodeLedger.Requests(pod);
        Assert.Equal((Quantity.Parse("2").Nanos, Quantity.Parse("1Gi").Nanos), (requests["cpu"], requests["memory"]));
        pod["status"]!.AsObject().Remove("conditions");
        Assert.Equal(Quantity.Parse("1000").Nanos, NodeLedger.Requests(pod)["cpu"]);
    }
}
