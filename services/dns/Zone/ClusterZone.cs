using System.Net;
using System.Net.Sockets;
using Mesh.Dns.Wire;

namespace Mesh.Dns.Zone;

/// <summary>
/// The Kubernetes DNS-based service discovery specification 1.1: a pure function from a question to an answer over the directory.
/// Null means "not this zone's": ask upstream.
/// </summary>
internal sealed class ClusterZone(string domain, IClusterDirectory directory)
{
    /// <summary>Seconds; what kubeadm's CoreDNS configuration uses.</summary>
    public const uint Ttl = 30;

    private static readonly Answer Failure = new(ResponseCode.ServerFailure, [], [], []);
    private readonly string suffix = "." + domain;

    /// <summary>The answer, or null when the name is outside the cluster. A CNAME to an outside name is left for the server to follow.</summary>
    public Answer? Resolve(in Question question)
    {
        var name = question.Name;
        if (name.EndsWith(".in-addr.arpa", StringComparison.Ordinal) || name.EndsWith(".ip6.arpa", StringComparison.Ordinal))
            return ResolveReverse(question);
        if (name == domain)
            return question.Type == RecordType.Soa ? Answer.Of([Soa()]) : Empty();
        if (!name.EndsWith(suffix, StringComparison.Ordinal))
            return null;
        if (!directory.Ready)
            return Failure;
        var labels = name[..^suffix.Length].Split('.');
        return labels[^1] switch
        {
            "svc" => ResolveService(question, labels),
            "pod" => ResolvePod(question, labels),
            "dns-version" when labels.Length == 1 => question.Type is RecordType.Txt or RecordType.Any
                ? Answer.Of([new Record(name, RecordType.Txt, Ttl, new RecordData.Text("1.1.0"))])
                : Empty(),
            "ns" or "dns" => Empty(),
            _ => NoSuchName(),
        };
    }

    private Answer ResolveService(in Question question, string[] labels)
    {
        // svc | ns.svc | service.ns.svc | endpoint.service.ns.svc | _port._proto.service.ns.svc
        if (labels.Length == 1)
            return Empty();
        var ns = labels[^2];
        if (labels.Length == 2)
            return directory.HasNamespace(ns) ? Empty() : NoSuchName();
        var service = directory.Service(ns, labels[^3]);
        if (service is null)
            return NoSuchName();
        if (service.ExternalName is { Length: > 0 } external)
        {
            return labels.Length == 3
                ? Answer.Of([new Record(question.Name, RecordType.Cname, Ttl, new RecordData.DomainName(external.TrimEnd('.').ToLowerInvariant()))])
                : NoSuchName();
        }

        return labels.Length switch
        {
            3 => ResolveServiceName(question, service),
            4 => ResolveEndpoint(question, service, labels[0]),
            5 => ResolvePort(question, service, labels[0], labels[1]),
            _ => NoSuchName(),
        };
    }

    private Answer ResolveServiceName(in Question question, ServiceEntry service)
    {
        if (question.Type == RecordType.Srv)
            return Services(question, service, null, null);
        if (!service.Headless)
            return Addresses(question, service.ClusterIps);
        var endpoints = directory.Endpoints(service.Namespace, service.Name);
        return endpoints.Count == 0 ? NoSuchName() : Addresses(question, endpoints.Select(e => e.Address));
    }

    private Answer ResolveEndpoint(in Question question, ServiceEntry service, string endpoint)
    {
        if (!service.Headless)
            return NoSuchName();
        var matches = directory.Endpoints(service.Namespace, service.Name).Where(e => EndpointName(e) == endpoint).Select(e => e.Address).ToList();
        return matches.Count == 0 ? NoSuchName() : Addresses(question, matches);
    }

    private Answer ResolvePort(in Question question, ServiceEntry service, string port, string protocol)
    {
        if (port.Length < 2 || port[0] != '_' || protocol.Length < 2 || protocol[0] != '_')
            return NoSuchName();
        var answer = Services(question, service, port[1..], protocol[1..]);
        if (answer.Records.Count == 0)
            return NoSuchName();
        return question.Type is RecordType.Srv or RecordType.Any ? answer : Empty();
    }

    private Answer Services(in Question question, ServiceEntry service, string? port, string? protocol)
    {
        List<Record> records = [], extra = [];
        var serviceName = $"{service.Name}.{service.Namespace}.svc{suffix}";
        bool Wanted(PortEntry p) =>
            (port is null || p.Name == port) && (protocol is null || p.Protocol.Equals(protocol, StringComparison.OrdinalIgnoreCase));

        if (!service.Headless)
        {
            var ports = service.Ports.Where(Wanted).ToList();
            foreach (var p in ports)
                records.Add(new Record(question.Name, RecordType.Srv, Ttl, new RecordData.Service(0, (ushort)(100 / ports.Count), p.Port, serviceName)));
            foreach (var ip in ports.Count > 0 ? service.ClusterIps : [])
                extra.Add(AddressRecord(serviceName, ip));
        }
        else
        {
            var pairs = directory.Endpoints(service.Namespace, service.Name).SelectMany(e => e.Ports.Where(Wanted).Select(p => (Endpoint: e, Port: p))).ToList();
            foreach (var (endpoint, p) in pairs)
            {
                var target = $"{EndpointName(endpoint)}.{serviceName}";
                records.Add(new Record(question.Name, RecordType.Srv, Ttl, new RecordData.Service(0, (ushort)Math.Max(1, 100 / pairs.Count), p.Port, target)));
                extra.Add(AddressRecord(target, endpoint.Address));
            }
        }

        return new Answer(ResponseCode.NoError, records, records.Count == 0 ? [Soa()] : [], extra);
    }

    private Answer ResolvePod(in Question question, string[] labels)
    {
        // ip-with-dashes.namespace.pod
        if (labels.Length == 1)
            return Empty();
        if (!directory.HasNamespace(labels[^2]))
            return NoSuchName();
        if (labels.Length == 2)
            return Empty();
        if (labels.Length != 3)
            return NoSuchName();
        var dashed = labels[0];
        return IPAddress.TryParse(dashed.Replace('-', '.'), out var v4) && v4.AddressFamily == AddressFamily.InterNetwork && dashed.Count(c => c == '-') == 3 ? Addresses(question, [v4])
            : IPAddress.TryParse(dashed.Replace('-', ':'), out var v6) ? Addresses(question, [v6])
            : NoSuchName();
    }

    private Answer? ResolveReverse(in Question question)
    {
        if (ReverseName.TryParse(question.Name, out var address) is false)
            return null;
        if (!directory.Ready)
            return Failure;
        string? target = null;
        if (directory.ServiceByIp(address) is { } service)
            target = $"{service.Name}.{service.Namespace}.svc{suffix}";
        else if (directory.EndpointByIp(address) is { } found)
            target = $"{EndpointName(found.Endpoint)}.{found.Service}.{found.Namespace}.svc{suffix}";
        if (target is null)
            return null;
        return question.Type is RecordType.Ptr or RecordType.Any
            ? Answer.Of([new Record(question.Name, RecordType.Ptr, Ttl, new RecordData.DomainName(target))])
            : Empty();
    }

    private Answer Addresses(in Question question, IEnumerable<IPAddress> addresses)
    {
        var name = question.Name;
        var wanted = question.Type switch
        {
            RecordType.A => AddressFamily.InterNetwork,
            RecordType.Aaaa => AddressFamily.InterNetworkV6,
            RecordType.Any => AddressFamily.Unspecified,
            _ => AddressFamily.Unknown,
        };
        var records = addresses.Where(a => wanted == AddressFamily.Unspecified || a.AddressFamily == wanted).Select(a => AddressRecord(name, a)).ToList();
        return records.Count == 0 ? Empty() : Answer.Of(records);
    }

    private static Record AddressRecord(string name, IPAddress address) =>
        new(name, address.AddressFamily == AddressFamily.InterNetwork ? RecordType.A : RecordType.Aaaa, Ttl, new RecordData.Address(address));

    private static string EndpointName(EndpointEntry endpoint) =>
        endpoint.Hostname.Length > 0 ? endpoint.Hostname : endpoint.Address.ToString().Replace('.', '-').Replace(':', '-');

    private Record Soa() => new(domain, RecordType.Soa, Ttl, new RecordData.StartOfAuthority("ns.dns" + suffix, "hostmaster" + suffix, 1, Ttl));

    private Answer Empty() => new(ResponseCode.NoError, [], [Soa()], []);

    private Answer NoSuchName() => new(ResponseCode.NameError, [], [Soa()], []);
}
