using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Warnings;

/// <summary>Warnings about services, ingresses and network policies.</summary>
internal static class NetworkWarnings
{
    private const string TopologyHints = "service.kubernetes.io/topology-aware-hints";
    private const string IngressClass = "kubernetes.io/ingress.class";

    /// <summary>A service.</summary>
    public static IEnumerable<string> Service(JsonObject service)
    {
        var spec = service.Obj("spec");
        var (type, headless, externals) = (spec.Str("type"), spec.Str("type") == "ClusterIP" && spec.Str("clusterIP") == "None", spec.Strings("externalIPs"));
        if (service.Obj("metadata", "annotations")?.ContainsKey(TopologyHints) == true)
            yield return $"annotation {TopologyHints} is deprecated, please use service.kubernetes.io/topology-mode instead";
        if (spec.Str("clusterIP") is not ("" or "None"))
        {
            foreach (var warning in Addresses("spec.clusterIPs", spec.Strings("clusterIPs")))
                yield return warning;
        }

        if (headless && spec.Str("loadBalancerIP").Length > 0)
            yield return "spec.loadBalancerIP is ignored for headless services";
        if (headless && externals.Count > 0)
            yield return "spec.externalIPs is ignored for headless services";
        if (headless && spec.Str("sessionAffinity") != "None")
            yield return "spec.SessionAffinity is ignored for headless services";
        foreach (var warning in Addresses("spec.externalIPs", externals))
            yield return warning;
        if (externals.Count > 0 && !headless && type != "ExternalName")
            yield return "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
        foreach (var warning in spec.Str("loadBalancerIP") is { Length: > 0 } balancer ? Address("spec.loadBalancerIP", balancer) : [])
            yield return warning;
        foreach (var warning in Ranges("spec.loadBalancerSourceRanges", spec.Strings("loadBalancerSourceRanges")))
            yield return warning;
        if (type == "ExternalName" && externals.Count > 0)
            yield return "spec.externalIPs is ignored when spec.type is \"ExternalName\"";
        if (type != "ExternalName" && spec.Str("externalName").Length > 0)
            yield return "spec.externalName is ignored when spec.type is not \"ExternalName\"";
        if (spec.Str("trafficDistribution") == "PreferClose")
            yield return "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"";
    }

    /// <summary>A new ingress.</summary>
    public static IEnumerable<string> Ingress(JsonObject ingress)
    {
        if (ingress.Obj("metadata", "annotations")?.ContainsKey(IngressClass) == true && !ingress.Obj("spec").Has("ingressClassName"))
            yield return $"annotation \"{IngressClass}\" is deprecated, please use 'spec.ingressClassName' instead";
    }

    /// <summary>A network policy.</summary>
    public static IEnumerable<string> Policy(JsonObject policy) =>
        from side in new[] { (Rules: "ingress", Peers: "from"), (Rules: "egress", Peers: "to") }
        from rule in policy.Obj("spec").Items(side.Rules)
        from peer in rule.Item.Items(side.Peers)
        let path = new FieldPath("spec").Child(side.Rules).Index(rule.Index).Child(side.Peers).Index(peer.Index).Child("ipBlock")
        let block = peer.Item.Obj("ipBlock")
        where block is not null
        from warning in Range(path.Child("cidr"), block.Str("cidr")).Concat(Ranges(path.Child("except"), block.Strings("except")))
        select warning;

    /// <summary>Endpoints; those of the controller are well written.</summary>
    public static IEnumerable<string> Endpoints(JsonObject endpoints) =>
        endpoints.Obj("metadata", "labels").Str("endpoints.kubernetes.io/managed-by") == "endpoint-controller"
            ? []
            : from subset in endpoints.Items("subsets")
              from list in new[] { "addresses", "notReadyAddresses" }
              from address in subset.Item.Items(list)
              from warning in Address(new FieldPath("subsets").Index(subset.Index).Child(list).Index(address.Index).Child("ip"), address.Item.Str("ip"))
              select warning;

    /// <summary>A slice of endpoints; the path of its type is Kubernetes' own.</summary>
    public static IEnumerable<string> Slice(JsonObject slice, JsonObject? old)
    {
        var addresses = slice.Obj("metadata", "labels").Str("endpointslice.kubernetes.io/managed-by") is "endpointslice-controller.k8s.io" or "endpointslicemirroring-controller.k8s.io"
            ? []
            : slice.Items("endpoints").SelectMany(e => Addresses(new FieldPath("endpoints").Index(e.Index).Child("addresses"), e.Item.Strings("addresses")));
        return old is null && slice.Str("addressType") == "FQDN" ? addresses.Prepend("spec.addressType: FQDN endpoints are deprecated") : addresses;
    }

    /// <summary>A node.</summary>
    public static IEnumerable<string> Node(JsonObject node)
    {
        var spec = node.Obj("spec");
        if (spec.Has("configSource"))
            yield return "spec.configSource: the feature is removed";
        if (spec.Str("externalID").Length > 0)
            yield return "spec.externalID: this field is deprecated, and is unused by Kubernetes";
        foreach (var warning in Ranges("spec.podCIDRs", spec.Strings("podCIDRs")))
            yield return warning;
    }

    private static IEnumerable<string> Addresses(FieldPath path, List<string> values) => values.SelectMany((v, i) => Address(path.Index(i), v));

    private static IEnumerable<string> Ranges(FieldPath path, List<string> values) => values.SelectMany((v, i) => Range(path.Index(i), v.Trim()));

    private static IEnumerable<string> Address(FieldPath path, string value)
    {
        if (!IPAddress.TryParse(value, out var ip))
            yield break;
        if (ip.IsIPv4MappedToIPv6)
            yield return $"{path}: non-standard IP address {GoText.Quote(value)} will be considered invalid in a future Kubernetes release: use {GoText.Quote(ip.MapToIPv4().ToString())}";
        else if (ip.AddressFamily == AddressFamily.InterNetworkV6 && ip.ToString() != value)
            yield return $"{path}: IPv6 address {GoText.Quote(value)} should be in RFC 5952 canonical format ({GoText.Quote(ip.ToString())})";
    }

    // A range that is written with an address inside of it may mean the one or the other.
    private static IEnumerable<string> Range(FieldPath path, string value)
    {
        var slash = value.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(value.AsSpan(0, slash), out var ip) || !int.TryParse(value.AsSpan(slash + 1), out var bits))
            yield break;
        var bytes = ip.GetAddressBytes();
        if (bits < 0 || bits > bytes.Length * 8)
            yield break;
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] &= (byte)(0xff << (8 - Math.Clamp(bits - (i * 8), 0, 8)));
        var network = new IPAddress(bytes);
        var canonical = $"{network}/{bits}";
        if (!network.Equals(ip))
            yield return $"{path}: CIDR value {GoText.Quote(value)} is ambiguous in this context (should be {GoText.Quote(canonical)} or {GoText.Quote($"{ip}/{bytes.Length * 8}")}?)";
        else if (ip.AddressFamily == AddressFamily.InterNetworkV6 && canonical != value)
            yield return $"{path}: IPv6 CIDR value {GoText.Quote(value)} should be in RFC 5952 canonical format ({GoText.Quote(canonical)})";
    }
}
