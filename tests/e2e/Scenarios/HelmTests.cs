using Mesh.E2E.Tests.Harness;
using Mesh.Testing;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>A release's whole life with helm: hooks, tests, upgrade, rollback, failure, end.</summary>
[Collection("cluster")]
public sealed class HelmTests(SharedCluster shared) : IDisposable
{
    private const string Hooks = """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: "{{ .Release.Name }}-pre", annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}}
        spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: c, image: "docker.io/local/busybox:1", command: ["true"]}]}}}
        ---
        apiVersion: batch/v1
        kind: Job
        metadata: {name: "{{ .Release.Name }}-post", annotations: {helm.sh/hook: post-install}}
        spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: c, image: "docker.io/local/busybox:1", command: [echo, after]}]}}}
        """;

    private readonly Cluster cluster = shared.Cluster;
    private readonly string folder = Directory.CreateTempSubdirectory("mesh-helm-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact, Compatibility(11)]
    public async Task InstallTestUpgradeRollbackUninstall()
    {
        await Helm("create small");
        Assert.Contains("1 chart(s) linted, 0 chart(s) failed", await Helm("lint small"));
        Assert.Contains("name: life-small", await Helm("template life small"));
        await File.WriteAllTextAsync(folder + "/small/templates/hooks.yaml", Hooks);
        var test = folder + "/small/templates/tests/test-connection.yaml";
        await File.WriteAllTextAsync(test, (await File.ReadAllTextAsync(test)).Replace("image: busybox", "image: docker.io/local/busybox:1"));
        const string values = "--set image.repository=docker.io/local/nginx,image.tag=1,readinessProbe.periodSeconds=1";

        Assert.Contains("STATUS: pending-install", await Helm($"install life small {values} --dry-run=server"));
        Assert.Contains("STATUS: deployed", await Helm($"install life small {values} --wait --timeout 90s"));
        Assert.Equal("job.batch/life-post\n", await cluster.KubectlAsync("get jobs -o name")); // the other hook went when it had succeeded
        Assert.Equal("after\n", await cluster.KubectlAsync("logs job/life-post"));
        Assert.Matches(@"(?s)TEST SUITE: +life-small-test-connection.*Phase: +Succeeded", await Helm("test life --timeout 60s"));

        await Helm("upgrade life small --reuse-values --set replicaCount=2 --wait --timeout 90s");
        Assert.Contains("replicaCount: 2", await Helm("get values life"));
        Assert.Contains("replicas: 2", await Helm("get manifest life"));
        Assert.Contains("has no deployed releases", (await Sh("helm upgrade none small")).Fails());
        Assert.Contains("cannot reuse a name that is still in use", (await Sh("helm install life small")).Fails());
        Assert.Contains("Rollback was a success", await Helm("rollback life 1 --wait --timeout 90s"));
        var history = await Helm("history life");
        Assert.Matches(@"(?m)^1 .*superseded.*Install complete\s*$", history);
        Assert.Matches(@"(?m)^2 .*superseded.*Upgrade complete\s*$", history);
        Assert.Matches(@"(?m)^3 .*deployed.*Rollback to 1\s*$", history);
        Assert.Equal("1", await cluster.KubectlAsync("get deploy life-small -o jsonpath={.spec.replicas}"));
        Assert.Contains("==> v1/Deployment", await Helm("status life"));

        await Sh("helm upgrade life small --reuse-values --set image.tag=none --wait --timeout 3s --rollback-on-failure");
        Assert.Matches(@"(?m)^5 .*deployed.*Rollback to 3\s*$", await Helm("history life"));
        Assert.Contains("release \"life\" uninstalled", await Helm("uninstall life --wait --timeout 60s"));
        Assert.Equal("", await cluster.KubectlAsync("get secret -l owner=helm,name=life -o name"));
        await cluster.KubectlAsync("delete job life-post");
        await cluster.KubectlAsync("delete pod life-small-test-connection");
        await cluster.UntilAsync("kubectl get deploy,rs,svc,sa,pods -l app.kubernetes.io/instance=life -o name", o => o.Trim().Length == 0);
    }

    private async Task<string> Helm(string arguments) => (await Sh("helm " + arguments)).Ok();

    private Task<ShellResult> Sh(string command) => cluster.ShAsync($"cd {folder}; {command}", TimeSpan.FromMinutes(2));
}
