using System.Text;
using Mesh.ServiceProxy.Model;

namespace Mesh.ServiceProxy.Nftables;

/// <summary>
/// Turns changed service ports into one nft transaction. Remembers what several ports share: spread chains that exist and how many ports
/// need a hairpin element. Nothing is remembered until <see cref="Commit"/>, so a refused transaction leaves it true.
/// </summary>
internal sealed class NftScript(string table)
{
    private readonly HashSet<(string Proto, int Count)> chains = [];
    private readonly Dictionary<string, int> hairpins = [];
    private readonly HashSet<(string Proto, int Count)> newChains = [];
    private Dictionary<string, int> hairpinDelta = [];

    /// <summary>Forgets everything: the table was made anew.</summary>
    public void Clear()
    {
        chains.Clear();
        hairpins.Clear();
        newChains.Clear();
        hairpinDelta = [];
    }

    /// <summary>The commands for the changes, in an order the kernel accepts within one transaction.</summary>
    public string Compile(IEnumerable<VirtualPortChange> changes)
    {
        newChains.Clear();
        hairpinDelta = [];
        StringBuilder make = new(), remove = new(), clean = new();
        SortedDictionary<string, List<string>> deletes = [], adds = [];
        foreach (var (oldPort, newPort) in changes)
        {
            var before = oldPort is null ? new NftElements() : NftElements.Of(oldPort);
            var after = newPort is null ? new NftElements() : NftElements.Of(newPort);
            var proto = (newPort ?? oldPort)!.Transport == Transport.Udp ? "udp" : "tcp";

            foreach (var count in after.Counts)
            {
                if (!chains.Contains((proto, count)) && newChains.Add((proto, count)))
                    NftRuleset.AppendSpreadChains(make, table, proto, count);
            }

            foreach (var group in after.Sticky)
                group.AppendPut(make, table);
            foreach (var group in before.Sticky)
                group.AppendDelete(clean, table, after.Sticky.Find(g => g.Chain == group.Chain));

            foreach (var (element, data) in before.Elements)
            {
                if (!after.Elements.TryGetValue(element, out var kept) || kept != data)
                    Add(deletes, element.Set, element.Key);
            }

            foreach (var (element, data) in after.Elements)
            {
                if (!before.Elements.TryGetValue(element, out var had) || had != data)
                    Add(adds, element.Set, data is null ? element.Key : $"{element.Key} : {data}");
            }

            foreach (var pair in before.Hairpins)
                hairpinDelta[pair] = hairpinDelta.GetValueOrDefault(pair) - 1;
            foreach (var pair in after.Hairpins)
                hairpinDelta[pair] = hairpinDelta.GetValueOrDefault(pair) + 1;
        }

        foreach (var (pair, delta) in hairpinDelta)
        {
            var had = hairpins.GetValueOrDefault(pair);
            if (had == 0 && delta > 0)
                Add(adds, "hairpin", pair);
            else if (had > 0 && had + delta == 0)
                Add(deletes, "hairpin", pair);
        }

        Append(remove, "delete", deletes);
        Append(remove, "add", adds);
        return make.Append(remove).Append(clean).ToString();
    }

    /// <summary>The transaction was accepted.</summary>
    public void Commit()
    {
        chains.UnionWith(newChains);
        foreach (var (pair, delta) in hairpinDelta)
        {
            var now = hairpins.GetValueOrDefault(pair) + delta;
            if (now > 0)
                hairpins[pair] = now;
            else
                hairpins.Remove(pair);
        }
    }

    private static void Add(SortedDictionary<string, List<string>> bySet, string set, string element)
    {
        if (!bySet.TryGetValue(set, out var list))
            bySet[set] = list = [];
        list.Add(element);
    }

    private void Append(StringBuilder script, string verb, SortedDictionary<string, List<string>> bySet)
    {
        foreach (var (set, elements) in bySet)
        {
            // Several thousand elements in one command: the parser is faster on fewer, longer commands.
            foreach (var chunk in elements.Chunk(4096))
                script.Append($"{verb} element ip {table} {set} {{ ").AppendJoin(", ", chunk).Append(" }\n");
        }
    }
}
