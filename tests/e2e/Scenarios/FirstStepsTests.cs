using Mesh.E2E.Tests.Harness;
using Mesh.Testing;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>Scenarios A1, B1 and B2: what a user does first.</summary>
[Collection("cluster")]
public class FirstStepsTests(SharedCluster shared)
{
    private readonly Cluster cluster = shared.Cluster;

    [Fact, Compatibility(15)]
    public async Task A1_TheClusterIsThere()
    {
        var output = await cluster.KubectlAsync("get nodes,cs,pods -A");
        Assert.Matches(@"node/node-1\s+Ready", output);
        foreach (var component in (string[])["etcd-0", "scheduler", "controller-manager"])
            Assert.Matches($@"componentstatus/{component}\s+Healthy", output);
        Assert.Matches(@"node-1\s+Ready\s+\S+\s+\S+\s+v1\.36", await cluster.KubectlAsync("get nodes"));
        foreach (var component in (string[])["etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager", "kube-proxy", "coredns"])
            await cluster.UntilAsync($"kubectl get pod -n kube-system {component}-node-1 --no-headers", o => o.Contains("1/1") && o.Contains("Running"));
        Assert.Contains("kubernetes", await cluster.KubectlAsync("get svc"));
        Assert.Contains("kube-root-ca.crt", await cluster.UntilAsync("kubectl get cm -A", o => o.Contains("kube-root-ca.crt")));
        Assert.Contains("kube-dns", await cluster.UntilAsync("kubectl get svc -n kube-system", o => o.Contains("kube-dns")));
    }

    [Fact]
    public async Task AComponentsPodComesBackWhenItIsDeleted()
    {
        var before = await cluster.UntilAsync("kubectl get pod -n kube-system coredns-node-1 -o jsonpath={.metadata.uid}", o => o.Length > 0);
        await cluster.KubectlAsync("delete pod -n kube-system coredns-node-1");
        await cluster.UntilAsync("kubectl get pod -n kube-system coredns-node-1 -o jsonpath='{.metadata.uid} {.status.phase}'", o => o.EndsWith("Running") && !o.StartsWith(before));
    }

    [Fact]
    public async Task UpAgainDoesNothing()
    {
        var pid = await File.ReadAllTextAsync(cluster.DataDir + "/run/standalone.pid");
        await cluster.UpAsync();
        Assert.Equal(pid, await File.ReadAllTextAsync(cluster.DataDir + "/run/standalone.pid"));
    }

    [Fact]
    public async Task B1_NginxBehindANodePort()
    {
        await cluster.KubectlAsync("create deployment nginx --image=docker.io/local/nginx:1");
        await cluster.KubectlAsync("expose deployment nginx --port=80 --type=NodePort");
        await cluster.KubectlAsync("rollout status deployment/nginx --timeout=60s", limit: TimeSpan.FromSeconds(70));
        var pods = await cluster.KubectlAsync("get pod,svc -o wide");
        Assert.Matches(@"pod/nginx-\S+\s+1/1\s+Running\s+0\s+\S+\s+10\.244\.\d+\.\d+\s+node-1", pods);
        Assert.Matches(@"service/nginx\s+NodePort\s+10\.96\.\d+\.\d+\s+<none>\s+80:3\d{4}/TCP\s+\S+\s+app=nginx", pods);
        var port = await cluster.KubectlAsync("get svc nginx -o jsonpath={.spec.ports[0].nodePort}");
        await cluster.UntilAsync($"curl -s -m 3 {Cluster.NodeIp}:{port.Trim()}", o => o.Contains("Welcome to nginx!"), TimeSpan.FromSeconds(10));
        var ip = await cluster.KubectlAsync("get svc nginx -o jsonpath={.spec.clusterIP}");
        Assert.Contains("Welcome to nginx!", (await cluster.ShAsync($"curl -s -m 3 {ip.Trim()}")).Ok());
        await cluster.KubectlAsync("delete deployment,svc nginx");
        await cluster.UntilAsync("kubectl get pods -l app=nginx -o name", o => o.Trim().Length == 0);
    }

    [Fact, Conformance("Kubectl, guestbook application")]
    public async Task B2_Guestbook()
    {
        await Guestbook.DeployAsync(cluster);
        await Guestbook.PostAsync(cluster, "hello");
        Assert.Equal(3, (await Guestbook.ServersAsync(cluster, 40)).Count);
        await Guestbook.DeleteAsync(cluster);
    }
}
