using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Sandboxes;

/// <summary>What a resolv.conf says.</summary>
internal sealed record ResolverConfig(IReadOnlyList<string> Servers, IReadOnlyList<string> Searches, IReadOnlyList<string> Options)
{
    public static ResolverConfig Empty { get; } = new([], [], []);

    /// <summary>Reads resolv.conf's text; of several search lines the last counts.</summary>
    public static ResolverConfig Parse(string text)
    {
        var servers = new List<string>();
        var options = new List<string>();
        IReadOnlyList<string> searches = [];
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2)
                continue;
            switch (words[0])
            {
                case "nameserver":
                    servers.Add(words[1]);
                    break;
                case "search":
                    searches = [.. words.Skip(1).Where(w => w != ".")];
                    break;
                case "options":
                    options.AddRange(words.Skip(1));
                    break;
            }
        }

        return new ResolverConfig(servers, searches, options);
    }
}

/// <summary>A pod's resolver by its dnsPolicy and dnsConfig.</summary>
internal static class PodDns
{
    private const int MaxSearches = 32;
    private const int MaxServers = 3;

    public static ResolverConfig For(Pod pod, ResolverConfig host, IReadOnlyList<string> clusterDns, string clusterDomain)
    {
        var policy = pod.Spec?.DnsPolicy ?? "ClusterFirst";
        var clusterFirst = clusterDns.Count > 0 && (policy == "ClusterFirstWithHostNet" || (policy == "ClusterFirst" && !pod.HostNetwork()));
        ResolverConfig chosen;
        if (clusterFirst)
        {
            var ns = pod.Metadata.Namespace;
            string[] cluster = [$"{ns}.svc.{clusterDomain}", $"svc.{clusterDomain}", clusterDomain];
            chosen = new ResolverConfig(clusterDns, [.. cluster.Concat(host.Searches).Distinct()], ["ndots:5"]);
        }
        else
        {
            chosen = policy == "None" ? ResolverConfig.Empty : host;
        }

        if (pod.Spec?.DnsConfig is { } extra)
            chosen = Merge(chosen, extra);
        return chosen with { Servers = [.. chosen.Servers.Take(MaxServers)], Searches = [.. chosen.Searches.Take(MaxSearches)] };
    }

    private static ResolverConfig Merge(ResolverConfig chosen, PodDNSConfig extra)
    {
        var options = new List<string>(chosen.Options);
        foreach (var option in extra.Options ?? [])
        {
            var name = option.Name ?? "";
            options.RemoveAll(o => o == name || o.StartsWith(name + ":", StringComparison.Ordinal));
            options.Add(option.Value is { Length: > 0 } value ? $"{name}:{value}" : name);
        }

        return new ResolverConfig(
            [.. chosen.Servers.Concat(extra.Nameservers ?? []).Distinct()],
            [.. chosen.Searches.Concat(extra.Searches ?? []).Distinct()],
            options);
    }
}
