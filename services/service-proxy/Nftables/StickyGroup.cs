using System.Security.Cryptography;
using System.Text;
using Mesh.ServiceProxy.Model;

namespace Mesh.ServiceProxy.Nftables;

/// <summary>
/// ClientIP affinity: per backend a set of clients that were sent there, with the affinity's timeout, and a chain that renews the entry.
/// The group's chain asks the sets first and picks at random for a new client. A backend that goes takes its clients along.
/// </summary>
internal sealed class StickyGroup(string name, string proto, int seconds, bool masquerade, IReadOnlyList<Backend> backends)
{
    /// <summary>The chain a verdict may go to.</summary>
    public string Chain { get; } = "aff_" + Id(name + "/" + proto);

    /// <summary>Commands that bring the group into being or to its new backends, keeping the clients of backends that stay.</summary>
    public void AppendPut(StringBuilder script, string table)
    {
        foreach (var backend in backends)
        {
            var id = BackendId(backend);
            script.Append($"add set ip {table} {id} {{ type ipv4_addr; flags dynamic,timeout; timeout {seconds}s; }}\n");
            script.Append($"add chain ip {table} c{id}\nflush chain ip {table} c{id}\n");
            script.Append($"add rule ip {table} c{id} update @{id} {{ ip saddr }}\n");
            script.Append($"add rule ip {table} c{id} meta l4proto {proto} dnat ip to {backend.Address}:{backend.Port}\n");
        }

        script.Append($"add chain ip {table} {Chain}\nflush chain ip {table} {Chain}\n");
        if (masquerade)
            script.Append($"add rule ip {table} {Chain} meta mark set meta mark | {NftRuleset.MasqueradeMark}\n");
        foreach (var backend in backends)
            script.Append($"add rule ip {table} {Chain} ip saddr @{BackendId(backend)} goto c{BackendId(backend)}\n");
        script.Append($"add rule ip {table} {Chain} numgen random mod {backends.Count} vmap {{ ");
        script.AppendJoin(", ", backends.Select((b, i) => $"{i} : goto c{BackendId(b)}"));
        script.Append(" }\n");
    }

    /// <summary>Commands that delete what the group has and <paramref name="next"/> has not; after the verdicts no longer point here.</summary>
    public void AppendDelete(StringBuilder script, string table, StickyGroup? next)
    {
        if (next is null)
            script.Append($"flush chain ip {table} {Chain}\ndelete chain ip {table} {Chain}\n");
        foreach (var backend in backends)
        {
            if (next is not null && next.Has(backend))
                continue;
            script.Append($"flush chain ip {table} c{BackendId(backend)}\ndelete chain ip {table} c{BackendId(backend)}\n");
            script.Append($"delete set ip {table} {BackendId(backend)}\n");
        }
    }

    private bool Has(Backend backend) => backends.Contains(backend);

    private string BackendId(Backend backend) => $"s{Id($"{name}/{proto}/{seconds}/{backend.Address}/{backend.Port}")}";

    private static string Id(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
