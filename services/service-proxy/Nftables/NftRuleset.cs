using System.Text;

namespace Mesh.ServiceProxy.Nftables;

/// <summary>
/// The part of the table that does not depend on any service. Everything per service is an element of a flat map or set, so a change costs
/// its own size; only ClientIP affinity has chains of its own (<see cref="StickyGroup"/>).
/// </summary>
/// <remarks>
///   1. prerouting and output (nat): service → verdict by (address, port), else node port → verdict
///   2. the verdict is the chain for N backends; it picks a slot at random and looks the backend up: (address, port, slot) → (ip, port)
///   3. postrouting (nat): marked traffic and hairpins leave with the node's address
///   4. input, forward, output (filter): ports without any backend are refused; foreign packets to loopback addresses are dropped
/// </remarks>
internal static class NftRuleset
{
    /// <summary>Marks connections to masquerade; the bit kube-proxy uses.</summary>
    public const string MasqueradeMark = "0x4000";

    /// <summary>Commands that make an empty table of the name, replacing an older one within the same transaction.</summary>
    public static string Create(string table, string podCidr, string serviceCidr)
    {
        var text = new StringBuilder();
        text.Append($"add table ip {table}\ndelete table ip {table}\ntable ip {table} {{\n");
        foreach (var proto in (string[])["tcp", "udp"])
        {
            text.Append($$"""
              map svc_{{proto}} { type ipv4_addr . inet_service : verdict; }
              map np_{{proto}} { type inet_service : verdict; }
              map ep_{{proto}} { typeof ip daddr . {{proto}} dport . numgen random mod 65536 : ip daddr . {{proto}} dport; }
              map npep_{{proto}} { typeof {{proto}} dport . numgen random mod 65536 : ip daddr . {{proto}} dport; }
              set none_{{proto}} { type ipv4_addr . inet_service; }
              set npnone_{{proto}} { type inet_service; }

            """);
        }

        var mark = MasqueradeMark;
        text.Append($$"""
              set hairpin { type ipv4_addr . ipv4_addr; }
              chain service {
                ip daddr . tcp dport vmap @svc_tcp
                ip daddr . udp dport vmap @svc_udp
                fib daddr type local tcp dport vmap @np_tcp
                fib daddr type local udp dport vmap @np_udp
              }
              chain prerouting {
                type nat hook prerouting priority -100; policy accept;
                ip saddr != {{podCidr}} ip daddr {{serviceCidr}} meta mark set meta mark | {{mark}}
                jump service
              }
              chain output {
                type nat hook output priority -100; policy accept;
                jump service
              }
              chain postrouting {
                type nat hook postrouting priority 100; policy accept;
                ip saddr . ip daddr @hairpin masquerade
                meta mark & {{mark}} == 0 return
                meta mark set meta mark ^ {{mark}}
                masquerade fully-random
              }
              chain refuse {
                ip daddr . tcp dport @none_tcp reject with tcp reset
                ip daddr . udp dport @none_udp reject
              }
              chain refuse_local {
                fib daddr type local tcp dport @npnone_tcp reject with tcp reset
                fib daddr type local udp dport @npnone_udp reject
              }
              chain filter_input {
                type filter hook input priority 0; policy accept;
                iif != lo ip daddr 127.0.0.0/8 ct status ! dnat drop
                jump refuse_local
              }
              chain filter_forward {
                type filter hook forward priority 0; policy accept;
                jump refuse
              }
              chain filter_output {
                type filter hook output priority 0; policy accept;
                jump refuse
                jump refuse_local
              }
            }

            """);
        return text.ToString();
    }

    /// <summary>The chains that spread connections over a number of backends; made when a service first has that many.</summary>
    public static void AppendSpreadChains(StringBuilder script, string table, string proto, int count)
    {
        script.Append($"add chain ip {table} {proto}_{count}\n");
        script.Append($"add rule ip {table} {proto}_{count} dnat ip to ip daddr . {proto} dport . numgen random mod {count} map @ep_{proto}\n");
        foreach (var masquerade in (bool[])[false, true])
        {
            var chain = NodePortChain(proto, count, masquerade);
            script.Append($"add chain ip {table} {chain}\n");
            if (masquerade)
                script.Append($"add rule ip {table} {chain} meta mark set meta mark | {MasqueradeMark}\n");
            script.Append($"add rule ip {table} {chain} dnat ip to {proto} dport . numgen random mod {count} map @npep_{proto}\n");
        }

        // External addresses under the Cluster policy: like the service chain, but masqueraded.
        script.Append($"add chain ip {table} ext_{proto}_{count}\n");
        script.Append($"add rule ip {table} ext_{proto}_{count} meta mark set meta mark | {MasqueradeMark}\n");
        script.Append($"add rule ip {table} ext_{proto}_{count} goto {proto}_{count}\n");
    }

    /// <summary>The name of the chain for node ports with so many backends.</summary>
    public static string NodePortChain(string proto, int count, bool masquerade) => $"{(masquerade ? "npm" : "np")}_{proto}_{count}";
}
