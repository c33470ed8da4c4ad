using Mesh.E2E.Tests.Harness;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>Scenario A9, and the end of a cluster's life; each test has a cluster of its own.</summary>
public class SurvivalTests
{
    [Fact]
    public async Task KilledTenTimesUnderWritesNothingAcknowledgedIsLost()
    {
        await using var cluster = await Cluster.StartAsync();
        await Guestbook.DeployAsync(cluster);
        await Guestbook.PostAsync(cluster, "before");
        var containers = await RedisContainerAsync(cluster);
        var acknowledged = new List<string>();
        for (var round = 0; round < 10; round++)
        {
            // Writes go on while the process dies: to the guestbook (through the kernel) and to the API.
            var writes = cluster.ShAsync(
                $"for i in $(seq 15); do curl -s -m 2 -d entry=r{round}e$i {Cluster.NodeIp}:30001 | grep '^stored'; "
                + $"kubectl create cm r{round}-$i --request-timeout=2s 2>/dev/null | sed -n 's/configmap.\\(.*\\) created/cm \\1/p'; done",
                TimeSpan.FromSeconds(90));
            await Task.Delay(700);
            (await cluster.ShAsync("kill -9 $(cat $MESH_DATA_DIR/run/standalone.pid)")).Ok();
            acknowledged.AddRange((await writes).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            await cluster.UntilAsync("kubectl get --raw /readyz", o => o == "ok", TimeSpan.FromSeconds(30));
        }

        Assert.NotEmpty(acknowledged);
        var entries = (await cluster.UntilAsync($"curl -s -m 5 {Cluster.NodeIp}:30001", o => o.Contains("before"))).Split('\n').ToHashSet();
        var maps = (await cluster.KubectlAsync("get cm -o jsonpath='{range .items[*]}{.metadata.name} {end}'")).Split(' ').ToHashSet();
        foreach (var line in acknowledged)
        {
            if (line.StartsWith("stored ", StringComparison.Ordinal))
                Assert.Contains(line["stored ".Length..], entries);
            else
                Assert.Contains(line["cm ".Length..], maps);
        }

        Assert.Equal(containers, await RedisContainerAsync(cluster));
        Assert.Equal("0", (await cluster.KubectlAsync("get pod -l role=master -o jsonpath='{.items[0].status.containerStatuses[0].restartCount}'")).Trim());
    }

    [Fact]
    public async Task OneProcessAServicePassesTheGuestbookAndSurvivesEachServicesDeath()
    {
        await using var cluster = await Cluster.StartAsync("--mode services");
        await Guestbook.DeployAsync(cluster);
        await Guestbook.PostAsync(cluster, "separate");
        foreach (var service in (string[])["store", "gateway", "scheduler", "controllers", "node-agent", "service-proxy", "dns"])
        {
            var before = (await cluster.ShAsync($"cat $MESH_DATA_DIR/run/{service}.pid")).Ok().Trim();
            (await cluster.ShAsync($"kill -9 {before}")).Ok();
            await cluster.UntilAsync($"cat $MESH_DATA_DIR/run/{service}.pid", o => o.Trim() != before && o.Trim().Length > 0, TimeSpan.FromSeconds(20));
            await Guestbook.PostAsync(cluster, "after-" + service);
            await cluster.UntilAsync("kubectl get --raw /readyz", o => o == "ok", TimeSpan.FromSeconds(30));
        }

        // Everything still works together: a new pod is created, scheduled, run and reached.
        await cluster.KubectlAsync("scale rc frontend --replicas=4");
        await cluster.UntilAsync("kubectl get rc frontend -o jsonpath={.status.readyReplicas}", o => o.Trim() == "4");
    }

    [Fact]
    public async Task DownLeavesNothingBehindAndUpResumes()
    {
        var cluster = await Cluster.StartAsync();
        try
        {
            await cluster.KubectlAsync("create deployment web --image=docker.io/local/nginx:1");
            await cluster.KubectlAsync("rollout status deployment/web --timeout=60s", limit: TimeSpan.FromSeconds(70));
            var uid = await cluster.KubectlAsync("get pods -l app=web -o jsonpath={.items[0].metadata.uid}");
            var cgroups = $"find /sys/fs/cgroup -name '*{uid}*' -o -name '*{uid.Replace('-', '_')}*'";
            Assert.NotEqual("", (await Shell.RunAsync(cgroups)).Output);
            (await cluster.ShAsync("./mesh down", TimeSpan.FromMinutes(2))).Ok();
            Assert.Equal("", (await Shell.RunAsync($"pgrep -af '{cluster.DataDir}' | grep -v pgrep; true")).Output);
            Assert.Equal("", (await Shell.RunAsync($"grep '{cluster.DataDir}' /proc/mounts; true")).Output);
            Assert.Equal("", (await Shell.RunAsync(cgroups)).Output);
            Assert.Equal("", (await cluster.ShAsync("nft list ruleset; ip -o link | grep -E 'cni|veth' | grep -vE 'node0|switch0'; true")).Output.Trim());
            await cluster.UpAsync();
            await cluster.KubectlAsync("rollout status deployment/web --timeout=60s", limit: TimeSpan.FromSeconds(70));
            Assert.Matches(@"web\s+1/1", await cluster.UntilAsync("kubectl get deployment web", o => o.Contains("1/1")));
        }
        finally
        {
            await cluster.DisposeAsync();
        }

        Assert.False(Directory.Exists(cluster.DataDir));
    }

    [Fact]
    public async Task HollowNeedsNoContainers()
    {
        await using var cluster = await Cluster.StartAsync("--runtime hollow", images: false);
        await cluster.KubectlAsync("create deployment many --image=anything --replicas=20");
        await cluster.KubectlAsync("rollout status deployment/many --timeout=60s", limit: TimeSpan.FromSeconds(70));
        Assert.Equal("", (await Shell.RunAsync($"pgrep -af 'containerd.*{cluster.DataDir}' | grep -v pgrep; true")).Output);
    }

    private static Task<string> RedisContainerAsync(Cluster cluster) =>
        cluster.KubectlAsync("get pod -l role=master -o jsonpath='{.items[0].status.containerStatuses[0].containerID}'");
}
