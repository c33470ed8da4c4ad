using System.Net;
using Mesh.Dns.Zone;

namespace Mesh.Dns.Tests.Zone;

internal sealed class FakeDirectory : IClusterDirectory
{
    public List<ServiceEntry> Services { get; } = [];

    public Dictionary<string, List<EndpointEntry>> EndpointsByService { get; } = [];

    public bool Ready { get; set; } = true;

    public bool HasNamespace(string ns) => ns is "default" or "kube-system";

    public ServiceEntry? Service(string ns, string name) => Services.Find(s => s.Namespace == ns && s.Name == name);

    public IReadOnlyList<EndpointEntry> Endpoints(string ns, string service) => EndpointsByService.GetValueOrDefault($"{ns}/{service}") ?? [];

    public ServiceEntry? ServiceByIp(IPAddress address) => Services.Find(s => s.ClusterIps.Contains(address));

    public (string Namespace, string Service, EndpointEntry Endpoint)? EndpointByIp(IPAddress address)
    {
        foreach (var (key, endpoints) in EndpointsByService)
        {
            if (endpoints.Find(e => e.Address.Equals(address)) is { } found)
                return (key.Split('/')[0], key.Split('/')[1], found);
        }

        return null;
    }

    /// <summary>web (10.96.0.5, http and metrics), db (headless: db-0 and an unnamed pod), ext (ExternalName).</summary>
    public static FakeDirectory Sample()
    {
        var directory = new FakeDirectory();
        directory.Services.Add(new ServiceEntry(
            "default", "web", [IPAddress.Parse("10.96.0.5")], false, null, [new PortEntry("http", "TCP", 80), new PortEntry("metrics", "TCP", 9090)]));
        directory.Services.Add(new ServiceEntry("default", "db", [], true, null, [new PortEntry("sql", "TCP", 5432)]));
        directory.Services.Add(new ServiceEntry("default", "none", [], true, null, []));
        directory.Services.Add(new ServiceEntry("default", "ext", [], false, "www.example.org", []));
        directory.Services.Add(new ServiceEntry("default", "alias", [], false, "web.default.svc.cluster.local", []));
        directory.Services.Add(new ServiceEntry("default", "loop", [], false, "loop.default.svc.cluster.local", []));
        directory.EndpointsByService["default/db"] =
        [
            new EndpointEntry(IPAddress.Parse("10.244.0.7"), "db-0", [new PortEntry("sql", "TCP", 5432)]),
            new EndpointEntry(IPAddress.Parse("10.244.0.8"), "", [new PortEntry("sql", "TCP", 5432)]),
        ];
        return directory;
    }
}
