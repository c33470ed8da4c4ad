using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry;
using Mesh.Hosting;

namespace Mesh.Gateway.Tests.Discovery;

public sealed class ServedResourcesTests
{
    [Fact]
    public void Finished_versions_are_served_and_others_are_not()
    {
        var served = ServedResources.Default;
        Assert.NotNull(served.Find("apps", "v1", "deployments"));
        Assert.NotNull(served.Find("", "v1", "pods"));
        Assert.All(served.All, static r => Assert.Matches("^v[0-9]+$", r.Version));
        Assert.Equal(ResourceTable.All.Count(static r => !r.Version.Contains("alpha") && !r.Version.Contains("beta")), served.All.Count);
    }

    [Theory]
    [InlineData("api/beta=true", "networking.k8s.io", "v1beta1", "ipaddresses", true)]
    [InlineData("api/beta=true", "scheduling.k8s.io", "v1alpha2", "workloads", false)]
    [InlineData("api/all=true", "scheduling.k8s.io", "v1alpha2", "workloads", true)]
    [InlineData("api/all=true,api/alpha=false", "scheduling.k8s.io", "v1alpha2", "workloads", false)]
    [InlineData("api/beta,networking.k8s.io/v1beta1=false", "networking.k8s.io", "v1beta1", "ipaddresses", false)]
    [InlineData("networking.k8s.io/v1beta1=true", "networking.k8s.io", "v1beta1", "servicecidrs", true)]
    [InlineData("networking.k8s.io/v1beta1/servicecidrs=true", "networking.k8s.io", "v1beta1", "ipaddresses", false)]
    [InlineData("apps/v1/daemonsets=false", "apps", "v1", "daemonsets", false)]
    [InlineData("apps/v1/daemonsets=false", "apps", "v1", "deployments", true)]
    [InlineData("api/v1/endpoints=false", "", "v1", "endpoints", false)]
    public void The_narrower_word_wins(string config, string group, string version, string plural, bool there) =>
        Assert.Equal(there, ServedResources.Parse(config).Find(group, version, plural) is not null);

    [Theory]
    [InlineData("apps/v9=true")]
    [InlineData("nothing")]
    [InlineData("apps/v1=perhaps")]
    public void What_says_nothing_is_refused(string config) => Assert.Throws<SettingsException>(() => ServedResources.Parse(config));

    [Fact]
    public void A_device_request_is_the_same_in_both_versions()
    {
        const string Beta = """{"kind":"ResourceClaim","apiVersion":"resource.k8s.io/v1beta1","spec":{"devices":{"requests":[{"name":"r","deviceClassName":"c","count":2},{"name":"s","firstAvailable":[{"name":"t","deviceClassName":"c"}]}]}}}""";
        const string Final = """{"kind":"ResourceClaim","apiVersion":"resource.k8s.io/v1","spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"c","count":2}},{"name":"s","firstAvailable":[{"name":"t","deviceClassName":"c"}]}]}}}""";
        SameBothWays("resourceclaims", Beta, Final);
        SameBothWays(
            "resourceslices",
            """{"apiVersion":"resource.k8s.io/v1beta1","spec":{"devices":[{"name":"d","basic":{"attributes":{"a":{"int":1}}}},{"name":"e","basic":{}}]}}""",
            """{"apiVersion":"resource.k8s.io/v1","spec":{"devices":[{"name":"d","attributes":{"a":{"int":1}}},{"name":"e"}]}}""");

        static void SameBothWays(string plural, string beta, string final)
        {
            var conversion = VersionConversion.For(ResourceTable.Find("resource.k8s.io", "v1beta1", plural)!)!;
            var obj = JsonNode.Parse(beta)!.AsObject();
            conversion.Store(obj);
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(final), obj), obj.ToJsonString());
            conversion.Serve(obj);
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(beta), obj), obj.ToJsonString());
        }
    }
}

/// <summary>A gateway that is told to serve beta versions.</summary>
public sealed class BetaGateway : GatewayHost
{
    private protected override void AddMore(MeshHostBuilder builder, Mesh.Security.Tokens.StaticTokens known) => builder.Set("gateway", "runtime-config", "api/beta=true,storage.k8s.io/v1beta1=false");
}

public sealed class RuntimeConfigTests(BetaGateway beta) : IClassFixture<BetaGateway>
{
    [Fact]
    public async Task Discovery_openapi_and_paths_follow_the_configuration()
    {
        var networking = (await beta.GetAsync("/apis/networking.k8s.io")).Body;
        Assert.Equal(["networking.k8s.io/v1", "networking.k8s.io/v1beta1"], networking["versions"]!.AsArray().Select(static v => (string)v!["groupVersion"]!));
        Assert.Equal("networking.k8s.io/v1", (string?)networking["preferredVersion"]!["groupVersion"]);
        Assert.Single((await beta.GetAsync("/apis/storage.k8s.io")).Body["versions"]!.AsArray());
        using var absent = await beta.Client.GetAsync(new Uri("/apis/storage.k8s.io/v1beta1/volumeattributesclasses", UriKind.Relative));
        Assert.Equal(404, (int)absent.StatusCode);
        var index = (await beta.GetAsync("/openapi/v3")).Body["paths"]!.AsObject();
        Assert.Equal((true, false), (index.ContainsKey("apis/networking.k8s.io/v1beta1"), index.ContainsKey("apis/storage.k8s.io/v1beta1")));
    }

    [Fact]
    public async Task An_object_is_the_same_in_every_version()
    {
        const string Path = "/apis/resource.k8s.io/VERSION/namespaces/default/resourceclaims";
        var (code, made) = await beta.PostAsync(In("v1beta1"), """{"metadata":{"name":"c"},"spec":{"devices":{"requests":[{"name":"r","deviceClassName":"gpu.example.com"}]}}}""");
        Assert.True(code == 201, made.ToJsonString());
        Assert.Equal(("resource.k8s.io/v1beta1", "gpu.example.com"), ((string?)made["apiVersion"], (string?)made["spec"]!["devices"]!["requests"]![0]!["deviceClassName"]));
        foreach (var version in (string[])["v1", "v1beta2"])
        {
            var seen = (await beta.GetAsync(In(version) + "/c")).Body;
            Assert.Equal(("resource.k8s.io/" + version, "gpu.example.com"), ((string?)seen["apiVersion"], (string?)seen["spec"]!["devices"]!["requests"]![0]!["exactly"]!["deviceClassName"]));
        }

        var (patched, labeled) = await beta.SendAsync(HttpMethod.Patch, In("v1beta2") + "/c", """{"metadata":{"labels":{"a":"b"}}}""", "application/merge-patch+json");
        Assert.True(patched == 200, labeled.ToJsonString());
        Assert.Equal("b", (string?)(await beta.GetAsync(In("v1beta1"))).Body["items"]![0]!["metadata"]!["labels"]!["a"]);

        static string In(string version) => Path.Replace("VERSION", version, StringComparison.Ordinal);
    }
}
