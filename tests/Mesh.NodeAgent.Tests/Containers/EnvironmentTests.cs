using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Containers;

public sealed class EnvironmentTests
{
    [Theory]
    [InlineData("$(A)", "1")]
    [InlineData("x$(A)y$(B)", "x1y2")]
    [InlineData("$(NONE)", "$(NONE)")]
    [InlineData("$$(A)", "$(A)")]
    [InlineData("$$$(A)", "$1")]
    [InlineData("$A", "$A")]
    [InlineData("$(A", "$(A")]
    [InlineData("end$", "end$")]
    [InlineData("$()", "$()")]
    public void References_expand(string input, string expected) =>
        Assert.Equal(expected, VariableExpansion.Expand(input, n => n switch { "A" => "1", "B" => "2", _ => null }));

    [Fact]
    public void Services_become_variables_of_both_forms()
    {
        var service = new Service
        {
            Metadata = new ObjectMeta { Name = "redis-master", Namespace = "default" },
            Spec = new ServiceSpec { ClusterIP = "10.0.0.11", Ports = [new ServicePort { Name = "main", Port = 6379, Protocol = "TCP" }, new ServicePort { Name = "udp-p", Port = 53, Protocol = "UDP" }] },
        };
        var headless = new Service { Metadata = new ObjectMeta { Name = "none", Namespace = "default" }, Spec = new ServiceSpec { ClusterIP = "None" } };
        var variables = ServiceVariables.For("default", true, [service, headless]);
        Assert.Equal("10.0.0.11", variables["REDIS_MASTER_SERVICE_HOST"]);
        Assert.Equal("6379", variables["REDIS_MASTER_SERVICE_PORT"]);
        Assert.Equal("53", variables["REDIS_MASTER_SERVICE_PORT_UDP_P"]);
        Assert.Equal("tcp://10.0.0.11:6379", variables["REDIS_MASTER_PORT"]);
        Assert.Equal("udp://10.0.0.11:53", variables["REDIS_MASTER_PORT_53_UDP"]);
        Assert.Equal("10.0.0.11", variables["REDIS_MASTER_PORT_6379_TCP_ADDR"]);
        Assert.DoesNotContain(variables.Keys, k => k.StartsWith("NONE", StringComparison.Ordinal));
        Assert.Empty(ServiceVariables.For("other", true, [service]));
        Assert.Empty(ServiceVariables.For("default", false, [service]));
    }

    [Fact]
    public void Later_sources_win_and_missing_optional_ones_are_left_out()
    {
        var pod = TestPods.Sleeper("e");
        var container = pod.Spec!.Containers![0];
        container.EnvFrom = [new EnvFromSource { Prefix = "P_", ConfigMapRef = new ConfigMapEnvSource { Name = "m" } }, new EnvFromSource { SecretRef = new SecretEnvSource { Name = "absent", Optional = true } }];
        container.Env =
        [
            new EnvVar { Name = "P_a", Value = "own" },
            new EnvVar { Name = "REF", Value = "$(P_a)/$(P_b)" },
            new EnvVar { Name = "NOKEY", ValueFrom = new EnvVarSource { ConfigMapKeyRef = new ConfigMapKeySelector { Name = "m", Key = "zzz", Optional = true } } },
            new EnvVar { Name = "CPU", ValueFrom = new EnvVarSource { ResourceFieldRef = new ResourceFieldSelector { Resource = "limits.cpu", Divisor = "1m" } } },
        ];
        var objects = new ReferencedObjects(new Dictionary<string, ConfigMap?> { ["m"] = new() { Data = new() { ["a"] = "1", ["b"] = "2" } } }, new Dictionary<string, Secret?> { ["absent"] = null });
        var facts = new PodFacts { Allocatable = new Dictionary<string, string> { ["cpu"] = "2" } };
        var environment = EnvironmentBuilder.Build(pod, container, facts, [], objects).ToDictionary(p => p.Key, p => p.Value);
        Assert.Equal(("own", "2", "own/2", "2000"), (environment["P_a"], environment["P_b"], environment["REF"], environment["CPU"]));
        Assert.False(environment.ContainsKey("NOKEY"));
    }

    [Fact]
    public void Missing_references_name_what_is_missing()
    {
        var pod = TestPods.Sleeper("e");
        var container = pod.Spec!.Containers![0];
        container.Env = [new EnvVar { Name = "A", ValueFrom = new EnvVarSource { SecretKeyRef = new SecretKeySelector { Name = "s", Key = "k" } } }];
        var none = new ReferencedObjects(new Dictionary<string, ConfigMap?>(), new Dictionary<string, Secret?> { ["s"] = null });
        Assert.Equal("secret \"s\" not found", Assert.Throws<ContainerConfigException>(() => EnvironmentBuilder.Build(pod, container, new PodFacts(), [], none)).Message);
        var empty = new ReferencedObjects(new Dictionary<string, ConfigMap?>(), new Dictionary<string, Secret?> { ["s"] = new() });
        Assert.Equal("couldn't find key k in Secret default/s", Assert.Throws<ContainerConfigException>(() => EnvironmentBuilder.Build(pod, container, new PodFacts(), [], empty)).Message);
    }

    [Fact]
    public void Downward_references_read_the_pod()
    {
        var pod = TestPods.Sleeper("d", change: p => (p.Metadata.Labels, p.Metadata.Annotations) = (new() { ["b"] = "2", ["a"] = "x\"y" }, new() { ["n/k"] = "v" }));
        var facts = new PodFacts { PodIPs = ["10.0.0.1", "fd00::1"], HostIPs = ["192.0.2.1"] };
        Assert.Equal("a=\"x\\\"y\"\nb=\"2\"", FieldReferences.Field(pod, "metadata.labels", facts));
        Assert.Equal("v", FieldReferences.Field(pod, "metadata.annotations['n/k']", facts));
        Assert.Equal("10.0.0.1,fd00::1", FieldReferences.Field(pod, "status.podIPs", facts));
        Assert.Throws<ContainerConfigException>(() => FieldReferences.Field(pod, "spec.containers", facts));
    }
}
