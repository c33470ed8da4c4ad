using System.Net;
using System.Net.Sockets;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.ServiceProxy.Model;

namespace Mesh.ServiceProxy.Compile;

/// <summary>
/// A Service and its EndpointSlices → what the data plane must know, on one node. Pure; the cost is the size of the one service.
/// </summary>
internal static class ServiceCompiler
{
    private const int DefaultAffinitySeconds = 10800;

    /// <summary>The ports of a service; none for ExternalName, headless and not yet allocated services.</summary>
    public static IReadOnlyList<VirtualPort> Compile(Service service, IEnumerable<EndpointSlice> slices, string nodeName)
    {
        var spec = service.Spec;
        if (spec?.Ports is null || spec.Type == "ExternalName" || spec.ClusterIP is null or "" or "None")
            return [];
        var clusterIps = Addresses(spec.ClusterIPs ?? [spec.ClusterIP]);
        var external = Addresses([.. spec.ExternalIPs ?? [], .. LoadBalancerIps(service)]);
        var usable = slices.Where(s => s.AddressType == "IPv4").ToList();
        var affinity = spec.SessionAffinity == "ClientIP" ? spec.SessionAffinityConfig?.ClientIP?.TimeoutSeconds ?? DefaultAffinitySeconds : 0;
        var result = new List<VirtualPort>(spec.Ports.Count);
        foreach (var port in spec.Ports)
        {
            if (port.Protocol is not (null or "TCP" or "UDP"))
                continue;
            var all = Backends(usable, port.Name ?? "", node: null);
            var local = Backends(usable, port.Name ?? "", nodeName);
            var internalLocal = spec.InternalTrafficPolicy == "Local";
            var externalLocal = spec.ExternalTrafficPolicy == "Local";
            result.Add(new VirtualPort
            {
                Name = $"{service.Metadata.Namespace}/{service.Metadata.Name}:{port.Name}",
                Transport = port.Protocol == "UDP" ? Transport.Udp : Transport.Tcp,
                Port = port.Port ?? 0,
                NodePort = port.NodePort ?? 0,
                ClusterIps = [.. clusterIps],
                ExternalIps = [.. external],
                Internal = [.. internalLocal ? local : all],
                External = [.. externalLocal ? local : all],
                DropInternal = internalLocal && local.Count == 0 && all.Count > 0,
                DropExternal = externalLocal && local.Count == 0 && all.Count > 0,
                PreserveClientIp = externalLocal,
                AffinitySeconds = affinity,
            });
        }

        return result;
    }

    /// <summary>Ready endpoints; when there is none, those that still serve while terminating (KEP-1669).</summary>
    private static List<Backend> Backends(List<EndpointSlice> slices, string portName, string? node)
    {
        SortedSet<Backend> ready = new(ByAddress), serving = new(ByAddress);
        foreach (var slice in slices)
        {
            var port = slice.Ports?.Find(p => (p.Name ?? "") == portName)?.Port;
            if (port is null)
                continue;
            foreach (var endpoint in slice.Endpoints ?? [])
            {
                if (endpoint.Addresses is not { Count: > 0 } addresses || (node is not null && endpoint.NodeName != node))
                    continue;
                var backend = new Backend(addresses[0], port.Value);
                if (endpoint.Conditions?.Ready ?? true)
                    ready.Add(backend);
                else if ((endpoint.Conditions?.Serving ?? false) && (endpoint.Conditions?.Terminating ?? false))
                    serving.Add(backend);
            }
        }

        return [.. ready.Count > 0 ? ready : serving];
    }

    private static IEnumerable<string> LoadBalancerIps(Service service) =>
        service.Status?.LoadBalancer?.Ingress?.Where(i => i.IpMode != "Proxy").Select(i => i.Ip).OfType<string>() ?? [];

    private static List<string> Addresses(IEnumerable<string> addresses) =>
        [.. addresses.Where(a => IPAddress.TryParse(a, out var ip) && ip.AddressFamily == AddressFamily.InterNetwork).Distinct()];

    private static readonly Comparer<Backend> ByAddress = Comparer<Backend>.Create((a, b) =>
        string.CompareOrdinal(a.Address, b.Address) is var c and not 0 ? c : a.Port.CompareTo(b.Port));
}
