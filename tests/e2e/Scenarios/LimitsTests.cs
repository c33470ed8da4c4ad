using Mesh.E2E.Tests.Harness;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>D6: quotas and limit ranges count, fill in and refuse with Kubernetes' words; a namespace takes all it holds with it.</summary>
[Collection("cluster")]
public sealed class LimitsTests(SharedCluster shared)
{
    private const string Limits = """
        apiVersion: v1
        kind: LimitRange
        metadata: {name: limits}
        spec: {limits: [{type: Container, default: {cpu: 200m}, defaultRequest: {cpu: 100m}, max: {cpu: 500m}}]}
        ---
        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: quota}
        spec: {hard: {pods: "2", requests.cpu: 300m, count/deployments.apps: "1"}}
        """;

    private const string Pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: NAME}
        spec: {terminationGracePeriodSeconds: 0, containers: [{name: a, image: docker.io/local/nginx:1, resources: {limits: CPU}}]}
        """;

    private readonly Cluster cluster = shared.Cluster;

    [Fact]
    public async Task D6_QuotasAndLimitsOfANamespaceThatGoes()
    {
        await cluster.KubectlAsync("create namespace d6");
        await cluster.UntilAsync("kubectl get sa default -n d6 -o name", o => o.Contains("default"));
        await cluster.KubectlAsync("apply -n d6 -f -", Limits);
        await UsedAsync("pods", "0");

        // What the limit range fills in is what the quota counts.
        Assert.Equal("pod/one created\n", await cluster.KubectlAsync("create -n d6 -f -", Named("one", "{}")));
        Assert.Equal("""{"limits":{"cpu":"200m"},"requests":{"cpu":"100m"}}""", await cluster.KubectlAsync("get pod one -n d6 -o jsonpath={.spec.containers[0].resources}"));
        Assert.Equal("1 100m", await cluster.KubectlAsync("get quota quota -n d6 -o jsonpath='{.status.used.pods} {.status.used.requests\\.cpu}'"));

        Assert.Contains("pods \"big\" is forbidden: maximum cpu usage per Container is 500m, but limit is 1", await RefusedAsync(Named("big", "{cpu: 1}")));
        Assert.Contains(
            "pods \"wide\" is forbidden: exceeded quota: quota, requested: requests.cpu=400m, used: requests.cpu=100m, limited: requests.cpu=300m",
            await RefusedAsync(Named("wide", "{cpu: 400m}").Replace("limits: {cpu: 400m}", "limits: {cpu: 400m}, requests: {cpu: 400m}", StringComparison.Ordinal)));

        // Controllers are refused as anyone; what goes makes room.
        await cluster.KubectlAsync("create deployment web -n d6 --image=docker.io/local/nginx:1 --replicas=2");
        await cluster.UntilAsync(
            "kubectl get rs -n d6 -o jsonpath='{.items[0].status.conditions[?(@.type==\"ReplicaFailure\")].message}'",
            o => o.Contains("is forbidden: exceeded quota: quota, requested: pods=1, used: pods=2, limited: pods=2"));
        Assert.Contains("exceeded quota: quota, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1",
            (await cluster.ShAsync("kubectl create deployment other -n d6 --image=x")).Fails());
        await cluster.KubectlAsync("delete pod one -n d6 --now");
        await cluster.UntilAsync("kubectl get deployment web -n d6 -o jsonpath={.status.readyReplicas}", o => o == "2", TimeSpan.FromMinutes(2));
        Assert.Equal("2", await cluster.KubectlAsync("get quota quota -n d6 -o jsonpath={.status.used.pods}"));

        await cluster.KubectlAsync("delete namespace d6 --timeout=90s");
        Assert.Equal("", await cluster.KubectlAsync("get pods,deployments,resourcequotas,limitranges -n d6 -o name"));
    }

    private static string Named(string name, string cpu) => Pod.Replace("NAME", name, StringComparison.Ordinal).Replace("CPU", cpu, StringComparison.Ordinal);

    private async Task<string> RefusedAsync(string manifest) => (await cluster.ShAsync("kubectl create -n d6 -f -", null, manifest)).Fails();

    private Task UsedAsync(string what, string count) => cluster.UntilAsync($"kubectl get quota quota -n d6 -o jsonpath={{.status.used.{what}}}", o => o == count);
}
