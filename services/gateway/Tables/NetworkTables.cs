using System.Text.Json.Nodes;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tables;

/// <summary>Tables of Services, endpoints and ingress.</summary>
internal static class NetworkTables
{
    private const int Shown = 3;

    public static TableKind Service { get; } = new(Column.Line("Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector+"), static (o, now) =>
    {
        var spec = o.Obj("spec");
        var ports = string.Join(',', spec.Items("ports").Select(p => p.Item).Select(p =>
            p.Num("nodePort") is > 0 and var node ? $"{p.Num("port")}:{node}/{p.Str("protocol")}" : $"{p.Num("port")}/{p.Str("protocol")}"));
        return
        [
            o.Name(), spec.Str("type"), Cell.Or(spec.Str("clusterIP"), Cell.None), ExternalIp(o), Cell.Or(ports, Cell.None), Cell.Age(o, now), Cell.Labels(spec.Obj("selector")),
        ];
    });

    public static TableKind Endpoints { get; } = new(Column.Line("Name, Endpoints, Age"), static (o, now) =>
    {
        var all = new List<string>();
        foreach (var (_, subset) in o.Items("subsets"))
        {
            var addresses = subset.Items("addresses").Select(a => a.Item.Str("ip")).ToList();
            if (Cell.Size(subset, "ports") == 0)
                all.AddRange(addresses);
            foreach (var (_, port) in subset.Items("ports"))
                all.AddRange(addresses.Select(ip => ip.Contains(':') ? $"[{ip}]:{port.Num("port")}" : $"{ip}:{port.Num("port")}"));
        }

        return [o.Name(), Some(all, Cell.None), Cell.Age(o, now)];
    });

    public static TableKind EndpointSlice { get; } = new(Column.Line("Name, AddressType, Ports, Endpoints, Age"), static (o, now) =>
    {
        var ports = o.Items("ports").Select(p => p.Item.Num("port")?.ToString() ?? "*").ToList();
        var addresses = o.Items("endpoints").SelectMany(e => e.Item.Strings("addresses")).ToList();
        return [o.Name(), o.Str("addressType"), Some(ports, Cell.Unset), Some(addresses, Cell.Unset), Cell.Age(o, now)];
    });

    public static TableKind Ingress { get; } = new(Column.Line("Name, Class, Hosts, Address, Ports, Age"), static (o, now) =>
    {
        var spec = o.Obj("spec");
        var hosts = spec.Items("rules").Select(r => r.Item.Str("host")).Where(h => h.Length > 0).ToList();
        return
        [
            o.Name(), Cell.Or(spec.Str("ingressClassName"), Cell.None), Some(hosts, "*"), LoadBalancer(o),
            Cell.Size(spec, "tls") > 0 ? "80, 443" : "80", Cell.Age(o, now),
        ];
    });

    public static TableKind IngressClass { get; } = new(Column.Line("Name, Controller, Parameters, Age"), static (o, now) =>
    {
        var parameters = o.Obj("spec", "parameters");
        var group = parameters.Str("apiGroup");
        var text = parameters is null ? Cell.None : $"{parameters.Str("kind")}{(group.Length > 0 ? "." + group : string.Empty)}/{parameters.Str("name")}";
        return [o.Name(), o.Obj("spec").Str("controller"), text, Cell.Age(o, now)];
    });

    public static TableKind NetworkPolicy { get; } = new(Column.Line("Name, Pod-Selector, Age"), static (o, now) =>
        [o.Name(), Cell.Selector(o.Obj("spec", "podSelector")), Cell.Age(o, now)]);

    public static TableKind ServiceCidr { get; } = new(Column.Line("Name, CIDRs, Age"), static (o, now) =>
        [o.Name(), string.Join(',', o.Obj("spec").Strings("cidrs")), Cell.Age(o, now)]);

    public static TableKind IpAddress { get; } = new(Column.Line("Name, ParentRef, Age"), static (o, now) =>
    {
        var parent = o.Obj("spec", "parentRef");
        var place = parent.Str("namespace").Length > 0 ? $"{parent.Str("namespace")}/{parent.Str("name")}" : parent.Str("name");
        return [o.Name(), $"{parent.Str("resource")}/{place}", Cell.Age(o, now)];
    });

    private static string Some(List<string> items, string none) =>
        items.Count == 0 ? none : items.Count > Shown ? string.Join(',', items.Take(Shown)) + $" + {items.Count - Shown} more..." : string.Join(',', items);

    private static string LoadBalancer(JsonObject o) =>
        string.Join(',', o.Obj("status", "loadBalancer").Items("ingress").Select(i => Cell.Or(i.Item.Str("ip"), i.Item.Str("hostname"))).Where(t => t.Length > 0).Order(StringComparer.Ordinal));

    private static string ExternalIp(JsonObject o)
    {
        var spec = o.Obj("spec");
        var external = string.Join(',', spec.Strings("externalIPs"));
        switch (spec.Str("type"))
        {
            case "ExternalName":
                return spec.Str("externalName");
            case "LoadBalancer":
                var balancer = LoadBalancer(o);
                return balancer.Length > 0 && external.Length > 0 ? balancer + "," + external : Cell.Or(balancer + external, "<pending>");
            default:
                return Cell.Or(external, Cell.None);
        }
    }
}
