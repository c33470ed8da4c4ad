namespace Mesh.NodeAgent.Network;

/// <summary>The table that iptables keeps NAT rules in, as nft sees it.</summary>
internal static class NatTable
{
    /// <summary>Arguments of nft that print it.</summary>
    public static readonly string[] List = ["list", "table", "ip", "nat"];

    /// <summary>Whether what nft printed is a table with nothing but its built-in chains' heads: no rule, no chain of anybody's.</summary>
    public static bool IsEmpty(string listing)
    {
        var lines = listing.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 0 && lines.All(l => l is "}" or "table ip nat {" || l.StartsWith("type nat hook ", StringComparison.Ordinal)
            || (l.StartsWith("chain ", StringComparison.Ordinal) && l[6..].TrimEnd(' ', '{') is "PREROUTING" or "INPUT" or "OUTPUT" or "POSTROUTING"));
    }
}
