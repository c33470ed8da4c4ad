using System.Net;

namespace Mesh.Dns.Zone;

/// <summary>One port of a service or endpoint, as SRV asks for it.</summary>
internal readonly record struct PortEntry(string Name, string Protocol, ushort Port);

/// <summary>One address behind a headless service; Hostname is empty when the pod has none for this service.</summary>
internal sealed record EndpointEntry(IPAddress Address, string Hostname, IReadOnlyList<PortEntry> Ports);

/// <summary>What DNS must know of a Service.</summary>
internal sealed record ServiceEntry(
    string Namespace, string Name, IReadOnlyList<IPAddress> ClusterIps, bool Headless, string? ExternalName, IReadOnlyList<PortEntry> Ports);

/// <summary>The cluster as DNS sees it, from informer caches.</summary>
internal interface IClusterDirectory
{
    /// <summary>True once the caches are filled; before that the zone answers SERVFAIL rather than a wrong "no such name".</summary>
    bool Ready { get; }

    bool HasNamespace(string ns);

    ServiceEntry? Service(string ns, string name);

    /// <summary>Ready endpoints (or all, when the service publishes not-ready addresses).</summary>
    IReadOnlyList<EndpointEntry> Endpoints(string ns, string service);

    /// <summary>The service that has this cluster IP.</summary>
    ServiceEntry? ServiceByIp(IPAddress address);

    /// <summary>The headless service and endpoint at this address.</summary>
    (string Namespace, string Service, EndpointEntry Endpoint)? EndpointByIp(IPAddress address);
}
