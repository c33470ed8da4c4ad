using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Tests.Kinds;

public class PodStrategyTests
{
    private readonly KindHarness harness = new();

    [Fact]
    public async Task A_small_pod_gets_kubernetes_defaults()
    {
        var pod = await harness.CreateAsync("", "pods", KindHarness.Json("""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"},
             "spec":{"containers":[{"name":"web","image":"nginx","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"0.5"}},
               "readinessProbe":{"httpGet":{"port":80}}}],"volumes":[{"name":"v"},{"name":"c","configMap":{"name":"x"}}]}}
            """));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""
            {"containers":[{"name":"web","image":"nginx","ports":[{"containerPort":80,"protocol":"TCP"}],
               "resources":{"limits":{"cpu":"500m"},"requests":{"cpu":"500m"}},
               "readinessProbe":{"httpGet":{"port":80,"path":"/","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},
               "imagePullPolicy":"Always","terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],
             "volumes":[{"name":"v","emptyDir":{}},{"name":"c","configMap":{"name":"x","defaultMode":420}}],
             "restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","securityContext":{},"schedulerName":"default-scheduler","enableServiceLinks":true}
            """), pod["spec"]), pod["spec"]!.ToJsonString());
        Assert.Equal("""{"phase":"Pending","qosClass":"Burstable"}""", pod["status"]!.ToJsonString());
        Assert.Equal(1, pod.Obj("metadata").Num("generation"));
    }

    [Theory]
    [InlineData("nginx", "Always")]
    [InlineData("nginx:latest", "Always")]
    [InlineData("nginx:1", "IfNotPresent")]
    [InlineData("host:5000/nginx", "Always")]
    [InlineData("nginx@sha256:abc", "IfNotPresent")]
    public async Task Pull_policy_follows_the_tag(string image, string policy)
    {
        var pod = await harness.CreateAsync("", "pods", Pod($$"""{"containers":[{"name":"a","image":"{{image}}"}]}"""));
        Assert.Equal(policy, pod.Obj("spec").Items("containers").Single().Item.Str("imagePullPolicy"));
    }

    [Theory]
    [InlineData("""{"containers":[]}""", "spec.containers: Required value")]
    [InlineData("""{"containers":[{"name":"a"}]}""", "spec.containers[0].image: Required value")]
    [InlineData("""{"containers":[{"name":"a","image":"x"},{"name":"a","image":"x"}]}""", "spec.containers[1].name: Duplicate value: \"a\"")]
    [InlineData("""{"restartPolicy":"Sometimes","containers":[{"name":"a","image":"x"}]}""",
        "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"")]
    [InlineData("""{"containers":[{"name":"a","image":"x","ports":[{"containerPort":70000}]}]}""",
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive")]
    [InlineData("""{"containers":[{"name":"a","image":"x","volumeMounts":[{"name":"v","mountPath":"/x"}]}]}""",
        "spec.containers[0].volumeMounts[0].name: Not found: \"v\"")]
    [InlineData("""{"containers":[{"name":"a","image":"x","resources":{"limits":{"cpu":"1"},"requests":{"cpu":"2"}}}]}""",
        "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1")]
    [InlineData("""{"containers":[{"name":"a","image":"x","env":[{"name":"A","valueFrom":{}}]}]}""",
        "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`")]
    public async Task Wrong_pods_are_refused(string spec, string message)
    {
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.CreateAsync("", "pods", Pod(spec)));
        Assert.Equal("Pod \"web\" is invalid: " + message, error.Message);
    }

    [Theory]
    [InlineData("""{"containers":[{"resources":{}}]}""", "BestEffort")]
    [InlineData("""{"containers":[{"resources":{"requests":{"cpu":"1"}}}]}""", "Burstable")]
    [InlineData("""{"containers":[{"resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1000m","memory":"1Gi"}}}]}""", "Guaranteed")]
    [InlineData("""{"containers":[{"resources":{"limits":{"cpu":"1","memory":"1Gi"}}},{"resources":{}}]}""", "Burstable")]
    public void Quality_of_service(string spec, string expected) => Assert.Equal(expected, QosClass.Of(KindHarness.Json(spec)));

    [Fact]
    public async Task Only_images_and_a_few_fields_may_change()
    {
        var old = await harness.CreateAsync("", "pods", Pod("""{"containers":[{"name":"a","image":"x:1"}]}"""));
        var next = (JsonObject)old.DeepClone();
        next.Obj("spec").Items("containers").Single().Item["image"] = "x:2";
        next = await harness.UpdateAsync("", "pods", next, old);
        Assert.Equal(2, next.Obj("metadata").Num("generation"));

        var wrong = (JsonObject)old.DeepClone();
        wrong["spec"]!["hostNetwork"] = true;
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.UpdateAsync("", "pods", wrong, old));
        Assert.StartsWith("Pod \"web\" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`", error.Message);
    }

    [Fact]
    public async Task Grace_period_is_zero_until_a_node_has_the_pod()
    {
        var pod = await harness.CreateAsync("", "pods", Pod("""{"containers":[{"name":"a","image":"x:1"}]}"""));
        var strategy = harness.Strategy("", "pods");
        Assert.Equal(0, strategy.GracePeriod(pod, null));
        pod["spec"]!["nodeName"] = "n1";
        Assert.Equal(30, strategy.GracePeriod(pod, null));
        Assert.Equal(5, strategy.GracePeriod(pod, 5));
        pod["status"]!["phase"] = "Succeeded";
        Assert.Equal(0, strategy.GracePeriod(pod, 5));
    }

    private static JsonObject Pod(string spec) => KindHarness.Json($$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"},"spec":{{{spec}}}}""");
}
