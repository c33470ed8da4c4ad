using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.E2E.Tests.Harness;
using Mesh.Testing;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>kubectl's commands on objects, each printing what it prints with Kubernetes; every test in a namespace of its own.</summary>
[Collection("cluster")]
public sealed class KubectlCommandsTests(SharedCluster shared) : IAsyncLifetime
{
    private const string Nginx = "docker.io/local/nginx:1";
    private const string Pra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pra, labels: {set: pr}}\ndata: {k: v}\n";
    private const string Prb = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: prb, labels: {set: pr}}\n";
    private readonly Cluster cluster = shared.Cluster;
    private readonly string ns = "kc-" + Guid.NewGuid().ToString("N")[..6];

    public async Task InitializeAsync()
    {
        await cluster.KubectlAsync("create namespace " + ns);
        await cluster.UntilAsync($"kubectl get sa default -n {ns} -o name", o => o.Contains("default"));
    }

    public Task DisposeAsync() => cluster.KubectlAsync($"delete namespace {ns} --wait=false");

    [Fact]
    public async Task CreateGenerators()
    {
        foreach (var (what, said) in new[]
        {
            ("job hello --image=busybox -- echo hi", "job.batch/hello created"),
            ("cronjob tick --image=busybox --schedule='*/5 * * * *' -- date", "cronjob.batch/tick created"),
            ("ingress in --rule='a.com/x*=svc:80,tls=sec' --class=nginx", "ingress.networking.k8s.io/in created"),
            ("pdb budget --selector=app=x --min-available=1", "poddisruptionbudget.policy/budget created"),
            ("quota q --hard=cpu=1,pods=20", "resourcequota/q created"),
            ("role r --verb=get,list --resource=pods,deployments.apps", "role.rbac.authorization.k8s.io/r created"),
            ("rolebinding rb --role=r --user=bob --serviceaccount=default:default", "rolebinding.rbac.authorization.k8s.io/rb created"),
            ("serviceaccount sa1", "serviceaccount/sa1 created"),
            ("secret generic g --from-literal=a=b", "secret/g created"),
            ("secret docker-registry dr --docker-username=u --docker-password=p --docker-email=e@x", "secret/dr created"),
            ("configmap cm --from-literal=a=b", "configmap/cm created"),
            ("service clusterip s1 --tcp=80:8080", "service/s1 created"),
            ("service nodeport s2 --tcp=80", "service/s2 created"),
            ("service loadbalancer s3 --tcp=80", "service/s3 created"),
            ("service externalname s4 --external-name=x.com", "service/s4 created"),
            ("deployment d --image=nginx --replicas=0", "deployment.apps/d created"),
        })
        {
            var dry = what.Contains(" -- ", StringComparison.Ordinal) ? what.Replace(" -- ", " --dry-run=server -- ") : what + " --dry-run=server";
            Assert.Equal(said + " (server dry run)", (await Kubectl("create " + dry)).Trim());
            Assert.Equal(said, (await Kubectl("create " + what)).Trim());
            Assert.Contains("already exists", (await Shell($"kubectl -n {ns} create {what}")).Fails());
        }
    }

    [Fact]
    public async Task CreateOfClusterKindsTokensAndTlsSecrets()
    {
        Assert.Equal("priorityclass.scheduling.k8s.io/mid created (server dry run)", (await Kubectl("create priorityclass mid --value=1000 --description=x --dry-run=server")).Trim());
        Assert.Equal("clusterrole.rbac.authorization.k8s.io/hz created (server dry run)", (await Kubectl("create clusterrole hz --verb=get --non-resource-url=/healthz --dry-run=server")).Trim());
        Assert.Equal("clusterrolebinding.rbac.authorization.k8s.io/vs created (server dry run)", (await Kubectl("create clusterrolebinding vs --clusterrole=view --group=devs --dry-run=server")).Trim());
        Assert.Equal(3, (await Kubectl("create token default --duration=10m")).Trim().Split('.').Length);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(2));
        var folder = Directory.CreateTempSubdirectory("mesh-tls-").FullName;
        await File.WriteAllTextAsync(folder + "/c.pem", certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(folder + "/k.pem", key.ExportPkcs8PrivateKeyPem());
        Assert.Equal("secret/t created\n", await Kubectl($"create secret tls t --cert={folder}/c.pem --key={folder}/k.pem"));
        Directory.Delete(folder, recursive: true);
        Assert.Equal("kubernetes.io/tls", await Kubectl("get secret t -o jsonpath={.type}"));
    }

    [Fact]
    public async Task ExplainAndDiff()
    {
        var explained = await Kubectl("explain pod.spec.containers --recursive");
        Assert.Contains("FIELD: containers <[]Container>", explained);
        Assert.Matches(@"(?m)^      configMapKeyRef\t<ConfigMapKeySelector>$", explained);
        Assert.Contains("RollingUpdate (the default) or Recreate.", await Kubectl("explain deployment.spec.strategy"));
        Assert.Contains("field \"nothing\" does not exist", (await Shell("kubectl explain pod.nothing")).Fails());

        await Kubectl("apply -f -", Pra);
        Assert.Equal(0, (await Shell($"kubectl diff -n {ns} -f -", Pra)).ExitCode);
        var differs = await Shell($"kubectl diff -n {ns} -f -", Pra.Replace("k: v", "k: w"));
        Assert.Equal(1, differs.ExitCode);
        Assert.Matches("(?m)^-  k: v\n\\+  k: w$", differs.Output);
        Assert.Matches("(?m)^\\+  k: w$", (await Shell($"kubectl diff -n {ns} --server-side --force-conflicts -f -", Pra.Replace("k: v", "k: w"))).Output);
        Assert.Equal("v", await Kubectl("get cm pra -o jsonpath={.data.k}"));
    }

    [Fact]
    public async Task ApplyPruneServerSideAndKustomize()
    {
        Assert.Equal("configmap/pra created\nconfigmap/prb created\n", await Kubectl("apply --prune -l set=pr --prune-allowlist=core/v1/ConfigMap -f -", Pra + Prb));
        Assert.Equal("configmap/pra unchanged\nconfigmap/prb pruned\n", await Kubectl("apply --prune -l set=pr --prune-allowlist=core/v1/ConfigMap -f -", Pra));
        const string set = "apply --prune --applyset=secret/myset -f -";
        Assert.Equal("configmap/aa created\nconfigmap/prb created\n", await Kubectl(set, Pra.Replace("pra", "aa") + Prb, "KUBECTL_APPLYSET=true "));
        Assert.Equal("configmap/aa unchanged\nconfigmap/prb pruned\n", await Kubectl(set, Pra.Replace("pra", "aa"), "KUBECTL_APPLYSET=true "));

        Assert.Equal("configmap/pra serverside-applied\n", await Kubectl("apply --server-side -f -", Pra));
        var refused = await Shell($"kubectl apply -n {ns} --server-side --field-manager=other -f -", Pra.Replace("k: v", "k: w"));
        Assert.Contains("Apply failed with 1 conflict: conflict with \"kubectl\": .data.k", refused.Fails());
        Assert.Equal("configmap/pra serverside-applied\n", await Kubectl("apply --server-side --field-manager=other --force-conflicts -f -", Pra.Replace("k: v", "k: w")));

        var folder = (await Shell("mktemp -d")).Ok().Trim();
        await File.WriteAllTextAsync(folder + "/a.yaml", Pra);
        await File.WriteAllTextAsync(folder + "/kustomization.yaml", "namePrefix: kz-\nresources: [a.yaml]\nconfigMapGenerator: [{name: gen, literals: [x=y]}]\n");
        Assert.Matches(@"^configmap/kz-gen-\w+ created\nconfigmap/kz-pra created\n$", await Kubectl("apply -k " + folder));
        Assert.Matches("(?m)^kz-pra +1 ", await Kubectl("get -k " + folder));
        Assert.Equal(2, (await Kubectl("delete -k " + folder)).Split("deleted from " + ns).Length - 1);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task WhatGetPrints()
    {
        foreach (var i in (int[])[3, 1, 2]) await Kubectl($"create cm c{i} --from-literal=n={i}");
        Assert.Equal("N     V\nc1    1\nc2    2\nc3    3\n", await Kubectl("get cm c1 c2 c3 -o custom-columns=N:.metadata.name,V:.data.n"));
        Assert.Equal("c3 c1 c2", (await Kubectl("get cm c3 c1 c2 -o go-template='{{range .items}}{{.metadata.name}} {{end}}'")).Trim());
        Assert.Equal("c1 c2 c3", (await Kubectl("get cm c3 c1 c2 --sort-by=.data.n -o jsonpath='{.items[*].metadata.name}'")).Trim());
        Assert.Equal("c3", await Kubectl("get cm -o jsonpath='{.items[?(@.data.n==\"3\")].metadata.name}'"));
        Assert.Equal("configmap/c1\nconfigmap/c2\nconfigmap/c3\nconfigmap/kube-root-ca.crt\n", await Kubectl("get cm --chunk-size=1 -o name"));
        Assert.Contains("\"remainingItemCount\":3", await Kubectl($"get --raw '/api/v1/namespaces/{ns}/configmaps?limit=1'"));
        Assert.Equal("ok", await Kubectl("get --raw /healthz"));
        Assert.Equal("configmap/c2\n", await Kubectl("get cm --field-selector=metadata.name=c2 -o name"));
        await Kubectl("label cm c2 app=two");
        Assert.Matches("(?m)^c2 +1 +\\S+ +two +app=two$", await Kubectl("get cm -L app --show-labels"));
        Assert.Equal("configmap/c2\n", await Kubectl("get cm -l 'app in (two,three)' -o name"));
        Assert.Contains("No resources found in " + ns, (await Shell($"kubectl get pods -n {ns}")).Error);
        Assert.Contains("error: the server doesn't have a resource type \"nothings\"", (await Shell("kubectl get nothings")).Fails());
        Assert.Contains("Metrics API not available", (await Shell("kubectl top nodes")).Fails());
    }

    [Fact]
    public async Task SetAndRollout()
    {
        await Kubectl($"create deployment d1 --image={Nginx} --replicas=2 --port=80");
        await Rolled();
        Assert.Equal("deployment.apps/d1 env updated", (await Kubectl("set env deploy/d1 A=1 B=2")).Trim());
        Assert.Equal("# Deployment d1, container nginx\nA=1\nB=2\n", await Kubectl("set env deploy/d1 --list"));
        Assert.Equal("deployment.apps/d1 resource requirements updated", (await Kubectl("set resources deploy/d1 --limits=cpu=200m,memory=64Mi --requests=cpu=10m")).Trim());
        Assert.Equal("deployment.apps/d1 image updated", (await Kubectl("set image deploy/d1 nginx=local/nginx:1")).Trim());
        Assert.Equal("deployment.apps/d1 serviceaccount updated", (await Kubectl("set serviceaccount deploy d1 default")).Trim());
        await Rolled();
        Assert.Matches(@"(?m)^5 ", await Kubectl("rollout history deploy/d1"));
        Assert.Contains("A:\t1", await Kubectl("rollout history deploy/d1 --revision=2"));
        Assert.Equal("deployment.apps/d1 rolled back\n", await Kubectl("rollout undo deploy/d1 --to-revision=1"));
        Assert.Equal("deployment.apps/d1 restarted\n", await Kubectl("rollout restart deploy/d1"));
        Assert.Equal("deployment.apps/d1 paused\n", await Kubectl("rollout pause deploy/d1"));
        Assert.Contains("is already paused", (await Shell($"kubectl rollout pause deploy/d1 -n {ns}")).Fails());
        Assert.Contains("you cannot rollback a paused deployment", (await Shell($"kubectl rollout undo deploy/d1 -n {ns}")).Fails());
        Assert.Equal("deployment.apps/d1 resumed\n", await Kubectl("rollout resume deploy/d1"));
        await Rolled();
        Assert.Equal("", await Kubectl("get deploy d1 -o jsonpath='{.spec.template.spec.containers[0].env}'"));
        Assert.Matches(@"Deployment/d1 +Scaled up replica set d1-\w+ from 0 to 2", await Kubectl("events --for deploy/d1"));

        Assert.Equal("horizontalpodautoscaler.autoscaling/d1 autoscaled\n", await Kubectl("autoscale deployment d1 --min=1 --max=3 --cpu=50%"));
        Assert.Matches(@"d1 +Deployment/d1 +cpu: <unknown>/50% +1 +3 +0 ", await Kubectl("get hpa"));
        Assert.Matches(@"NAME +DESIRED +AVAILABLE +AGE\nd1 +2 +2 ", await Kubectl("get deploy d1 --subresource=scale"));
        Assert.Equal("scale.autoscaling/d1 patched\n", await Kubectl("patch deploy d1 --subresource=scale --type=merge -p '{\"spec\":{\"replicas\":1}}'"));
        Assert.Contains("Expected replicas to be 9, was 1", (await Shell($"kubectl scale deploy d1 -n {ns} --replicas=3 --current-replicas=9")).Fails());
        Assert.Equal("deployment.apps \"d1\" deleted from " + ns + " namespace\n", await Kubectl("delete deploy d1 --cascade=foreground --timeout=60s"));
        Assert.Equal("", await Kubectl("get rs,pods -o name"));

        Task Rolled() => Kubectl("rollout status deploy/d1 --timeout=60s");
    }

    [Fact, Compatibility(10)]
    public async Task LabelPatchEditReplaceWaitCascade()
    {
        await Kubectl($"create deployment d --image={Nginx} --replicas=0");
        Assert.Equal("deployment.apps/d labeled\n", await Kubectl("label deploy d x=y"));
        Assert.Equal("deployment.apps/d labeled\n", await Kubectl("label deploy d x=z --overwrite"));
        Assert.Equal("deployment.apps/d unlabeled\n", await Kubectl("label deploy d x-"));
        Assert.Equal("deployment.apps/d annotated\n", await Kubectl("annotate deploy d a=b"));
        Assert.Contains("--overwrite is false", (await Shell($"kubectl annotate deploy d a=c -n {ns}")).Fails());
        Assert.Contains("metadata.labels: Invalid value: \"bad key\"", (await Shell($"kubectl label deploy d 'bad key=1' -n {ns}")).Fails());
        Assert.Equal("deployment.apps/d patched\n", await Kubectl("patch deploy d --type=json -p '[{\"op\":\"add\",\"path\":\"/spec/minReadySeconds\",\"value\":0},{\"op\":\"replace\",\"path\":\"/spec/revisionHistoryLimit\",\"value\":3}]'"));
        Assert.Contains("The request is invalid: the server rejected our request due to an error in our request",
            (await Shell($"kubectl patch deploy d -n {ns} --type=json -p '[{{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":9}}]'")).Fails());
        var unknown = await Shell($"kubectl patch deploy d -n {ns} -p '{{\"spec\":{{\"bogus\":1}}}}'");
        Assert.Equal(("deployment.apps/d patched (no change)\n", "Warning: unknown field \"spec.bogus\"\n"), (unknown.Ok(), unknown.Error));
        Assert.Contains("(NotFound): deployments.apps \"nope\" not found", (await Shell($"kubectl patch deploy nope -n {ns} -p '{{}}'")).Fails());
        Assert.Equal("deployment.apps/d edited\n", await Kubectl("edit deploy d", prefix: "KUBE_EDITOR='sed -i s/revisionHistoryLimit:.3/revisionHistoryLimit:\\ 4/' "));
        Assert.Equal("deployment.apps/d edited\n", await Kubectl("edit deploy d --subresource=status", prefix: "KUBE_EDITOR='sed -i s/observedGeneration:.*/observedGeneration:\\ 1/' "));

        Assert.Equal("deployment.apps/d condition met\n", await Kubectl("wait --for=condition=Available deploy/d --timeout=20s"));
        Assert.Equal("deployment.apps/d condition met\n", await Kubectl("wait --for='jsonpath={.status.conditions[?(@.type==\"Available\")].status}=True' deploy/d --timeout=20s"));
        Assert.Equal("deployment.apps/d condition met\n", await Kubectl("wait --for=jsonpath='{.spec.revisionHistoryLimit}'=4 deploy/d --timeout=20s"));
        Assert.Contains("timed out waiting for the condition on deployments/d", (await Shell($"kubectl wait -n {ns} --for=condition=Foo deploy/d --timeout=1s")).Fails());

        await cluster.UntilAsync($"kubectl get rs -n {ns} -o name", o => o.Contains("replicaset"));
        await Kubectl("delete deploy d --cascade=orphan");
        Assert.Equal("", await Kubectl("get rs -o jsonpath='{.items[*].metadata.ownerReferences}'"));
        Assert.NotEqual("", await Kubectl("get rs -o name"));

        var map = Pra.Replace("{k: v}", "{k: v}\nimmutable: true");
        await Kubectl("create -f -", map);
        var refused = await Shell($"kubectl replace -n {ns} -f -", map.Replace("k: v", "k: w"));
        Assert.Contains("data: Forbidden: field is immutable when `immutable` is set", refused.Fails());
        Assert.Equal($"configmap \"pra\" deleted from {ns} namespace\nconfigmap/pra replaced\n", await Kubectl("replace --force -f -", map.Replace("k: v", "k: w")));
    }

    [Fact]
    public async Task Auth()
    {
        await Kubectl("create role r --verb=get,list --resource=pods");
        await Kubectl("create rolebinding rb --role=r --user=alice");
        Assert.Equal("yes\n", await Kubectl("auth can-i get pods --as=alice"));
        Assert.Equal("no\n", (await Shell($"kubectl auth can-i create pods -n {ns} --as=alice")).Output);
        Assert.Equal("no\n", (await Shell($"kubectl auth can-i get pods --subresource=log -n {ns} --as=alice")).Output);
        Assert.Matches(@"(?m)^pods +\[\] +\[\] +\[get list\]", await Kubectl("auth can-i --list --as=alice"));
        Assert.Matches(@"Username +kubernetes-admin", await Kubectl("auth whoami"));
        Assert.Contains("is forbidden: User \"alice\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"" + ns + "\"",
            (await Shell($"kubectl create cm x -n {ns} --as=alice")).Fails());

        var manifest = $"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: rec, namespace: {ns}}}\nrules: [{{apiGroups: [''], resources: [pods], verbs: [get]}}]\n";
        Assert.Contains("reconciliation required create\n\tmissing rules added:\n\t\t{Verbs:[get]", (await Shell("kubectl auth reconcile -f -", manifest)).Error);
        Assert.Contains("reconciliation required update\n\tmissing rules added:\n\t\t{Verbs:[list]", (await Shell("kubectl auth reconcile -f -", manifest.Replace("[get]", "[get, list]"))).Error);
        Assert.Equal("get list", await Kubectl("get role rec -o jsonpath='{.rules[*].verbs[*]}'"));
    }

    [Fact]
    public async Task CertificateRequestsAreApprovedSignedAndUsed()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=zed, O=devs", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var manifest = "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {name: NAME}\nspec: {signerName: kubernetes.io/kube-apiserver-client, "
            + $"usages: [client auth], expirationSeconds: 3600, request: {Convert.ToBase64String(Encoding.ASCII.GetBytes(request))}}}\n";
        var (name, refused) = (ns + "-zed", ns + "-no");
        await Kubectl("create -f -", manifest.Replace("NAME", name));
        await Kubectl("create -f -", manifest.Replace("NAME", refused));
        Assert.Matches($@"{name} +\S+ +kubernetes.io/kube-apiserver-client +kubernetes-admin +60m +Pending", await Kubectl("get csr " + name));
        Assert.Equal($"certificatesigningrequest.certificates.k8s.io/{name} approved\n", await Kubectl("certificate approve " + name));
        Assert.Equal($"certificatesigningrequest.certificates.k8s.io/{refused} denied\n", await Kubectl("certificate deny " + refused));
        Assert.Contains("is already Approved", (await Shell("kubectl certificate deny " + name)).Fails());
        await cluster.UntilAsync("kubectl get csr " + name, o => o.Contains("Approved,Issued"));
        Assert.Matches("Denied\n$", await Kubectl("get csr " + refused));

        var folder = Directory.CreateTempSubdirectory("mesh-csr-").FullName;
        await File.WriteAllBytesAsync(folder + "/crt", Convert.FromBase64String(await Kubectl($"get csr {name} -o jsonpath={{.status.certificate}}")));
        await File.WriteAllTextAsync(folder + "/key", key.ExportPkcs8PrivateKeyPem());
        var who = await Kubectl($"auth whoami --client-certificate={folder}/crt --client-key={folder}/key --kubeconfig=/dev/null --server=https://127.0.0.1:6443 --insecure-skip-tls-verify");
        Assert.Matches(@"Username +zed\nGroups +\[devs system:authenticated\]", who);
        Directory.Delete(folder, recursive: true);
        await Kubectl($"delete csr {name} {refused}");
    }

    private Task<string> Kubectl(string arguments, string? input = null, string prefix = "") => RunAsync($"{prefix}kubectl -n {ns} {arguments}", input);

    private async Task<string> RunAsync(string command, string? input) => (await Shell(command, input)).Ok();

    private Task<ShellResult> Shell(string command, string? input = null) => cluster.ShAsync(command, TimeSpan.FromSeconds(90), input);
}
