using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Discovery;

namespace Mesh.Gateway.Tests.Discovery;

public class DiscoveryTests
{
    private readonly DiscoveryDocuments documents = new(ResourceTable.All);

    [Fact]
    public void Core_resources_are_listed_with_their_subresources()
    {
        var resources = Parse(documents.Resources("", "v1")!)["resources"]!.AsArray();
        var pods = resources.Single(r => r!["name"]!.ToString() == "pods")!;
        Assert.Equal("""["create","delete","deletecollection","get","list","patch","update","watch"]""", pods["verbs"]!.ToJsonString());
        Assert.Equal("xPOwRZ+Yhw8=", pods["storageVersionHash"]!.ToString());
        Assert.Equal("pod", pods["singularName"]!.ToString());
        Assert.Equal("""["create","get"]""", resources.Single(r => r!["name"]!.ToString() == "pods/exec")!["verbs"]!.ToJsonString());
        Assert.Equal("policy", resources.Single(r => r!["name"]!.ToString() == "pods/eviction")!["group"]!.ToString());
        Assert.Null(documents.Resources("", "v2"));
    }

    [Fact]
    public void Groups_name_their_preferred_version()
    {
        var groups = Parse(documents.Groups)["groups"]!.AsArray();
        Assert.Equal("apps", groups.First(g => g!["name"]!.ToString() is "apps" or "batch")!["name"]!.ToString());
        Assert.Equal("v2", groups.Single(g => g!["name"]!.ToString() == "autoscaling")!["preferredVersion"]!["version"]!.ToString());
        Assert.Equal("APIGroup", Parse(documents.Group("apps")!)["kind"]!.ToString());
        Assert.Null(documents.Group("nothing"));
    }

    [Fact]
    public void Aggregated_discovery_says_all_in_one_answer()
    {
        var core = Parse(documents.AggregatedCore);
        Assert.Equal("APIGroupDiscoveryList", core["kind"]!.ToString());
        var deployments = Parse(documents.AggregatedGroups)["items"]!.AsArray().Single(g => g!["metadata"]!["name"]?.ToString() == "apps")!["versions"]![0]!["resources"]!.AsArray()
            .Single(r => r!["resource"]!.ToString() == "deployments")!;
        Assert.Equal("Namespaced", deployments["scope"]!.ToString());
        Assert.Equal(["scale", "status"], deployments["subresources"]!.AsArray().Select(s => s!["subresource"]!.ToString()));
        Assert.Same(documents.AggregatedCore.Body, documents.AggregatedCore.Body);
    }

    [Theory]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", true)]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", false)]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;q=0.5,application/json", false)]
    [InlineData("text/html,application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", true)]
    [InlineData("application/json", false)]
    [InlineData("", false)]
    public void Aggregated_discovery_is_asked_for_by_accept(string accept, bool aggregated) => Assert.Equal(aggregated, DiscoveryHandler.AggregatedForm(accept) is not null);

    [Theory]
    [InlineData("v2", "v1")]
    [InlineData("v1", "v1beta2")]
    [InlineData("v1beta2", "v1beta1")]
    [InlineData("v1beta1", "v2alpha1")]
    public void Versions_rank(string higher, string lower) => Assert.True(ApiGroups.Rank(higher) > ApiGroups.Rank(lower));

    private static JsonNode Parse(ServedDocument document) => JsonNode.Parse(document.Body)!;
}
