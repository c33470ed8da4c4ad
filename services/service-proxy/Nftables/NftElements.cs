using Mesh.ServiceProxy.Model;

namespace Mesh.ServiceProxy.Nftables;

/// <summary>One element of a map (Data set) or of a set (Data null).</summary>
internal readonly record struct NftElement(string Set, string Key);

/// <summary>
/// What one service port is in the table: map and set elements, the backend counts whose chains it needs, and its affinity groups. A pure
/// function of the port.
/// </summary>
internal sealed class NftElements
{
    public Dictionary<NftElement, string?> Elements { get; } = [];

    public List<StickyGroup> Sticky { get; } = [];

    public HashSet<int> Counts { get; } = [];

    public List<string> Hairpins { get; } = [];

    public static NftElements Of(VirtualPort port)
    {
        var result = new NftElements();
        var proto = port.Transport == Transport.Udp ? "udp" : "tcp";
        var inside = result.Group(port, proto, "int", masquerade: false, port.ClusterIps.Count > 0, port.Internal);
        foreach (var ip in port.ClusterIps)
            result.AddAddress(proto, ip, port.Port, port.Internal, port.DropInternal, inside?.Chain, $"{proto}_{port.Internal.Count}");

        var masquerade = !port.PreserveClientIp;
        var outside = result.Group(port, proto, "ext", masquerade, port.NodePort > 0 || port.ExternalIps.Count > 0, port.External);
        foreach (var ip in port.ExternalIps)
        {
            var chain = masquerade ? $"ext_{proto}_{port.External.Count}" : $"{proto}_{port.External.Count}";
            result.AddAddress(proto, ip, port.Port, port.External, port.DropExternal, outside?.Chain, chain);
        }

        if (port.NodePort > 0)
            result.AddNodePort(proto, port, masquerade, outside?.Chain);

        foreach (var backend in port.Internal)
            result.Hairpins.Add($"{backend.Address} . {backend.Address}");
        foreach (var backend in port.External)
            result.Hairpins.Add($"{backend.Address} . {backend.Address}");
        return result;
    }

    private StickyGroup? Group(VirtualPort port, string proto, string side, bool masquerade, bool used, IReadOnlyList<Backend> backends)
    {
        if (port.AffinitySeconds == 0 || !used || backends.Count == 0)
            return null;
        var group = new StickyGroup($"{port.Name}/{side}", proto, port.AffinitySeconds, masquerade, backends);
        Sticky.Add(group);
        return group;
    }

    private void AddAddress(string proto, string ip, int port, EquatableList<Backend> backends, bool drop, string? sticky, string chain)
    {
        var key = $"{ip} . {port}";
        if (backends.Count == 0)
        {
            if (drop)
                Elements[new($"svc_{proto}", key)] = "drop";
            else
                Elements[new($"none_{proto}", key)] = null;
            return;
        }

        Elements[new($"svc_{proto}", key)] = "goto " + (sticky ?? chain);
        if (sticky is not null)
            return;
        Counts.Add(backends.Count);
        for (var slot = 0; slot < backends.Count; slot++)
            Elements[new($"ep_{proto}", $"{key} . {slot}")] = $"{backends[slot].Address} . {backends[slot].Port}";
    }

    private void AddNodePort(string proto, VirtualPort port, bool masquerade, string? sticky)
    {
        var key = port.NodePort.ToString();
        if (port.External.Count == 0)
        {
            if (port.DropExternal)
                Elements[new($"np_{proto}", key)] = "drop";
            else
                Elements[new($"npnone_{proto}", key)] = null;
            return;
        }

        Elements[new($"np_{proto}", key)] = "goto " + (sticky ?? NftRuleset.NodePortChain(proto, port.External.Count, masquerade));
        if (sticky is not null)
            return;
        Counts.Add(port.External.Count);
        for (var slot = 0; slot < port.External.Count; slot++)
            Elements[new($"npep_{proto}", $"{key} . {slot}")] = $"{port.External[slot].Address} . {port.External[slot].Port}";
    }
}
