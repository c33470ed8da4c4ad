using Mesh.E2E.Tests.Harness;
using Mesh.Testing;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>The rows of [sig-cli]: each does with kubectl what the conformance suite does; every test in a namespace of its own.</summary>
[Collection("cluster")]
public sealed class KubectlRowsTests(SharedCluster shared) : IAsyncLifetime
{
    private const string Nginx = "docker.io/local/nginx:1";
    private const string Busybox = "docker.io/local/busybox:1";

    private const string Primary = """
        apiVersion: v1
        kind: ReplicationController
        metadata: {name: primary, labels: {app: store, role: primary}}
        spec:
          replicas: 1
          selector: {app: store, role: primary}
          template:
            metadata: {labels: {app: store, role: primary}}
            spec: {terminationGracePeriodSeconds: 0, containers: [{name: primary, image: docker.io/local/nginx:1, ports: [{name: server, containerPort: 80}]}]}
        """;

    private const string PrimaryService = """
        apiVersion: v1
        kind: Service
        metadata: {name: primary, labels: {app: store, role: primary}}
        spec: {ports: [{port: 6379, targetPort: server}], selector: {app: store, role: primary}}
        """;

    private readonly Cluster cluster = shared.Cluster;
    private readonly string ns = "cli-" + Guid.NewGuid().ToString("N")[..6];

    public async Task InitializeAsync()
    {
        await cluster.KubectlAsync("create namespace " + ns);
        await cluster.UntilAsync($"kubectl get sa default -n {ns} -o name", o => o.Contains("default"));
    }

    public Task DisposeAsync() => cluster.KubectlAsync($"delete namespace {ns} --wait=false");

    [Fact, Conformance("Kubectl, check version v1")]
    public async Task ApiVersions() => Assert.Contains("v1", (await Kubectl("api-versions")).Split('\n'));

    [Fact, Conformance("Kubectl, cluster info")]
    public async Task ClusterInfo()
    {
        var output = await Kubectl("cluster-info");
        Assert.Contains("Kubernetes control plane", output);
        Assert.Matches("is running at .*https://", output);
    }

    [Fact, Conformance("Kubectl, version")]
    public async Task Version()
    {
        var output = await Kubectl("version -o yaml");
        foreach (var field in (string[])["clientVersion:", "serverVersion:", "buildDate:", "compiler:", "gitCommit:", "gitVersion: v1.36", "goVersion:", "major: \"1\"", "minor: \"36", "platform:"])
            Assert.Contains(field, output);
        Assert.Matches("Client Version: .+\n(.*\n)*Server Version: v1\\.36", await Kubectl("version"));
    }

    [Fact, Conformance("Kubectl, describe pod or rc")]
    public async Task Describe()
    {
        await Kubectl("create -f -", Primary);
        await Kubectl("create -f -", PrimaryService);
        var pod = await RunningAsync("app=store", 1);

        Lines(await Kubectl("describe pod " + pod), "Name:", "Namespace:", "Node:", "Labels:", "app=store", "role=primary", "Annotations:", "Status:", "Running", "IP:",
            "Controlled By:", "ReplicationController/primary", "Image:", Nginx, "State:", "Running", "QoS Class:", "BestEffort");
        Lines(await Kubectl("describe rc primary"), "Name:", "primary", "Namespace:", "Selector:", "app=store,role=primary", "Labels:", "app=store", "Annotations:", "Replicas:",
            "1 current", "1 desired", "Pods Status:", "1 Running", "0 Waiting", "0 Succeeded", "0 Failed", "Pod Template:", "Image:", Nginx, "Events:");
        Lines(await Kubectl("describe service primary"), "Name:", "primary", "Namespace:", "Labels:", "app=store", "Annotations:", "Selector:", "app=store", "role=primary", "Type:",
            "ClusterIP", "IP:", "Port:", "<unset>", "6379/TCP", "Endpoints:", "Session Affinity:", "None");
        Lines(await Kubectl("describe node node-1"), "Name:", "node-1", "Labels:", "Annotations:", "CreationTimestamp:", "Conditions:", "Type", "Status", "LastHeartbeatTime",
            "LastTransitionTime", "Reason", "Message", "Addresses:", "Capacity:", "System Info:", "Kubelet Version:", "Non-terminated Pods:");
        Lines(await Kubectl("describe namespace " + ns), "Name:", ns, "Labels:", "Annotations:", "Status:", "Active", "No resource quota", "No LimitRange resource");
    }

    [Fact, Conformance("Kubectl, diff Deployment")]
    public async Task Diff()
    {
        const string manifest = """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: httpd}
            spec: {replicas: 0, selector: {matchLabels: {app: httpd}}, template: {metadata: {labels: {app: httpd}}, spec: {containers: [{name: httpd, image: docker.io/local/nginx:1}]}}}
            """;
        await Kubectl("create -f -", manifest);
        var diff = await Shell($"kubectl diff -n {ns} -f -", manifest.Replace(Nginx, Busybox));
        Assert.Equal(1, diff.ExitCode);
        Assert.Matches($@"(?m)^-\s+- image: {Nginx}$", diff.Output);
        Assert.Matches($@"(?m)^\+\s+- image: {Busybox}$", diff.Output);
    }

    [Fact, Conformance("Kubectl, create service, replication controller")]
    public async Task Expose()
    {
        await Kubectl("create -f -", Primary);
        await RunningAsync("app=store", 1);
        Assert.Equal("service/rm2 exposed\n", await Kubectl("expose rc primary --name=rm2 --port=1234 --target-port=80"));
        await ServesAsync("rm2", "1234");
        Assert.Equal("service/rm3 exposed\n", await Kubectl("expose service rm2 --name=rm3 --port=2345 --target-port=80"));
        await ServesAsync("rm3", "2345");

        async Task ServesAsync(string service, string port)
        {
            await cluster.UntilAsync($"kubectl get endpoints {service} -n {ns} -o jsonpath='{{.subsets[*].ports[*].port}}'", o => o == "80");
            Assert.Equal($"{port} 80", await Kubectl($"get service {service} -o jsonpath='{{.spec.ports[0].port}} {{.spec.ports[0].targetPort}}'"));
        }
    }

    [Fact, Conformance("Kubectl, label update")]
    public async Task Label()
    {
        await Kubectl($"run pause --image={Busybox} --restart=Never -- sleep 600");
        Assert.Equal("pod/pause labeled\n", await Kubectl("label pods pause testing-label=testing-label-value"));
        Assert.Matches("(?m)^pause .*testing-label-value$", await Kubectl("get pod pause -L testing-label"));
        Assert.Equal("pod/pause unlabeled\n", await Kubectl("label pods pause testing-label-"));
        Assert.DoesNotContain("testing-label-value", await Kubectl("get pod pause -L testing-label"));
    }

    [Fact, Conformance("Kubectl, patch to annotate")]
    public async Task Patch()
    {
        await Kubectl("create -f -", Primary);
        var pod = await RunningAsync("app=store", 1);
        Assert.Equal($"pod/{pod} patched\n", await Kubectl($$$$"""patch pod {{{{pod}}}} -p '{"metadata":{"annotations":{"x":"y"}}}'"""));
        Assert.Equal("y", await Kubectl($"get pods -l app=store -o jsonpath='{{.items[*].metadata.annotations.x}}'"));
    }

    [Fact, Conformance("Kubectl, replace")]
    public async Task Replace()
    {
        await Kubectl($"run web --image={Nginx} --labels=run=web");
        await RunningAsync("run=web", 1);
        var pod = await Kubectl("get pod web -o json");
        Assert.Equal("pod/web replaced\n", await Kubectl("replace -f -", pod.Replace(Nginx, Busybox)));
        Assert.Equal(Busybox, await Kubectl("get pod web -o jsonpath='{.spec.containers[0].image}'"));
    }

    [Fact, Conformance("Kubectl, run pod")]
    public async Task Run()
    {
        Assert.Equal("pod/once created\n", await Kubectl($"run once --restart=Never --pod-running-timeout=2m0s --image={Nginx}"));
        Assert.Equal($"{Nginx} Never", await Kubectl("get pod once -o jsonpath='{.spec.containers[0].image} {.spec.restartPolicy}'"));
    }

    [Fact, Conformance("Kubectl, server-side dry-run Pod"), Compatibility(13)]
    public async Task ServerSideDryRun()
    {
        await Kubectl($"run web --image={Nginx} --labels=run=web");
        await RunningAsync("run=web", 1);
        var dry = await Kubectl($$$"""patch pod web -p '{"spec":{"containers":[{"name":"web","image":"{{{Busybox}}}"}]}}' --dry-run=server -o jsonpath='{.spec.containers[0].image}'""");
        Assert.Equal(Busybox, dry);
        Assert.Equal(Nginx, await Kubectl("get pod web -o jsonpath='{.spec.containers[0].image}'"));
    }

    [Fact, Conformance("Kubectl, proxy port zero")]
    public async Task ProxyOnAnyPort()
    {
        var output = (await Shell("f=$(mktemp); kubectl proxy -p 0 --disable-filter >$f & p=$!; for i in $(seq 300); do grep -q Starting $f && break; sleep 0.1; done; "
            + "curl -s -m 20 127.0.0.1:$(sed 's/.*://' $f)/api/; kill $p; rm -f $f")).Output;
        Assert.Matches("\"versions\":\\s*\\[\\s*\"v1\"\\s*\\]", output);
    }

    [Fact, Conformance("Kubectl, proxy socket")]
    public async Task ProxyOnASocket()
    {
        var output = (await Shell("d=$(mktemp -d); kubectl proxy --unix-socket=$d/s >/dev/null & p=$!; for i in $(seq 300); do [ -S $d/s ] && break; sleep 0.1; done; "
            + "curl -s -m 20 --unix-socket $d/s http://localhost/api/; kill $p; rm -rf $d")).Output;
        Assert.Matches("\"versions\":\\s*\\[\\s*\"v1\"\\s*\\]", output);
    }

    [Fact, Conformance("Kubectl, replication controller"), Conformance("Kubectl, scale replication controller")]
    public async Task UpdateDemo()
    {
        await Kubectl("create -f -", Primary.Replace("replicas: 1", "replicas: 2"));
        await RunsAsync(2);
        Assert.Equal("replicationcontroller/primary scaled\n", await Kubectl("scale rc primary --replicas=1 --timeout=5m"));
        await RunsAsync(1);
        Assert.Equal("replicationcontroller/primary scaled\n", await Kubectl("scale rc primary --replicas=2 --timeout=5m"));
        await RunsAsync(2);
        await Shell($"kubectl delete -n {ns} --grace-period=0 --force rc primary");
        Assert.Equal("", await Kubectl("get rc,svc -l app=store --no-headers"));
        await cluster.UntilAsync(
            $$$"""kubectl get pods -n {{{ns}}} -l app=store -o go-template='{{ range .items }}{{ if not .metadata.deletionTimestamp }}{{ .metadata.name }}{{ "\n" }}{{ end }}{{ end }}'""", o => o.Length == 0);

        // What the demo asks of each pod: that its container runs, and of which image.
        async Task RunsAsync(int count)
        {
            await cluster.UntilAsync(
                $$$"""kubectl get pods -n {{{ns}}} -l app=store -o template --template='{{if (exists . "items")}}{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}:{{if (exists . "status" "containerStatuses")}}{{range .status.containerStatuses}}{{if (and (eq .name "primary") (exists . "state" "running"))}}true{{end}}{{end}}{{end}} {{end}}{{end}}{{end}}'""",
                o => o.Split(' ', StringSplitOptions.RemoveEmptyEntries) is var pods && pods.Length == count && pods.All(p => p.EndsWith(":true")));
            Assert.All((await Kubectl("get pods -l app=store -o jsonpath='{.items[*].spec.containers[*].image}'")).Split(' '), image => Assert.Equal(Nginx, image));
        }
    }

    [Fact, Conformance("Kubectl, logs")]
    public async Task Logs()
    {
        await Kubectl($"run generator --image={Busybox} --restart=Never -- sh -c 'for i in $(seq 0 99); do echo \"I0101 line $i of the log\"; done; exec sleep 600'");
        await cluster.UntilAsync($"kubectl logs generator generator -n {ns}", o => o.Contains("line 99 "));
        Assert.Equal(100, (await Kubectl("logs generator generator")).TrimEnd().Split('\n').Length);
        Assert.Equal("I0101 line 99 of the log\n", await Kubectl("logs generator generator --tail=1"));
        Assert.Equal("I", await Kubectl("logs generator generator --limit-bytes=1"));
        var stamped = (await Kubectl("logs generator generator --tail=1 --timestamps")).Split(' ');
        Assert.True(DateTimeOffset.TryParse(stamped[0], out var when), stamped[0]);
        Assert.InRange(DateTimeOffset.UtcNow - when, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(10));
        await cluster.UntilAsync($"kubectl logs generator generator -n {ns} --since=1s", o => o.Length == 0);
        Assert.Equal(100, (await Kubectl("logs generator generator --since=24h")).TrimEnd().Split('\n').Length);
    }

    private static void Lines(string output, params string[] inOrder)
    {
        var at = 0;
        foreach (var word in inOrder)
        {
            var found = output.IndexOf(word, at, StringComparison.Ordinal);
            Assert.True(found >= 0, $"no {word} after {at} in\n{output}");
            at = found;
        }
    }

    /// <summary>Waits for pods that run; the name of the first.</summary>
    private async Task<string> RunningAsync(string selector, int count)
    {
        await cluster.UntilAsync($"kubectl get pods -n {ns} -l {selector} -o jsonpath='{{.items[*].status.phase}}'", o => o == string.Join(' ', Enumerable.Repeat("Running", count)));
        return await Kubectl($"get pods -l {selector} -o jsonpath='{{.items[0].metadata.name}}'");
    }

    private async Task<string> Kubectl(string arguments, string? input = null) => (await Shell($"kubectl -n {ns} {arguments}", input)).Ok();

    private Task<ShellResult> Shell(string command, string? input = null) => cluster.ShAsync(command, TimeSpan.FromSeconds(90), input);
}
