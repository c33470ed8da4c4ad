using System.Text.Json;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Network;
using Mesh.NodeAgent.Sandboxes;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Sandboxes;

public sealed class SandboxTests
{
    private static readonly ResolverConfig Host = ResolverConfig.Parse("# comment\nnameserver 192.0.2.53\nsearch corp.example\noptions timeout:1\n");

    [Fact]
    public void Cluster_first_searches_the_namespace_and_then_the_hosts_domains()
    {
        var dns = For(_ => { });
        Assert.Equal(["10.96.0.10"], dns.Servers);
        Assert.Equal(["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"], dns.Searches);
        Assert.Equal(["ndots:5"], dns.Options);
    }

    [Fact]
    public void Policies_choose_the_resolver()
    {
        Assert.Equal(["192.0.2.53"], For(p => p.Spec!.DnsPolicy = "Default").Servers);
        Assert.Equal(["192.0.2.53"], For(p => p.Spec!.HostNetwork = true).Servers);
        Assert.Equal(["10.96.0.10"], For(p => (p.Spec!.HostNetwork, p.Spec.DnsPolicy) = (true, "ClusterFirstWithHostNet")).Servers);
        var none = For(p => (p.Spec!.DnsPolicy, p.Spec.DnsConfig) = ("None", new PodDNSConfig { Nameservers = ["1.1.1.1"], Searches = ["x"], Options = [new PodDNSConfigOption { Name = "ndots", Value = "2" }] }));
        Assert.Equal(("1.1.1.1", "x", "ndots:2"), (none.Servers[0], none.Searches[0], none.Options[0]));
        var merged = For(p => p.Spec!.DnsConfig = new PodDNSConfig { Options = [new PodDNSConfigOption { Name = "ndots", Value = "2" }, new PodDNSConfigOption { Name = "edns0" }] });
        Assert.Equal(["ndots:2", "edns0"], merged.Options);
    }

    [Fact]
    public void Hosts_file_names_the_pod_and_its_aliases()
    {
        var pod = TestPods.Sleeper("web-0", change: p => (p.Spec!.Subdomain, p.Spec.HostAliases) = ("nginx", [new HostAlias { Ip = "1.2.3.4", Hostnames = ["foo", "bar"] }]));
        var text = HostsFile.Write(pod, ["10.1.1.1"], "cluster.local", "");
        Assert.Contains("10.1.1.1\tweb-0.nginx.default.svc.cluster.local\tweb-0\n", text);
        Assert.Contains("1.2.3.4\tfoo\tbar\n", text);
        Assert.StartsWith("# Kubernetes-managed hosts file (host network).\nhost line\n", HostsFile.Write(TestPods.Sleeper("h", change: p => p.Spec!.HostNetwork = true), [], "cluster.local", "host line\n"));
    }

    [Fact]
    public void Only_host_ports_are_mapped()
    {
        var pod = TestPods.Sleeper("p", change: p => p.Spec!.Containers![0].Ports = [new ContainerPort { ContainerPortValue = 80 }, new ContainerPort { ContainerPortValue = 81, HostPort = 8081, Protocol = "UDP" }]);
        var settings = new SandboxSettings { ClusterDomain = "cluster.local", ClusterDns = [], HostResolver = Host };
        var mapping = Assert.Single(SandboxConfigBuilder.Build(pod, 0, "/logs", "/kubepods/x", settings).PortMappings);
        Assert.Equal((81, 8081, Cri.Protocol.Udp), (mapping.ContainerPort, mapping.HostPort, mapping.Protocol));
        pod.Spec!.HostNetwork = true;
        Assert.Empty(SandboxConfigBuilder.Build(pod, 0, "/logs", "/kubepods/x", settings).PortMappings);
    }

    [Fact]
    public void Network_list_is_a_bridge_with_host_local_addresses_and_host_ports()
    {
        using var json = JsonDocument.Parse(CniConfig.Write(new PodNetwork { PodCidr = "10.244.3.0/24", Bridge = "mesh0", StateDirectory = "/state" }));
        var plugins = json.RootElement.GetProperty("plugins");
        Assert.Equal(["bridge", "portmap"], plugins.EnumerateArray().Select(p => p.GetProperty("type").GetString()));
        Assert.Equal("10.244.3.0/24", plugins[0].GetProperty("ipam").GetProperty("ranges")[0][0].GetProperty("subnet").GetString());
    }

    [Fact]
    public void Packets_that_leave_the_cluster_are_masqueraded_by_one_rule()
    {
        var rules = PodMasquerade.Write("mesh0", "10.244.3.0/24", "10.244.0.0/16,fd00::/64");
        Assert.Contains("table ip mesh_pods_mesh0 {", rules);
        Assert.Contains("ip saddr 10.244.3.0/24 ip daddr != 10.244.3.0/24 ip daddr != 10.244.0.0/16 ip daddr != 224.0.0.0/4 oifname != \"mesh0\" masquerade", rules);
        Assert.Contains("ip6 daddr != fd00::/64", PodMasquerade.Write("mesh0", "fd00::/80", "10.244.0.0/16,fd00::/64"));
    }

    private static ResolverConfig For(Action<Pod> change) => PodDns.For(TestPods.Sleeper("p", change: change), Host, ["10.96.0.10"], "cluster.local");
}
