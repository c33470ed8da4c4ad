using System.Net;
using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.Client;

namespace Mesh.Dns.Zone;

/// <summary>The directory over informer caches: looked up per question, nothing copied.</summary>
internal sealed class InformerDirectory : IClusterDirectory
{
    private const string ByService = "service", ByAddress = "address", ByClusterIp = "clusterIP";
    private const string ServiceNameLabel = "kubernetes.io/service-name";
    private readonly IInformer<Service> services;
    private readonly IInformer<EndpointSlice> slices;
    private readonly IInformer<Namespace> namespaces;

    public InformerDirectory(IInformerFactory informers)
    {
        services = informers.For<Service>();
        slices = informers.For<EndpointSlice>();
        namespaces = informers.For<Namespace>();
        services.AddIndex(ByClusterIp, s => s.Spec?.ClusterIPs ?? (s.Spec?.ClusterIP is { } ip ? [ip] : []));
        slices.AddIndex(ByService, s => ServiceOf(s) is { } name ? [$"{s.Metadata.Namespace}/{name}"] : []);
        slices.AddIndex(ByAddress, s => s.Endpoints?.SelectMany(e => e.Addresses ?? []) ?? []);
    }

    public bool Ready => services.Synced.IsCompletedSuccessfully && slices.Synced.IsCompletedSuccessfully && namespaces.Synced.IsCompletedSuccessfully;

    public bool HasNamespace(string ns) => namespaces.Lister.Get(null, ns) is not null;

    public ServiceEntry? Service(string ns, string name) => services.Lister.Get(ns, name) is { } service ? Entry(service) : null;

    public IReadOnlyList<EndpointEntry> Endpoints(string ns, string service)
    {
        var publishNotReady = services.Lister.Get(ns, service)?.Spec?.PublishNotReadyAddresses == true;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var result = new List<EndpointEntry>();
        foreach (var slice in slices.Lister.ByIndex(ByService, $"{ns}/{service}"))
        {
            foreach (var endpoint in slice.Endpoints ?? [])
            {
                if (!publishNotReady && endpoint.Conditions?.Ready == false)
                    continue;
                foreach (var address in endpoint.Addresses ?? [])
                {
                    if (seen.Add(address) && IPAddress.TryParse(address, out var ip))
                        result.Add(Entry(slice, endpoint, ip));
                }
            }
        }

        return result;
    }

    public ServiceEntry? ServiceByIp(IPAddress address) =>
        services.Lister.ByIndex(ByClusterIp, address.ToString()).FirstOrDefault() is { } service ? Entry(service) : null;

    public (string Namespace, string Service, EndpointEntry Endpoint)? EndpointByIp(IPAddress address)
    {
        var text = address.ToString();
        foreach (var slice in slices.Lister.ByIndex(ByAddress, text))
        {
            // Only headless services name their endpoints.
            if (ServiceOf(slice) is not { } name || services.Lister.Get(slice.Metadata.Namespace, name)?.Spec?.ClusterIP != "None")
                continue;
            if (slice.Endpoints?.Find(e => e.Addresses?.Contains(text) == true) is { } endpoint)
                return (slice.Metadata.Namespace!, name, Entry(slice, endpoint, address));
        }

        return null;
    }

    private static string? ServiceOf(EndpointSlice slice) => slice.Metadata.Labels?.GetValueOrDefault(ServiceNameLabel);

    private static EndpointEntry Entry(EndpointSlice slice, Endpoint endpoint, IPAddress ip) => new(
        ip, endpoint.Hostname ?? "", [.. slice.Ports?.Where(p => p.Port is not null).Select(p => new PortEntry(p.Name ?? "", p.Protocol ?? "TCP", (ushort)p.Port!.Value)) ?? []]);

    private static ServiceEntry Entry(Service service)
    {
        var spec = service.Spec;
        var ips = (spec?.ClusterIPs ?? (spec?.ClusterIP is { } one ? [one] : [])).Where(ip => ip is not ("" or "None"));
        return new ServiceEntry(
            service.Metadata.Namespace!,
            service.Metadata.Name!,
            [.. ips.Select(ip => IPAddress.TryParse(ip, out var address) ? address : null).OfType<IPAddress>()],
            spec?.ClusterIP == "None",
            spec?.Type == "ExternalName" ? spec.ExternalName : null,
            [.. spec?.Ports?.Select(p => new PortEntry(p.Name ?? "", p.Protocol ?? "TCP", (ushort)(p.Port ?? 0))) ?? []]);
    }
}
