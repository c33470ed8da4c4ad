using System.Diagnostics.Metrics;
using Mesh.Dns.Wire;

namespace Mesh.Dns;

/// <summary>CoreDNS' metric names, so that its dashboards work.</summary>
internal sealed class DnsMetrics : IDisposable
{
    private readonly Meter meter = new("Mesh.Dns");
    private readonly Counter<long> requests;

    public DnsMetrics() => requests = meter.CreateCounter<long>("coredns_dns_requests_total", description: "Queries by type, transport and outcome.");

    public void Count(RecordType type, bool tcp, string outcome) => requests.Add(
        1, new("type", type.ToString().ToUpperInvariant()), new("proto", tcp ? "tcp" : "udp"), new("rcode", outcome));

    public void Dispose() => meter.Dispose();
}
