using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>The smallest object of every kind that is generally available: it is taken, its defaults are final, writing it back changes nothing.</summary>
public class MinimalObjects
{
    private const string Pods = """{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"a","image":"x"}]}}""";
    private const string Once = """{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"x"}]}}""";
    private static readonly string Set = "{\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"a\"}},\"template\":" + Pods + "}}";

    // Kinds that answer and are not stored, or whose objects are made by the server alone.
    private static readonly string[] NotStored = ["bindings", "componentstatuses", "tokenreviews", "selfsubjectreviews", "localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"];

    private static readonly Dictionary<string, string> Smallest = new()
    {
        ["configmaps"] = "{}",
        ["secrets"] = "{}",
        ["serviceaccounts"] = "{}",
        ["namespaces"] = "{}",
        ["nodes"] = "{}",
        ["endpoints"] = "{}",
        ["limitranges"] = "{}",
        ["resourcequotas"] = "{}",
        ["pods"] = """{"spec":{"containers":[{"name":"a","image":"x"}]}}""",
        ["podtemplates"] = "{\"template\":" + Pods + "}",
        ["services"] = """{"spec":{"ports":[{"port":80}]}}""",
        ["replicationcontrollers"] = "{\"spec\":{\"template\":" + Pods + "}}",
        ["persistentvolumes"] = """{"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"hostPath":{"path":"/x"}}}""",
        ["persistentvolumeclaims"] = """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}""",
        ["events"] = """{"involvedObject":{"kind":"Pod","namespace":"default","name":"a"}}""",
        ["events.k8s.io/events"] = """{"regarding":{"kind":"Pod","namespace":"default","name":"a"},"eventTime":"2026-01-01T00:00:00.000000Z","reportingController":"a.io/b","reportingInstance":"c","action":"d","reason":"e","type":"Normal"}""",
        ["apps/deployments"] = Set,
        ["apps/replicasets"] = Set,
        ["apps/daemonsets"] = Set,
        ["apps/statefulsets"] = Set,
        ["apps/controllerrevisions"] = """{"data":{"a":"b"},"revision":1}""",
        ["batch/jobs"] = "{\"spec\":{\"template\":" + Once + "}}",
        ["batch/cronjobs"] = "{\"spec\":{\"schedule\":\"* * * * *\",\"jobTemplate\":{\"spec\":{\"template\":" + Once + "}}}}",
        ["autoscaling/horizontalpodautoscalers"] = """{"spec":{"maxReplicas":3,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"}}}""",
        ["networking.k8s.io/ingresses"] = """{"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}}""",
        ["networking.k8s.io/ingressclasses"] = """{"spec":{"controller":"a.io/b"}}""",
        ["networking.k8s.io/networkpolicies"] = """{"spec":{"podSelector":{}}}""",
        ["networking.k8s.io/servicecidrs"] = """{"spec":{"cidrs":["10.0.0.0/24"]}}""",
        ["networking.k8s.io/ipaddresses"] = """{"metadata":{"name":"10.0.0.1"},"spec":{"parentRef":{"resource":"services","name":"s"}}}""",
        ["discovery.k8s.io/endpointslices"] = """{"addressType":"IPv4","endpoints":[]}""",
        ["coordination.k8s.io/leases"] = "{}",
        ["policy/poddisruptionbudgets"] = """{"spec":{"minAvailable":1,"selector":{}}}""",
        ["rbac.authorization.k8s.io/roles"] = "{}",
        ["rbac.authorization.k8s.io/clusterroles"] = "{}",
        ["rbac.authorization.k8s.io/rolebindings"] = """{"roleRef":{"kind":"Role","name":"r"}}""",
        ["rbac.authorization.k8s.io/clusterrolebindings"] = """{"roleRef":{"kind":"ClusterRole","name":"r"}}""",
        ["scheduling.k8s.io/priorityclasses"] = """{"value":1}""",
        ["node.k8s.io/runtimeclasses"] = """{"handler":"h"}""",
        ["storage.k8s.io/storageclasses"] = """{"provisioner":"a.io/b"}""",
        ["storage.k8s.io/csidrivers"] = "{}",
        ["storage.k8s.io/csinodes"] = """{"spec":{"drivers":[]}}""",
        ["storage.k8s.io/csistoragecapacities"] = """{"storageClassName":"c"}""",
        ["storage.k8s.io/volumeattachments"] = """{"spec":{"attacher":"d.io","nodeName":"n","source":{"persistentVolumeName":"v"}}}""",
        ["storage.k8s.io/volumeattributesclasses"] = """{"driverName":"d.io","parameters":{"a":"b"}}""",
        ["certificates.k8s.io/certificatesigningrequests"] = "{\"spec\":{\"request\":\"" + ExtensionRules.Request() + "\",\"signerName\":\"a.io/b\",\"usages\":[\"client auth\"]}}",
        ["admissionregistration.k8s.io/validatingwebhookconfigurations"] = """{"webhooks":[{"name":"a.b.c","sideEffects":"None","admissionReviewVersions":["v1"],"clientConfig":{"service":{"name":"s","namespace":"n"}}}]}""",
        ["admissionregistration.k8s.io/mutatingwebhookconfigurations"] = """{"webhooks":[{"name":"a.b.c","sideEffects":"None","admissionReviewVersions":["v1"],"clientConfig":{"url":"https://a/b"}}]}""",
        ["admissionregistration.k8s.io/validatingadmissionpolicies"] = """{"spec":{"matchConstraints":{"resourceRules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}]},"validations":[{"expression":"true"}]}}""",
        ["admissionregistration.k8s.io/validatingadmissionpolicybindings"] = """{"spec":{"policyName":"p","validationActions":["Deny"]}}""",
        ["admissionregistration.k8s.io/mutatingadmissionpolicies"] = """{"spec":{"matchConstraints":{"resourceRules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}]},"mutations":[{"patchType":"JSONPatch","jsonPatch":{"expression":"[]"}}],"reinvocationPolicy":"Never"}}""",
        ["admissionregistration.k8s.io/mutatingadmissionpolicybindings"] = """{"spec":{"policyName":"p"}}""",
        ["apiextensions.k8s.io/customresourcedefinitions"] = """{"metadata":{"name":"as.g.io"},"spec":{"group":"g.io","scope":"Namespaced","names":{"plural":"as","kind":"A"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}""",
        ["apiregistration.k8s.io/apiservices"] = """{"metadata":{"name":"v1.g.io"},"spec":{"group":"g.io","version":"v1","groupPriorityMinimum":1,"versionPriority":1}}""",
        ["flowcontrol.apiserver.k8s.io/flowschemas"] = """{"spec":{"priorityLevelConfiguration":{"name":"p"}}}""",
        ["flowcontrol.apiserver.k8s.io/prioritylevelconfigurations"] = """{"spec":{"type":"Limited","limited":{"limitResponse":{"type":"Reject"}}}}""",
        ["resource.k8s.io/resourceclaims"] = """{"spec":{}}""",
        ["resource.k8s.io/resourceclaimtemplates"] = """{"spec":{"spec":{}}}""",
        ["resource.k8s.io/deviceclasses"] = """{"spec":{}}""",
        ["resource.k8s.io/resourceslices"] = """{"spec":{"driver":"d.io","nodeName":"n","pool":{"name":"p","resourceSliceCount":1,"generation":1}}}""",
    };

    public static TheoryData<string, string, string> Kinds()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var resource in ResourceTable.All)
        {
            if (resource.Version.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0 && !NotStored.Contains(resource.Plural))
                data.Add(resource.Group, resource.Version, resource.Plural);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Are_taken_and_final(string group, string version, string plural)
    {
        var harness = new KindHarness();
        var json = Smallest[group.Length == 0 ? plural : group + "/" + plural];
        var obj = KindHarness.Json(json);
        var meta = obj.Ensure("metadata");
        meta.Default("name", "a");
        meta.Default("uid", "u1");
        var resource = ResourceTable.Find(group, version, plural)!;
        if (resource.Namespaced)
            meta["namespace"] = "default";
        var type = ApiSchema.Builtin.FindKind(group, version, resource.Kind)!.Type;
        ObjectForm.Complete(obj, type);
        var made = await harness.CreateAsync(group, plural, obj, version);
        ObjectForm.Complete(made, type);
        Assert.Empty(harness.Strategy(group, plural, version).ValidateName(made.Name(), false));

        var again = KindHarness.Json(made.ToJsonString());
        harness.Strategy(group, plural, version).Default(again);
        ObjectForm.Complete(again, type);
        Assert.True(JsonNode.DeepEquals(KindHarness.Json(made.ToJsonString()), again), $"{made.ToJsonString()}\n{again.ToJsonString()}");

        var written = await harness.UpdateAsync(group, plural, made, made, version);
        ObjectForm.Complete(written, type);
        Assert.True(JsonNode.DeepEquals(KindHarness.Json(made.ToJsonString()), written), $"{made.ToJsonString()}\n{written.ToJsonString()}");
    }

    /// <summary>The kinds with a status of their own, and whether their generation counts changes of the spec.</summary>
    public static TheoryData<string, string, string, bool> KindsWithStatus()
    {
        string[] counted =
        [
            "pods", "replicationcontrollers", "deployments", "replicasets", "daemonsets", "statefulsets", "jobs", "cronjobs", "ingresses", "poddisruptionbudgets",
            "customresourcedefinitions", "flowschemas", "prioritylevelconfigurations", "validatingadmissionpolicies",
        ];
        var data = new TheoryData<string, string, string, bool>();
        foreach (var resource in ResourceTable.All)
        {
            if (resource.Version.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0 && resource.Subresources.Any(static s => s.Name == "status"))
                data.Add(resource.Group, resource.Version, resource.Plural, counted.Contains(resource.Plural));
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(KindsWithStatus))]
    public async Task Keep_spec_and_status_apart(string group, string version, string plural, bool counted)
    {
        var harness = new KindHarness();
        var strategy = harness.Strategy(group, plural, version);
        var obj = KindHarness.Json(Smallest[group.Length == 0 ? plural : group + "/" + plural]);
        obj.Ensure("metadata").Default("name", "a");
        obj.Obj("metadata")!.Default("uid", "u1");
        var made = KindHarness.Json((await harness.CreateAsync(group, plural, obj, version)).ToJsonString());
        made.Ensure("status")["kept"] = "as it was";
        Assert.Equal(counted ? 1 : null, made.Obj("metadata").Num("generation"));

        // A writer of the object says nothing about its status.
        var changed = KindHarness.Json(made.ToJsonString());
        changed.Obj("status")!["kept"] = "by no right";
        strategy.PrepareForUpdate(changed, made, harness.Context);
        Assert.Equal("as it was", changed.Obj("status").Str("kept"));
        Assert.Equal(counted ? 1 : null, changed.Obj("metadata").Num("generation"));

        // A new wish is counted.
        changed.Ensure("spec")["wish"] = "new";
        strategy.PrepareForUpdate(changed, made, harness.Context);
        var changeless = plural is "namespaces" or "certificatesigningrequests"; // whose spec no update changes
        Assert.Equal(changeless ? "" : "new", changed.Obj("spec").Str("wish"));
        Assert.Equal(counted ? 2 : null, changed.Obj("metadata").Num("generation"));

        // A writer of the status says nothing about the rest, and nothing is counted.
        var reported = KindHarness.Json(made.ToJsonString());
        reported.Obj("status")!["kept"] = "seen";
        reported.Ensure("spec")["wish"] = "by no right";
        reported.Obj("metadata")!["finalizers"] = new JsonArray("a.b/c");
        strategy.PrepareForSubresourceUpdate("status", reported, made, harness.Context);
        Assert.Equal("seen", reported.Obj("status").Str("kept"));
        Assert.False(reported.Obj("spec").Has("wish"));
        Assert.False(reported.Obj("metadata").Has("finalizers"));
        Assert.Equal(counted ? 1 : null, reported.Obj("metadata").Num("generation"));
    }
}
