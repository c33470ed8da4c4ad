using System.Text;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.GarbageCollection;
using Mesh.NodeAgent.Images;
using Mesh.NodeAgent.Runtime;
using static Mesh.NodeAgent.Tests.Pods.PodPlannerTests;

namespace Mesh.NodeAgent.Tests.Images;

public sealed class ImageTests
{
    [Theory]
    [InlineData("nginx", "Always")]
    [InlineData("nginx:latest", "Always")]
    [InlineData("nginx:1", "IfNotPresent")]
    [InlineData("host:5000/nginx", "Always")]
    [InlineData("host:5000/nginx:1", "IfNotPresent")]
    [InlineData("nginx@sha256:00", "IfNotPresent")]
    public void Pull_policy_follows_the_tag(string image, string policy) => Assert.Equal(policy, RegistryCredentials.DefaultPolicy(image));

    [Theory]
    [InlineData("busybox", "docker.io")]
    [InlineData("local/x:1", "docker.io")]
    [InlineData("quay.io/a/b", "quay.io")]
    [InlineData("localhost:5000/a", "localhost:5000")]
    public void Registry_is_read_from_the_name(string image, string registry) => Assert.Equal(registry, RegistryCredentials.Registry(image));

    [Theory]
    [InlineData("busybox", null)]
    [InlineData("docker.io/local/x:1", null)]
    [InlineData("HOST.example:5000/a-b/c__d.e:Tag_1", null)]
    [InlineData("[::1]:5000/x", null)]
    [InlineData("quay.io/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", null)]
    [InlineData("docker.io/Local/UPPER:1", "invalid reference format: repository name (Local/UPPER) must be lowercase")]
    [InlineData("Busybox", "invalid reference format: repository name (library/Busybox) must be lowercase")]
    [InlineData("", "invalid reference format")]
    [InlineData("a//b", "invalid reference format")]
    [InlineData("a:b:c", "invalid reference format")]
    [InlineData("-a", "invalid reference format")]
    public void Names_are_checked_before_anybody_is_asked(string image, string? fault) => Assert.Equal(fault, ImageName.Fault(image));

    [Fact]
    public void Pull_secrets_give_logins_for_their_registry_only()
    {
        var auth = Convert.ToBase64String("me:pa:ss"u8);
        var secret = new Secret { Data = new() { [".dockerconfigjson"] = Encoding.UTF8.GetBytes($"{{\"auths\":{{\"https://quay.io/v1/\":{{\"auth\":\"{auth}\"}},\"other.io\":{{\"username\":\"x\",\"password\":\"y\"}}}}}}") } };
        var login = Assert.Single(RegistryCredentials.For("quay.io/a/b:1", [secret]));
        Assert.Equal(("me", "pa:ss"), (login.Username, login.Password));
        Assert.Empty(RegistryCredentials.For("docker.io/a", [secret, new Secret { Data = new() { [".dockerconfigjson"] = "nonsense"u8.ToArray() } }]));
    }

    [Fact]
    public void Collector_keeps_the_newest_dead_container_beside_a_running_one()
    {
        var state = State(Running("a", 3), Exited("a", 1, 2), Exited("a", 1, 1), Exited("a", 1, 0), Exited("b", 0));
        Assert.Equal([1, 0], Collector.Superfluous(state).Containers.Select(c => c.RestartCount));
        var dead = State(Exited("a", 1, 2), Exited("a", 1, 1), Exited("a", 1, 0));
        Assert.Equal([0], Collector.Superfluous(dead).Containers.Select(c => c.RestartCount));
    }

    [Fact]
    public void Longest_unused_images_go_first_and_used_ones_never()
    {
        ImageRecord Image(string id, long size, bool pinned = false) => new(id, [], [], size, pinned, null, "");
        var lastUsed = new Dictionary<string, DateTime> { ["new"] = DateTime.UnixEpoch.AddDays(2), ["old"] = DateTime.UnixEpoch.AddDays(1) };
        var victims = Collector.Victims([Image("new", 10), Image("old", 10), Image("used", 10), Image("pinned", 10, true)], new HashSet<string> { "used" }, lastUsed, 5);
        Assert.Equal(["old"], victims.Select(v => v.Id));
        Assert.Empty(Collector.Victims([Image("old", 10)], new HashSet<string>(), lastUsed, 0));
    }
}
