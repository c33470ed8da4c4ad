using Mesh.E2E.Tests.Harness;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>kubectl's commands that need running pods, and jobs.</summary>
[Collection("cluster")]
public class KubectlPodTests(SharedCluster shared)
{
    private const string Busybox = "docker.io/local/busybox:1";

    /// <summary>Runs until told to stop, and stops at once.</summary>
    private const string Obedient = "sh -c 'trap exit TERM; while :; do sleep 0.2; done'";

    private readonly Cluster cluster = shared.Cluster;

    [Fact]
    public async Task CopyDebugAttachAndRun()
    {
        await cluster.KubectlAsync($"run copied --image={Busybox} --restart=Never -- sh -c 'mkdir /data; echo hello >/data/there; trap exit TERM; while :; do sleep 0.2; done'");
        await cluster.KubectlAsync("wait --for=condition=Ready pod/copied --timeout=60s", limit: TimeSpan.FromSeconds(70));
        var folder = Directory.CreateTempSubdirectory("mesh-cp-").FullName;
        await File.WriteAllTextAsync(folder + "/one", "1");
        await cluster.KubectlAsync($"cp {folder} copied:/data/dir");
        Assert.Equal("1", await cluster.KubectlAsync("exec copied -- cat /data/dir/one"));
        await cluster.KubectlAsync($"cp copied:/data/there {folder}/back");
        Assert.Equal("hello\n", await File.ReadAllTextAsync(folder + "/back"));
        Directory.Delete(folder, recursive: true);

        // The debugging container sees the processes of the one it was put beside.
        var debug = (await cluster.ShAsync(
            $"script -qec \"kubectl debug -it copied --profile=general --image={Busybox} --target=copied -c dbg -- sh -c 'read x; ps; echo got-\\$x; sleep 0.5'\" /dev/null",
            TimeSpan.FromSeconds(40), "word\n")).Output;
        Assert.Contains("got-word", debug);
        Assert.Contains("trap exit TERM", debug);
        Assert.Equal("dbg 0", await cluster.UntilAsync(
            "kubectl get pod copied -o jsonpath='{.status.ephemeralContainerStatuses[0].name} {.status.ephemeralContainerStatuses[0].state.terminated.exitCode}'", o => o == "dbg 0"));
        Assert.Contains("Ephemeral Containers:", await cluster.KubectlAsync("describe pod copied"));
        Assert.Contains("Defaulted container \"copied\" out of: copied, dbg (ephem)", (await cluster.ShAsync("kubectl exec copied -- true")).Error);
        await cluster.KubectlAsync($"debug copied --profile=general --image={Busybox} --copy-to=copied2 --same-node -c dbg -- sleep 1");
        Assert.Equal("copied dbg", await cluster.KubectlAsync("get pod copied2 -o jsonpath='{.spec.containers[*].name}'"));

        Assert.Equal("hi-there\n", (await cluster.ShAsync($"kubectl run t2 --rm -i --quiet --image={Busybox} --restart=Never -- cat", TimeSpan.FromSeconds(60), "hi-there\n")).Ok());
        var ended = await cluster.ShAsync($"kubectl run t3 --rm -i --quiet --image={Busybox} --restart=Never -- sh -c 'sleep 1; exit 7'", TimeSpan.FromSeconds(60));
        Assert.Equal(7, ended.ExitCode);
        Assert.Contains("in-run", (await cluster.ShAsync($"script -qec \"kubectl run t1 --rm -it --image={Busybox} --restart=Never -- sh -c 'sleep 1; echo in-run'\" /dev/null", TimeSpan.FromSeconds(60))).Output);

        await cluster.KubectlAsync($"run talks --image={Busybox} -- sh -c 'trap exit TERM; i=0; while :; do i=$((i+1)); echo line$i; sleep 0.2; done'");
        await cluster.KubectlAsync("wait --for=condition=Ready pod/talks --timeout=60s", limit: TimeSpan.FromSeconds(70));
        Assert.Matches(@"line\d+\nline\d+\n", (await cluster.ShAsync("timeout 4 kubectl attach --quiet talks", TimeSpan.FromSeconds(20))).Output);
        await cluster.KubectlAsync("delete pod copied copied2 talks --grace-period=1");
    }

    [Fact]
    public async Task Jobs()
    {
        await cluster.KubectlAsync("apply -f -", """
            {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"indexed"},"spec":{"completions":3,"parallelism":2,"completionMode":"Indexed","template":{"spec":{
            "restartPolicy":"Never","containers":[{"name":"c","image":"docker.io/local/busybox:1","command":["sh","-c","echo $JOB_COMPLETION_INDEX on $HOSTNAME"]}]}}}}
            """);
        await cluster.KubectlAsync($"create job refused --image={Busybox} -- false");
        await cluster.KubectlAsync("patch job refused -p '{\"spec\":{\"activeDeadlineSeconds\":4}}'");
        Assert.Equal("job.batch/indexed condition met\n", await cluster.KubectlAsync("wait --for=condition=complete job/indexed --timeout=60s", limit: TimeSpan.FromSeconds(70)));
        Assert.Matches(@"indexed +Complete +3/3 +\S+ ", await cluster.KubectlAsync("get job indexed"));
        Assert.Equal("0-2", await cluster.KubectlAsync("get job indexed -o jsonpath={.status.completedIndexes}"));
        Assert.Equal("0 on indexed-0\n1 on indexed-1\n2 on indexed-2\n", await cluster.KubectlAsync("logs -l job-name=indexed | sort"));
        await cluster.UntilAsync("kubectl events --for job/indexed", o => o.Contains("Job completed"));

        Assert.Equal("job.batch/refused condition met\n", await cluster.KubectlAsync("wait --for=condition=failed job/refused --timeout=60s", limit: TimeSpan.FromSeconds(70)));
        Assert.Equal("DeadlineExceeded DeadlineExceeded", await cluster.KubectlAsync("get job refused -o jsonpath='{.status.conditions[*].reason}'"));
        await cluster.KubectlAsync("delete job indexed refused");
        await cluster.UntilAsync("kubectl get pods -l 'job-name in (indexed,refused)' -o name", o => o.Length == 0);
    }

    [Fact]
    public async Task DaemonSets()
    {
        await cluster.KubectlAsync("apply -f -", """
            {"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"agent"},"spec":{"selector":{"matchLabels":{"app":"agent"}},"template":{"metadata":{"labels":{"app":"agent"}},
            "spec":{"containers":[{"name":"c","image":"docker.io/local/busybox:1","command":["sh","-c","trap exit TERM; while :; do sleep 0.2; done"]}]}}}}
            """);
        try
        {
            await Rolled();
            Assert.Matches(@"agent +1 +1 +1 +1 +1 +<none>", await cluster.KubectlAsync("get ds agent"));
            await cluster.KubectlAsync("set env ds/agent A=1");
            await Rolled();
            Assert.Contains("A:\t1", await cluster.KubectlAsync("rollout history ds/agent --revision=2"));
            Assert.Equal("daemonset.apps/agent rolled back\n", await cluster.KubectlAsync("rollout undo ds/agent"));
            await Rolled();
            Assert.Equal("", await cluster.KubectlAsync("get pods -l app=agent -o jsonpath='{.items[*].spec.containers[0].env}'"));

            const string drain = "kubectl drain node-1 --pod-selector=app=agent --timeout=20s";
            Assert.Contains("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)", (await cluster.ShAsync(drain)).Fails());
            var drained = await cluster.ShAsync(drain + " --ignore-daemonsets");
            Assert.Contains("node/node-1 drained", drained.Ok());
            Assert.Contains("ignoring DaemonSet-managed Pods", drained.Error);
        }
        finally
        {
            await cluster.ShAsync("kubectl uncordon node-1; kubectl delete ds agent");
        }

        Task Rolled() => cluster.KubectlAsync("rollout status ds/agent --timeout=60s", limit: TimeSpan.FromSeconds(70));
    }

    [Fact]
    public async Task CordonTaintAndDrainRespectBudgets()
    {
        try
        {
            Assert.Equal("node/node-1 tainted\n", await cluster.KubectlAsync("taint nodes node-1 k=v:PreferNoSchedule"));
            Assert.Contains("already has k taint(s)", (await cluster.ShAsync("kubectl taint nodes node-1 k=w:PreferNoSchedule")).Fails());
            Assert.Equal("node/node-1 untainted\n", await cluster.KubectlAsync("taint nodes node-1 k-"));

            await cluster.KubectlAsync($"create deployment kept --image={Busybox} --replicas=2 -- {Obedient}");
            await cluster.KubectlAsync("create pdb kept --selector=app=kept --min-available=2");
            await cluster.KubectlAsync("rollout status deployment/kept --timeout=60s", limit: TimeSpan.FromSeconds(70));
            await cluster.UntilAsync("kubectl get pdb kept -o jsonpath='{.status.currentHealthy} {.status.desiredHealthy} {.status.disruptionsAllowed}'", o => o == "2 2 0");
            const string drain = "kubectl drain node-1 --ignore-daemonsets --delete-emptydir-data --pod-selector=app=kept --timeout=";
            var refused = await cluster.ShAsync(drain + "2s", TimeSpan.FromSeconds(40));
            Assert.Contains("Cannot evict pod as it would violate the pod's disruption budget.", refused.Fails());
            Assert.Contains("Ready,SchedulingDisabled", await cluster.KubectlAsync("get node node-1"));

            await cluster.KubectlAsync("patch pdb kept --type=merge -p '{\"spec\":{\"minAvailable\":0}}'");
            await cluster.UntilAsync("kubectl get pdb kept -o jsonpath='{.status.disruptionsAllowed}'", o => o == "2");
            var drained = (await cluster.ShAsync(drain + "60s", TimeSpan.FromSeconds(70))).Ok();
            Assert.Equal(2, drained.Split("evicted").Length - 1);
            Assert.Contains("node/node-1 drained", drained);
            Assert.Equal("node/node-1 uncordoned\n", await cluster.KubectlAsync("uncordon node-1"));
            await cluster.KubectlAsync("rollout status deployment/kept --timeout=60s", limit: TimeSpan.FromSeconds(70));
        }
        finally
        {
            await cluster.ShAsync("kubectl uncordon node-1; kubectl taint nodes node-1 k-; kubectl delete pdb,deploy kept");
        }
    }
}
