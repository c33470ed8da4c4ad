using Mesh.E2E.Tests.Harness;
using Mesh.Testing;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>The kubectl commands of the walking skeleton, each printing what it prints with Kubernetes.</summary>
[Collection("cluster")]
public class KubectlTests(SharedCluster shared)
{
    private const string Busybox = "docker.io/local/busybox:1";
    private readonly Cluster cluster = shared.Cluster;

    [Fact]
    public async Task DiscoveryCommands()
    {
        var resources = await cluster.KubectlAsync("api-resources");
        Assert.Matches(@"(?m)^pods\s+po\s+v1\s+true\s+Pod\s*$", resources);
        Assert.Matches(@"(?m)^deployments\s+deploy\s+apps/v1\s+true\s+Deployment\s*$", resources);
        Assert.Contains("apps/v1", await cluster.KubectlAsync("api-versions"));
        Assert.Contains("Server Version: v1.36", await cluster.KubectlAsync("version"));
        Assert.Contains("Kubernetes control plane", await cluster.KubectlAsync("cluster-info"));
        var explain = await cluster.KubectlAsync("explain deployment.spec.strategy");
        Assert.Contains("FIELD: strategy <DeploymentStrategy>", explain);
        Assert.Contains("rollingUpdate", explain);
        Assert.Contains("ok", await cluster.KubectlAsync("get --raw /readyz"));
    }

    [Fact, Compatibility(8)]
    public async Task PodLifeLogsAndExec()
    {
        await cluster.KubectlAsync($"run talker --image={Busybox} --restart=Never -- sh -c 'for i in 1 2 3; do echo line $i; done; sleep 3600'");
        await cluster.KubectlAsync("wait --for=condition=Ready pod/talker --timeout=60s", limit: TimeSpan.FromSeconds(70));
        Assert.Equal("line 1\nline 2\nline 3\n", await cluster.UntilAsync("kubectl logs talker", o => o.Contains("line 3")));
        Assert.Equal("line 3\n", await cluster.KubectlAsync("logs talker --tail=1"));
        Assert.Contains("line 1", (await cluster.ShAsync("timeout 3 kubectl logs -f talker", TimeSpan.FromSeconds(10))).Output);
        Assert.Equal("hello\n", await cluster.KubectlAsync("exec talker -- echo hello"));
        Assert.Equal("from stdin\n", await cluster.KubectlAsync("exec -i talker -- cat", input: "from stdin\n"));
        var failed = await cluster.ShAsync("kubectl exec talker -- sh -c 'exit 7'");
        Assert.Equal(7, failed.ExitCode);
        // A terminal needs a terminal: script makes one.
        Assert.Contains("/dev/pts/0", (await cluster.ShAsync("script -qec 'kubectl exec -it talker -- tty' /dev/null", TimeSpan.FromSeconds(20))).Output);
        var described = await cluster.KubectlAsync("describe pod talker");
        Assert.Contains("Successfully assigned default/talker to node-1", described);
        Assert.Contains("Started", described);
        Assert.Contains("deleted", await cluster.KubectlAsync("delete pod talker --grace-period=1"));
        Assert.Contains("NotFound", (await cluster.ShAsync("kubectl get pod talker")).Fails());
    }

    [Fact, Compatibility(8)]
    public async Task PortForwardAndAttach()
    {
        await cluster.KubectlAsync("run web --image=docker.io/local/nginx:1");
        await cluster.KubectlAsync("wait --for=condition=Ready pod/web --timeout=60s", limit: TimeSpan.FromSeconds(70));
        var output = (await cluster.ShAsync(
            "kubectl port-forward pod/web 18080:80 >/dev/null & p=$!; for i in $(seq 50); do curl -s -m 2 127.0.0.1:18080 && break; sleep 0.2; done; kill $p", TimeSpan.FromSeconds(30))).Output;
        Assert.Contains("Welcome to nginx!", output);
        Assert.Contains("typed", await cluster.KubectlAsync($"run once --rm -i --quiet --image={Busybox} --restart=Never -- cat", input: "typed\n"));
        await cluster.KubectlAsync("delete pod web --grace-period=1");
    }

    [Fact]
    public async Task LabelAnnotatePatchEditScale()
    {
        await cluster.KubectlAsync($"create deployment work --image={Busybox} --replicas=2 -- sleep 3600");
        await cluster.KubectlAsync("rollout status deployment/work --timeout=60s", limit: TimeSpan.FromSeconds(70));
        Assert.Contains("deployment.apps/work labeled", await cluster.KubectlAsync("label deployment work tier=back"));
        Assert.Contains("deployment.apps/work annotated", await cluster.KubectlAsync("annotate deployment work note=here"));
        Assert.Contains("already has a value", (await cluster.ShAsync("kubectl label deployment work tier=front")).Fails());
        Assert.Contains("patched", await cluster.KubectlAsync("""patch deployment work --type=merge -p '{"spec":{"replicas":3}}'"""));
        Assert.Contains("patched", await cluster.KubectlAsync("""patch deployment work -p '{"spec":{"template":{"spec":{"containers":[{"name":"busybox","env":[{"name":"A","value":"1"}]}]}}}}'"""));
        await cluster.KubectlAsync("rollout status deployment/work --timeout=90s", limit: TimeSpan.FromSeconds(100));
        Assert.Equal(Busybox, await Jsonpath("deployment work", "{.spec.template.spec.containers[0].image}"));
        Assert.Contains("edited", (await cluster.ShAsync("KUBE_EDITOR='sed -i s/note:.here/note:\\ there/' kubectl edit deployment work")).Ok());
        Assert.Equal("there", await Jsonpath("deployment work", "{.metadata.annotations.note}"));
        Assert.Contains("scaled", await cluster.KubectlAsync("scale deployment work --replicas=1"));
        await cluster.UntilAsync("kubectl get pods -l app=work --no-headers", o => o.Trim().Split('\n').Length == 1);
        Assert.Matches(@"(?m)^2\s", await cluster.KubectlAsync("rollout history deployment work"));
        Assert.Contains("rolled back", await cluster.KubectlAsync("rollout undo deployment work"));
        await cluster.KubectlAsync("rollout status deployment/work --timeout=90s", limit: TimeSpan.FromSeconds(100));
        Assert.Equal("", await Jsonpath("deployment work", "{.spec.template.spec.containers[0].env}"));
        await cluster.KubectlAsync("delete deployment work");
        await cluster.UntilAsync("kubectl get rs,pods -l app=work -o name", o => o.Trim().Length == 0);
    }

    [Fact]
    public async Task ApplyCreateWatchAndDelete()
    {
        const string manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  a: '1'\n";
        Assert.Contains("configmap/settings created", await cluster.KubectlAsync("apply -f -", manifest));
        Assert.Contains("configmap/settings unchanged", await cluster.KubectlAsync("apply -f -", manifest));
        Assert.Contains("configmap/settings configured", await cluster.KubectlAsync("apply -f -", manifest.Replace("'1'", "'2'")));
        var watched = await cluster.ShAsync(
            "timeout 6 kubectl get cm settings -w -o jsonpath='{.data.a}{\"\\n\"}' & sleep 2; kubectl patch cm settings -p '{\"data\":{\"a\":\"3\"}}' >/dev/null; wait", TimeSpan.FromSeconds(15));
        Assert.Equal("2\n3\n", watched.Output);
        Assert.Contains("already exists", (await cluster.ShAsync("kubectl create cm settings")).Fails());
        Assert.Contains("created (dry run)", await cluster.KubectlAsync("create cm other --from-literal=x=y --dry-run=client"));
        Assert.Contains("created (server dry run)", await cluster.KubectlAsync("create cm other --from-literal=x=y --dry-run=server"));
        Assert.Contains("NotFound", (await cluster.ShAsync("kubectl get cm other")).Fails());
        Assert.Contains("configmap \"settings\" deleted", await cluster.KubectlAsync("delete cm settings"));
    }

    [Fact]
    public async Task NamespaceDeletionTakesEverything()
    {
        await cluster.KubectlAsync("create namespace brief");
        await cluster.UntilAsync("kubectl get sa default -n brief -o name", o => o.Contains("default"));
        await cluster.KubectlAsync($"create deployment d -n brief --image={Busybox} -- sleep 3600");
        await cluster.KubectlAsync("create secret generic s -n brief --from-literal=k=v");
        Assert.Contains("deleted", await cluster.KubectlAsync("delete namespace brief", limit: TimeSpan.FromMinutes(2)));
        Assert.Contains("NotFound", (await cluster.ShAsync("kubectl get namespace brief")).Fails());
        Assert.Equal("", (await cluster.KubectlAsync("get pods,secrets,deployments -n brief -o name")).Trim());
    }

    [Theory]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata:\n  name: bad\nspec:\n  containers:\n  - name: c\n    image: x\n    bogus: 1\n", "unknown field \"spec.containers[0].bogus\"")]
    [InlineData("apiVersion: v1\nkind: Pod\nmetadata:\n  name: bad\nspec:\n  containers:\n  - name: c\n", "spec.containers[0].image: Required value")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "name or generateName is required")]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: Bad_Name\nspec:\n  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}\n", "Invalid value: \"Bad_Name\"")]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  replicas: many\n  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}\n", "replicas")]
    [InlineData("apiVersion: v9\nkind: Nothing\nmetadata: {name: x}\n", "no matches for kind")]
    public async Task WrongManifestsAreRefusedWithKubernetesWords(string manifest, string expected)
    {
        var error = (await cluster.ShAsync("kubectl create -f -", input: manifest)).Fails();
        Assert.Contains(expected, error);
        Assert.DoesNotContain("InternalError", error);
        Assert.DoesNotContain("   at ", error);
        Assert.Equal("", (await cluster.KubectlAsync("get pods,deployments -l never=set -o name")).Trim());
    }

    [Fact]
    public async Task HelmInstallsASmallChart()
    {
        (await cluster.ShAsync("rm -rf /tmp/mesh-chart && mkdir /tmp/mesh-chart && cd /tmp/mesh-chart && helm create small >/dev/null && helm install trial small "
            + "--set image.repository=docker.io/local/nginx,image.tag=1,replicaCount=2 --wait --timeout 90s", TimeSpan.FromMinutes(2))).Ok();
        Assert.Matches(@"trial\s+default\s+1\s+.*deployed", (await cluster.ShAsync("helm list")).Ok());
        Assert.Equal("2", await Jsonpath("deployment trial-small", "{.status.readyReplicas}"));
        (await cluster.ShAsync("helm uninstall trial --wait", TimeSpan.FromMinutes(2))).Ok();
        await cluster.UntilAsync("kubectl get deployments,svc -l app.kubernetes.io/instance=trial -o name", o => o.Trim().Length == 0);
    }

    private async Task<string> Jsonpath(string what, string path) => await cluster.KubectlAsync($"get {what} -o jsonpath='{path}'");
}
