using System.Diagnostics;
using System.Text;
using Mesh.NodeAgent.Runtime.Containerd;

namespace Mesh.NodeAgent.Network;

/// <summary>
/// Packets of pods that leave the cluster carry the node's address: one nftables rule a node. The bridge plugin's own way (ipMasq) is nine
/// runs of iptables for every pod that starts and six for every one that ends, and hides pods from each other across nodes.
/// </summary>
internal static class PodMasquerade
{
    /// <summary>Sets the rule; false when this machine has no nft that can.</summary>
    public static async Task<bool> InstallAsync(string bridge, string podCidr, string clusterCidr, CancellationToken ct) =>
        HostProbe.Find("nft") is { } nft && await RunAsync(nft, Write(bridge, podCidr, clusterCidr), ct);

    /// <summary>Takes the rule away.</summary>
    public static async Task RemoveAsync(string bridge, CancellationToken ct)
    {
        if (HostProbe.Find("nft") is not { } nft)
            return;
        foreach (var family in new[] { "ip", "ip6" })
            await RunAsync(nft, $"add table {family} {Table(bridge)}\ndelete table {family} {Table(bridge)}\n", ct);
    }

    /// <summary>The whole table anew, in one transaction. Pods of the cluster (both ranges) see each other's own addresses.</summary>
    public static string Write(string bridge, string podCidr, string clusterCidr)
    {
        var family = podCidr.Contains(':', StringComparison.Ordinal) ? "ip6" : "ip";
        var multicast = family == "ip" ? "224.0.0.0/4" : "ff00::/8";
        var table = Table(bridge);
        var text = new StringBuilder();
        text.Append($"add table {family} {table}\ndelete table {family} {table}\ntable {family} {table} {{\n");
        text.Append("  chain postrouting {\n    type nat hook postrouting priority srcnat; policy accept;\n");
        text.Append($"    {family} saddr {podCidr} {family} daddr != {podCidr}");
        foreach (var range in clusterCidr.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (range.Contains(':', StringComparison.Ordinal) == (family == "ip6"))
                text.Append($" {family} daddr != {range}");
        }

        text.Append($" {family} daddr != {multicast} oifname != \"{bridge}\" masquerade\n  }}\n}}\n");
        return text.ToString();
    }

    private static string Table(string bridge) => "mesh_pods_" + string.Concat(bridge.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static async Task<bool> RunAsync(string nft, string rules, CancellationToken ct)
    {
        var start = new ProcessStartInfo(nft, ["-f", "-"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardError = true };
        using var process = Process.Start(start);
        if (process is null)
            return false;
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.StandardInput.WriteAsync(rules.AsMemory(), ct);
        process.StandardInput.Close();
        await process.WaitForExitAsync(ct);
        await errors;
        return process.ExitCode == 0;
    }
}
