using System.Text.RegularExpressions;
using Mesh.E2E.Tests.Harness;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>Scenario B2, step by step; used on every kind of cluster.</summary>
internal static class Guestbook
{
    public static async Task DeployAsync(Cluster cluster)
    {
        await cluster.KubectlAsync("apply -f deploy/examples/guestbook/");
        await cluster.UntilAsync(
            "kubectl get rc -o jsonpath='{range .items[*]}{.metadata.name}={.status.readyReplicas} {end}'",
            o => o.Contains("redis-master=1") && o.Contains("redis-slave=2") && o.Contains("frontend=3"),
            TimeSpan.FromSeconds(90));
    }

    /// <summary>Posts an entry and reads it back from a replica, both through the node port.</summary>
    public static async Task PostAsync(Cluster cluster, string entry)
    {
        await cluster.UntilAsync($"curl -s -m 5 -d entry={entry} {Cluster.NodeIp}:30001", o => o.Contains($"stored {entry}"));
        await cluster.UntilAsync($"curl -s -m 5 {Cluster.NodeIp}:30001", o => o.Split('\n').Contains(entry));
    }

    /// <summary>The front ends that answered a number of requests.</summary>
    public static async Task<HashSet<string>> ServersAsync(Cluster cluster, int requests)
    {
        var output = (await cluster.ShAsync($"for i in $(seq {requests}); do curl -s -m 5 -o /dev/null -D - {Cluster.NodeIp}:30001; done", TimeSpan.FromMinutes(2))).Ok();
        return [.. Regex.Matches(output, @"X-Served-By: (\S+)").Select(m => m.Groups[1].Value)];
    }

    public static Task DeleteAsync(Cluster cluster) => cluster.KubectlAsync("delete -f deploy/examples/guestbook/ --wait=true", limit: TimeSpan.FromMinutes(2));
}
