using Mesh.Api;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>What writers are warned about, in Kubernetes' words: field by field, on creation and on change.</summary>
public sealed class WarningTests
{
    private readonly KindHarness kinds = new();

    [Theory]
    [InlineData("""{"nodeSelector":{"beta.kubernetes.io/os":"linux"}}""", "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead")]
    [InlineData(
        """{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"beta.kubernetes.io/arch","operator":"Exists"}]}]}}}}""",
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use \"kubernetes.io/arch\" instead")]
    [InlineData(
        """{"affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"podAffinityTerm":{"topologyKey":"a"}}]}}}""",
        "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod")]
    [InlineData(
        """{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"failure-domain.beta.kubernetes.io/zone","whenUnsatisfiable":"DoNotSchedule"}]}""",
        "spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
        "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod")]
    [InlineData("""{"volumes":[{"name":"g","gitRepo":{"repository":"r"}}]}""", "spec.volumes[0].gitRepo: deprecated in v1.11")]
    [InlineData(
        """{"volumes":[{"name":"c","configMap":{"name":"m","items":[{"key":"a","path":"p"},{"key":"b","path":"p/q"}]}}]}""",
        "volume \"c\" (ConfigMap \"m\"): overlapping paths: \"p/q\" with \"p\"")]
    [InlineData("""{"imagePullSecrets":[{"name":"a"},{"name":"a"},{}]}""", "spec.imagePullSecrets[1].name: duplicate name \"a\"", "spec.imagePullSecrets[2].name: invalid empty name \"\"")]
    [InlineData("""{"hostAliases":[{"ip":"1.1.1.1"},{"ip":"1.1.1.1"}]}""", "spec.hostAliases[1].ip: duplicate ip \"1.1.1.1\"")]
    [InlineData("""{"terminationGracePeriodSeconds":-1}""", "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1")]
    [InlineData(
        """{"containers":[{"name":"c","image":"i","resources":{"limits":{"memory":"1.5"}}}]}""",
        "spec.containers[0].resources.limits[memory]: fractional byte value \"1500m\" is invalid, must be an integer")]
    [InlineData(
        """{"containers":[{"name":"c","image":"i","env":[{"name":"A","value":"1"},{"name":"A","value":"$(A)2"},{"name":"A","value":"3"}]}]}""",
        "spec.containers[0].env[2]: hides previous definition of \"A\", which may be dropped when using apply")]
    [InlineData(
        """{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"protocol":"TCP"},{"containerPort":80,"protocol":"UDP"}]},{"name":"d","image":"i","ports":[{"containerPort":80,"protocol":"TCP"},{"containerPort":80,"protocol":"UDP","hostPort":9}]}]}""",
        "spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]", "spec.containers[1].ports[1]: overlapping port definition with spec.containers[0].ports[1]")]
    public void Of_pods(string spec, params string[] warnings)
    {
        Assert.Equal(warnings, Warnings("", "pods", $$$"""{"metadata":{"name":"p"},"spec":{{{spec}}}}"""));
        // The same template of a deployment is warned about under its own path, again only when the spec has changed.
        var deployment = """{"metadata":{"name":"d","generation":2},"spec":{"template":{"spec":""" + spec + "}}}";
        var nested = warnings.Select(static w => w.StartsWith("spec.", StringComparison.Ordinal) ? ("spec.template." + w).Replace(" with spec.", " with spec.template.spec.", StringComparison.Ordinal) : w).ToArray();
        Assert.Equal(nested, Warnings("apps", "deployments", deployment));
        Assert.Equal(nested, Warnings("apps", "deployments", deployment, """{"metadata":{"name":"d","generation":1}}"""));
        Assert.Empty(Warnings("apps", "deployments", deployment, """{"metadata":{"name":"d","generation":2}}"""));
        Assert.Empty(Warnings("", "pods", $$$"""{"metadata":{"name":"p"},"spec":{{{spec}}}}""", """{"metadata":{"name":"p"}}"""));
    }

    [Fact]
    public void Of_annotations_that_fields_replaced()
    {
        const string annotations = """
            {"annotations":{"scheduler.alpha.kubernetes.io/critical-pod":"","seccomp.security.alpha.kubernetes.io/pod":"x","container.apparmor.security.beta.kubernetes.io/c":"unconfined"}}
            """;
        Assert.Equal(
            [
                "spec.template.metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the \"priorityClassName\" field instead",
                "spec.template.metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the \"seccompProfile\" field instead",
                "spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the \"appArmorProfile\" field instead",
            ],
            Warnings("apps", "daemonsets", """{"metadata":{"name":"d"},"spec":{"template":{"spec":{"containers":[{"name":"c"}]},"metadata":""" + annotations + "}}}"));
        Assert.Empty(Warnings(
            "apps", "daemonsets",
            """
            {"metadata":{"name":"d"},"spec":{"template":{"metadata":{"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"x","container.apparmor.security.beta.kubernetes.io/c":"unconfined"}},
             "spec":{"securityContext":{"seccompProfile":{"type":"Unconfined"},"appArmorProfile":{"type":"Unconfined"}},"containers":[{"name":"c"}]}}}}
            """));
    }

    [Theory]
    [InlineData("", "pods", "the Pod's hostname")]
    [InlineData("apps", "deployments", "Pod names and hostnames")]
    [InlineData("apps", "replicasets", "Pod names and hostnames")]
    [InlineData("", "replicationcontrollers", "Pod names and hostnames")]
    [InlineData("batch", "jobs", "Pod names and hostnames")]
    [InlineData("batch", "cronjobs", "Pod names and hostnames")]
    public void Of_names_that_make_no_label(string group, string plural, string what)
    {
        Assert.Equal(
            [$"metadata.name: this is used in {what}, which can result in surprising behavior; a DNS label is recommended: [{Names.Dns1123Label("a.b")[0]}]"],
            Warnings(group, plural, """{"metadata":{"name":"a.b"}}"""));
        Assert.Empty(Warnings(group, plural, """{"metadata":{"name":"a.b"}}""", """{"metadata":{"name":"a.b"}}"""));
    }

    [Theory]
    [InlineData("""{"type":"ClusterIP","clusterIP":"None","sessionAffinity":"ClientIP","externalIPs":["1.2.3.4"]}""",
        "spec.externalIPs is ignored for headless services", "spec.SessionAffinity is ignored for headless services")]
    [InlineData("""{"type":"ClusterIP","clusterIP":"10.0.0.1","externalIPs":["1.2.3.4"]}""", "spec.externalIPs is deprecated and may no longer be implemented in some clusters")]
    [InlineData("""{"type":"ClusterIP","clusterIP":"10.0.0.1","externalName":"a.b","trafficDistribution":"PreferClose"}""",
        "spec.externalName is ignored when spec.type is not \"ExternalName\"", "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"")]
    [InlineData("""{"type":"LoadBalancer","loadBalancerIP":"2001:DB8::1","loadBalancerSourceRanges":["10.0.0.1/8","10.0.0.0/8"]}""",
        "spec.loadBalancerIP: IPv6 address \"2001:DB8::1\" should be in RFC 5952 canonical format (\"2001:db8::1\")",
        "spec.loadBalancerSourceRanges[0]: CIDR value \"10.0.0.1/8\" is ambiguous in this context (should be \"10.0.0.0/8\" or \"10.0.0.1/32\"?)")]
    [InlineData("""{"type":"ExternalName","externalName":"a.b"}""")]
    public void Of_services(string spec, params string[] warnings)
    {
        Assert.Equal(warnings, Warnings("", "services", $$$"""{"metadata":{"name":"s"},"spec":{{{spec}}}}"""));
        Assert.Equal(warnings, Warnings("", "services", $$$"""{"metadata":{"name":"s"},"spec":{{{spec}}}}""", "{}"));
    }

    [Theory]
    [InlineData("networking.k8s.io", "ingresses", """{"metadata":{"annotations":{"kubernetes.io/ingress.class":"x"}}}""", "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead")]
    [InlineData("networking.k8s.io", "networkpolicies", """{"spec":{"ingress":[{"from":[{"ipBlock":{"cidr":"10.1.2.3/16"}}]}]}}""",
        "spec.ingress[0].from[0].ipBlock.cidr: CIDR value \"10.1.2.3/16\" is ambiguous in this context (should be \"10.1.0.0/16\" or \"10.1.2.3/32\"?)")]
    [InlineData("", "persistentvolumeclaims", """{"metadata":{"annotations":{"volume.beta.kubernetes.io/storage-class":"x"}},"spec":{"resources":{"requests":{"storage":"1.5"}}}}""",
        "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use \"storageClassName\" attribute instead",
        "spec.resources.requests[storage]: fractional byte value \"1500m\" is invalid, must be an integer")]
    [InlineData("", "persistentvolumes", """{"spec":{"persistentVolumeReclaimPolicy":"Recycle"}}""",
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.")]
    [InlineData("node.k8s.io", "runtimeclasses", """{"scheduling":{"nodeSelector":{"beta.kubernetes.io/os":"x"}}}""", "scheduling.nodeSelector: deprecated since v1.14; use \"kubernetes.io/os\" instead")]
    [InlineData("apps", "statefulsets", """{"spec":{"revisionHistoryLimit":-1}}""", "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended")]
    public void Of_other_kinds(string group, string plural, string obj, params string[] warnings) => Assert.Equal(warnings, Warnings(group, plural, obj));

    [Fact]
    public void Of_many_indexes() =>
        Assert.Equal(
            ["spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"],
            Warnings("batch", "jobs", """{"metadata":{"name":"j"},"spec":{"completionMode":"Indexed","completions":100001,"parallelism":10001}}"""));

    private string[] Warnings(string group, string plural, string obj, string? old = null) =>
        [.. kinds.Strategy(group, plural).Warnings(KindHarness.Json(obj), old is null ? null : KindHarness.Json(old))];
}
