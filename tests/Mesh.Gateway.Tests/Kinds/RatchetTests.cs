using System.Text.Json.Nodes;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>What is refused in a new object and in a change, and borne in an object that had it before.</summary>
public class RatchetTests : KindRules
{
    private const string Value = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    private const string Subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    private const string Bad = """{"matchExpressions":[{"key":"k","operator":"In","values":["-"]}]}""";
    private const string Containers = "\"containers\":[{\"name\":\"a\",\"image\":\"x\"}]";
    private const string Labels = "\"metadata\":{\"labels\":{\"app\":\"a\"}}";
    private const string Hook = """{"name":"a.b.c","clientConfig":{"url":"https://x/y"},"sideEffects":"None","admissionReviewVersions":["v1"]}""";
    private const string Hpa = "\"maxReplicas\":3,\"metrics\":[{\"type\":\"External\",\"external\":{\"metric\":{\"name\":\"m\"},\"target\":{\"type\":\"Value\",\"value\":\"1\"}}}]";

    [Theory]
    // pods
    [InlineData("pods", """{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"x"}},"spec":{C}}""", """{"spec":{C}}""",
        "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"x\": must be a 32bit integer")]
    [InlineData("pods", """{"spec":{C,"affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"podAffinityTerm":{"topologyKey":"z","labelSelector":BAD}}]}}}}""", """{"spec":{C}}""",
        "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchExpressions[0].values[0]: Invalid value: \"-\": " + Value)]
    [InlineData("pods", """{"spec":{C,"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[BAD]}}}}}""", """{"spec":{C}}""",
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values[0]: Invalid value: \"-\": " + Value)]
    [InlineData("pods", """{"spec":{C,"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchExpressions":[{"key":"a","operator":"Is"}]}}]}}""", """{"spec":{C}}""",
        "spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator")]
    [InlineData("pods", """{"spec":{C,"hostNetwork":true,"securityContext":{"sysctls":[{"name":"net/ipv4/x","value":"1"}]}}}""", """{"spec":{C,"hostNetwork":true}}""",
        "spec.securityContext.sysctls[0].name: Invalid value: \"net/ipv4/x\": may not be specified when 'hostNetwork' is true")]
    [InlineData("pods", """{"spec":{C,"hostIPC":true,"securityContext":{"sysctls":[{"name":"kernel.shmmax","value":"1"}]}}}""", """{"spec":{C,"hostIPC":true}}""",
        "spec.securityContext.sysctls[0].name: Invalid value: \"kernel.shmmax\": may not be specified when 'hostIPC' is true")]
    [InlineData("pods", """{"spec":{"hostUsers":false,"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}],"containers":[{"name":"a","image":"x","volumeDevices":[{"name":"v","devicePath":"/d"}]}]}}""", """{"spec":{C}}""",
        "spec.containers[0].volumeDevices: Forbidden: when `hostUsers` is false")]
    [InlineData("pods", """{"spec":{"containers":[{"name":"a","image":"x","resources":{"limits":{"cpu":"1","hugepages-2Mi":"3Mi"}}}]}}""", """{"spec":{C}}""",
        "spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi")]
    [InlineData("pods", """{"spec":{C,"serviceAccountName":"s","volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"../x"}}]}}]}}""", """{"spec":{C}}""",
        "spec.volumes[0].projected.path: Invalid value: \"../x\": must not contain '..'")]
    [InlineData("pods", """{"spec":{C,"hostAliases":[{"ip":"1.2.3.04"}]}}""", """{"spec":{C}}""",
        "spec.hostAliases[0].ip: Invalid value: \"1.2.3.04\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    // templates
    [InlineData("apps/deployments", """{"spec":{"selector":{"matchLabels":{"app":"a"}},"template":{L,"spec":{C,"hostNetwork":true,"securityContext":{"sysctls":[{"name":"net.x","value":"1"}]}}}}}""", """{"spec":{"selector":{"matchLabels":{"app":"a"}},"template":{L,"spec":{C,"hostNetwork":true}}}}""",
        "spec.template.spec.securityContext.sysctls[0].name: Invalid value: \"net.x\": may not be specified when 'hostNetwork' is true")]
    [InlineData("batch/jobs", """{"spec":{"manualSelector":true,"selector":{"matchExpressions":[{"key":"app","operator":"In","values":["a","-"]}]},"template":{L,"spec":{C,"restartPolicy":"Never"}}}}""", """{"spec":{"manualSelector":true,"selector":{"matchLabels":{"app":"a"}},"template":{L,"spec":{C,"restartPolicy":"Never"}}}}""",
        "spec.selector.matchExpressions[0].values[1]: Invalid value: \"-\": " + Value)]
    // selectors of other kinds
    [InlineData("policy/poddisruptionbudgets", """{"spec":{"selector":BAD}}""", """{"spec":{}}""", "spec.selector.matchExpressions[0].values[0]: Invalid value: \"-\": " + Value)]
    [InlineData("networking.k8s.io/networkpolicies", """{"spec":{"podSelector":BAD}}""", """{"spec":{"podSelector":{}}}""", "spec.podSelector.matchExpressions[0].values[0]: Invalid value: \"-\": " + Value)]
    [InlineData("rbac.authorization.k8s.io/clusterroles", """{"aggregationRule":{"clusterRoleSelectors":[BAD]}}""", """{"rules":[]}""",
        "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].values[0]: Invalid value: \"-\": " + Value)]
    [InlineData("storage.k8s.io/csistoragecapacities", """{"storageClassName":"s","nodeTopology":BAD}""", """{"storageClassName":"s"}""", "nodeTopology.matchExpressions[0].values[0]: Invalid value: \"-\": " + Value)]
    [InlineData("persistentvolumeclaims", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1"}},"selector":BAD}}""", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1"}}}}""",
        "spec.selector.matchExpressions[0].values[0]: Invalid value: \"-\": " + Value)]
    [InlineData("persistentvolumeclaims", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1"}},"dataSourceRef":{"apiGroup":"A_","kind":"K","name":"n"}}}""", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1"}}}}""",
        "spec.dataSource.apiGroup: Invalid value: \"A_\": " + Subdomain)]
    [InlineData("persistentvolumes", """{"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1"},"local":{"path":"/x"},"nodeAffinity":{"required":{"nodeSelectorTerms":[BAD]}}}}""", """{"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1"},"hostPath":{"path":"/x"}}}""",
        "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]: Invalid value: \"-\": " + Value)]
    // network
    [InlineData("networking.k8s.io/ingresses", """{"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":1}}},"tls":[{"secretName":"A_"}]}}""", """{"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":1}}}}}""",
        "spec.tls[0].secretName: Invalid value: \"A_\": " + Subdomain)]
    [InlineData("networking.k8s.io/ingresses", """{"spec":{"rules":[{"host":"*.a.b","http":{"paths":[]}}]}}""", """{"spec":{"rules":[{"host":"*.a.b"}]}}""", "spec.rules[0].http.paths: Required value")]
    [InlineData("networking.k8s.io/networkpolicies", """{"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.00/8"}}]}]}}""", """{"spec":{"podSelector":{}}}""",
        "spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"10.0.0.00/8\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
    [InlineData("discovery.k8s.io/endpointslices", """{"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.01"]}]}""", """{"addressType":"IPv4","endpoints":[]}""",
        "endpoints[0].addresses[0]: Invalid value: \"10.0.0.01\": must be a valid IPv4 address")]
    // webhooks
    [InlineData("admissionregistration.k8s.io/validatingwebhookconfigurations", """{"webhooks":[{"name":"a.b.c","clientConfig":{"url":"https://x/y"},"sideEffects":"Some","admissionReviewVersions":["v1"]}]}""", """{"webhooks":[H]}""",
        "webhooks[0].sideEffects: Unsupported value: \"Some\": supported values: \"None\", \"NoneOnDryRun\"")]
    [InlineData("admissionregistration.k8s.io/mutatingwebhookconfigurations", """{"webhooks":[{"name":"a.b.c","clientConfig":{"url":"https://x/y"},"sideEffects":"None","admissionReviewVersions":["v9"]}]}""", """{"webhooks":[H]}""",
        "webhooks[0].admissionReviewVersions: Invalid value: [\"v9\"]: must include at least one of v1, v1beta1")]
    [InlineData("admissionregistration.k8s.io/mutatingwebhookconfigurations", """{"webhooks":[H,H]}""", """{"webhooks":[H]}""", "webhooks[1].name: Duplicate value: \"a.b.c\"")]
    // autoscalers
    [InlineData("autoscaling/v2/horizontalpodautoscalers", """{"spec":{HPA,"minReplicas":0,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"D","name":"d"}}}""", """{"spec":{HPA,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"D","name":"d"}}}""",
        "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1")]
    [InlineData("autoscaling/v2/horizontalpodautoscalers", """{"spec":{HPA,"scaleTargetRef":{"kind":"D","name":"d"}}}""", """{"spec":{HPA,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"D","name":"d"}}}""",
        "spec.scaleTargetRef.apiVersion: Invalid value: \"\": apiVersion must specify API group")]
    [InlineData("batch/cronjobs", """{"spec":{"schedule":"* * * * *","timeZone":"Nowhere/Land","jobTemplate":{"spec":{"template":{L,"spec":{C,"restartPolicy":"Never"}}}}}}""", """{"spec":{"schedule":"* * * * *","jobTemplate":{"spec":{"template":{L,"spec":{C,"restartPolicy":"Never"}}}}}}""",
        "spec.timeZone: Invalid value: \"Nowhere/Land\": unknown time zone Nowhere/Land")]
    public async Task Refused_when_new_and_borne_when_old(string kind, string broken, string sound, string message)
    {
        (broken, sound) = (Fill(broken), Fill(sound));
        Assert.Contains(message, await Create(kind, broken), StringComparison.Ordinal);
        Assert.Equal("", await Change(kind, Stored(kind, broken), Labelled(broken)));
        Assert.Contains(message, await Change(kind, Stored(kind, sound), Labelled(broken)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_is_borne_only_as_it_was()
    {
        const string Was = """{"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.00/8"}}]}]}}""";
        Assert.NotEqual("", await Change("networking.k8s.io/networkpolicies", Stored("networking.k8s.io/networkpolicies", Was), Was.Replace("10.0.0.00", "10.0.0.01", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_autoscaler_keeps_an_incomplete_target_only_while_it_is_the_same()
    {
        var was = Fill("""{"spec":{HPA,"scaleTargetRef":{"kind":"D","name":"d"}}}""");
        const string Kind = "autoscaling/v2/horizontalpodautoscalers";
        Assert.Equal("", await Change(Kind, Stored(Kind, was), was.Replace("\"name\":\"d\"", "\"name\":\"e\"", StringComparison.Ordinal)));
        Assert.Equal("spec.scaleTargetRef.apiVersion: Invalid value: \"\": apiVersion must specify API group",
            await Change(Kind, Stored(Kind, was), was.Replace("\"kind\":\"D\"", "\"kind\":\"E\"", StringComparison.Ordinal)));
        Assert.Equal("", await Create(Kind, was.Replace("\"kind\":\"D\"", "\"kind\":\"ReplicationController\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Peers_of_a_network_policy_may_be_as_wrong_as_its_pod_selector_was()
    {
        const string Kind = "networking.k8s.io/networkpolicies";
        var peers = Fill("""{"spec":{"podSelector":{},"ingress":[{"from":[{"podSelector":BAD}]}]}}""");
        Assert.NotEqual("", await Change(Kind, Stored(Kind, peers), Labelled(peers)));
        Assert.Equal("", await Change(Kind, Stored(Kind, Fill("""{"spec":{"podSelector":BAD}}""")), peers));
    }

    [Fact]
    public async Task A_job_from_before_the_prefixed_labels_may_change()
    {
        const string Was = """{"metadata":{"uid":"u1"},"spec":{"selector":{"matchLabels":{"controller-uid":"u1"}},"template":{"metadata":{"labels":{"controller-uid":"u1","job-name":"a"}},"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"x"}]}}}}""";
        var strategy = Harness.Strategy("batch", "jobs");
        var old = Whole(Was);
        strategy.Default(old);
        Assert.Equal("", await Change("batch/jobs", old, Labelled(Was)));
        Assert.Contains("spec.template.metadata.labels[batch.kubernetes.io/controller-uid]: Required value: must be 'u1'", await Update("batch/jobs", """{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"x"}]}}}}""", Was), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"z","labelSelector":{},"matchLabelKeys":["rev","none"],"mismatchLabelKeys":["team"]}]}}""",
        """[{"key":"rev","operator":"In","values":["7"]},{"key":"team","operator":"NotIn","values":["t"]}]""")]
    [InlineData("""{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"podAffinityTerm":{"topologyKey":"z","labelSelector":{"matchExpressions":[{"key":"a","operator":"Exists"}]},"matchLabelKeys":["rev"]}}]}}""",
        """[{"key":"a","operator":"Exists"},{"key":"rev","operator":"In","values":["7"]}]""")]
    public async Task Labels_by_key_are_written_into_the_selectors_of_a_new_pod(string affinity, string expressions)
    {
        var pod = await Harness.CreateAsync("", "pods", Whole(Fill("""{"metadata":{"labels":{"rev":"7","team":"t"}},"spec":{C,"affinity":AFF}}""").Replace("AFF", affinity, StringComparison.Ordinal)));
        Assert.Contains("\"matchExpressions\":" + expressions, pod.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_label_by_key_that_the_selector_has_already_is_refused() => Assert.Equal(
        "spec.topologySpreadConstraints[0][0]: Invalid value: \"rev\": exists in both matchLabelKeys and labelSelector",
        await Create("pods", Fill("""{"metadata":{"labels":{"rev":"7"}},"spec":{C,"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"rev":"7"}},"matchLabelKeys":["rev"]}]}}""")));

    private static string Fill(string json) => json.Replace("{C", "{" + Containers, StringComparison.Ordinal).Replace("{L,", "{" + Labels + ",", StringComparison.Ordinal)
        .Replace("BAD", Bad, StringComparison.Ordinal).Replace("HPA", Hpa, StringComparison.Ordinal)
        .Replace("[H", "[" + Hook, StringComparison.Ordinal).Replace(",H", "," + Hook, StringComparison.Ordinal);

    private static string Labelled(string json)
    {
        var obj = Whole(json);
        obj.Ensure("metadata").Ensure("annotations")["touched"] = "yes";
        return obj.ToJsonString();
    }

    // As something stored before the rule was there.
    private JsonObject Stored(string kind, string json)
    {
        var (group, version, plural) = Parse(kind);
        var strategy = Harness.Strategy(group, plural, version);
        var obj = Whole(json);
        strategy.Default(obj);
        strategy.PrepareForCreate(obj, Harness.Context);
        return obj;
    }
}
