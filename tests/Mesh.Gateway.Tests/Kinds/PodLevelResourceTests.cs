using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Quotas;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>What a pod takes as a whole (spec.resources, KEP-2837) and how that changes (pods/resize, KEP-5419).</summary>
public class PodLevelResourceTests
{
    private const string Two = """{"resources":RES,"containers":[{"name":"a","image":"x:1","resources":{"requests":{"cpu":"100m","memory":"64Mi"}}},{"name":"b","image":"x:1","resources":{"limits":{"memory":"64Mi"}}}]}""";
    private readonly KindHarness harness = new();

    [Theory]
    // what the containers ask for, then what the pod is limited to
    [InlineData("""{"limits":{"cpu":"1","memory":"1Gi"}}""", """{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"100m","memory":"128Mi"}}""", "Burstable")]
    [InlineData("""{"requests":{"cpu":"500m"}}""", """{"requests":{"cpu":"500m","memory":"128Mi"}}""", "Burstable")]
    [InlineData("""{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}}""", """{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}}""", "Guaranteed")]
    [InlineData("{}", "{}", "Burstable")]
    public async Task Defaults(string given, string made, string quality)
    {
        var pod = await harness.CreateAsync("", "pods", Pod(given));
        Assert.Equal(made, pod.Obj("spec", "resources")!.ToJsonString());
        Assert.Equal(quality, pod.Obj("status").Str("qosClass"));
    }

    [Fact]
    public async Task Limits_alone_are_requests_where_no_container_asks()
    {
        var pod = await harness.CreateAsync("", "pods", Named("""{"resources":{"limits":{"cpu":"1","memory":"1Gi"}},"containers":[{"name":"a","image":"x:1"}]}"""));
        Assert.Equal("""{"cpu":"1","memory":"1Gi"}""", pod.Obj("spec", "resources").Obj("requests")!.ToJsonString());
    }

    [Fact]
    public async Task Huge_pages_of_containers_limit_the_pod()
    {
        var pod = await harness.CreateAsync("", "pods", Named("""{"resources":{"limits":{"cpu":"1"}},"containers":[{"name":"a","image":"x:1","resources":{"limits":{"cpu":"1","hugepages-2Mi":"4Mi"}}}]}"""));
        Assert.Equal("""{"limits":{"cpu":"1","hugepages-2Mi":"4Mi"},"requests":{"cpu":"1","hugepages-2Mi":"4Mi"}}""", pod.Obj("spec", "resources")!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"requests":{"cpu":"50m"}}""", "spec.resources.requests[cpu]: Invalid value: \"50m\": must be greater than or equal to aggregate container requests of 100m")]
    [InlineData("""{"limits":{"memory":"32Mi","cpu":"1"},"requests":{"memory":"32Mi"}}""",
        "[spec.resources.requests[memory]: Invalid value: \"32Mi\": must be greater than or equal to aggregate container requests of 128Mi, spec.resources.containers[1][memory].limits: Invalid value: \"64Mi\": must be less than or equal to pod limits of 32Mi]")]
    [InlineData("""{"requests":{"ephemeral-storage":"1Gi"}}""", "spec.resources.requests[ephemeral-storage]: Unsupported value: \"ephemeral-storage\": supported values: \"cpu\", \"hugepages-\", \"memory\"")]
    [InlineData("""{"claims":[{"name":"c"}]}""", "spec.resources.claims: Forbidden: claims cannot be set for Resources at pod-level")]
    public async Task Refused(string resources, string message)
    {
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.CreateAsync("", "pods", Pod(resources)));
        Assert.StartsWith("Pod \"web\" is invalid: " + message, error.Message.Replace("invalid: [spec.resources.claims: Forbidden", "invalid: spec.resources.claims: Forbidden", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_storage_request_of_a_container_stands_beside_pod_level_resources()
    {
        var pod = await harness.CreateAsync("", "pods", Named("""{"resources":{"requests":{"cpu":"1"}},"containers":[{"name":"a","image":"x:1","resources":{"requests":{"ephemeral-storage":"1Gi"}}}]}"""));
        Assert.Equal("1Gi", PodResources.Total(pod.Obj("spec"))["ephemeral-storage"].ToString());
        Assert.Equal("1", PodResources.Total(pod.Obj("spec"))["cpu"].ToString());
    }

    [Theory]
    [InlineData("""{"limits":{"cpu":"2","memory":"2Gi"},"requests":{"cpu":"200m","memory":"256Mi"}}""", null)]
    [InlineData("""{"limits":{"cpu":"2","memory":"2Gi"},"requests":{"cpu":"2","memory":"2Gi"}}""", "spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing")]
    [InlineData("""{"limits":{"cpu":"1"},"requests":{"cpu":"100m","memory":"128Mi"}}""", "spec.resources.limits: Forbidden: pod-level resource limits cannot be removed")]
    [InlineData("""{"limits":{"cpu":"1","memory":"1Gi","hugepages-2Mi":"2Mi"},"requests":{"cpu":"100m","memory":"128Mi","hugepages-2Mi":"2Mi"}}""", "spec: Forbidden: only cpu and memory resources are mutable at pod-level")]
    [InlineData("""{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"50m","memory":"128Mi"}}""", "spec.resources.requests[cpu]: Invalid value: \"50m\": must be greater than or equal to aggregate container requests of 100m")]
    [InlineData("null", "spec.resources: Forbidden: pod-level resources cannot be removed")]
    public async Task Resizes_of_the_whole_pod(string resources, string? message)
    {
        var old = await harness.CreateAsync("", "pods", Pod("""{"limits":{"cpu":"1","memory":"1Gi"}}"""));
        var next = (JsonObject)old.DeepClone();
        next.Obj("spec")!["resources"] = JsonNode.Parse(resources);
        var errors = harness.SubresourceErrors("", "pods", "resize", next, old).Select(static e => e.ToString()).ToList();
        if (message is null)
            Assert.Empty(errors);
        else
            Assert.Contains(message, errors);
    }

    [Fact]
    public async Task A_pod_gets_pod_level_resources_by_resize()
    {
        var old = await harness.CreateAsync("", "pods", Named("""{"containers":[{"name":"a","image":"x:1","resources":{"requests":{"cpu":"100m"}}}]}"""));
        var next = (JsonObject)old.DeepClone();
        next.Obj("spec")!["resources"] = JsonNode.Parse("""{"requests":{"cpu":"1"}}""");
        Assert.Empty(harness.SubresourceErrors("", "pods", "resize", next, old));
    }

    [Theory]
    [InlineData("""[{"name":"b","image":"x"},{"name":"a","image":"x"}]""",
        "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize", "spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize")]
    [InlineData("""[{"name":"a","image":"x"}]""", "spec.containers: Forbidden: containers may not be added or removed on resize")]
    [InlineData("""[{"name":"a","image":"x"},{"name":"b","image":"x"},{"name":"c","image":"x"}]""", "spec.containers: Forbidden: containers may not be added or removed on resize")]
    [InlineData("""[{"name":"a","image":"other"},{"name":"b","image":"x"}]""")]
    [InlineData("""[{"name":"a","image":"x","resizePolicy":[{"resourceName":"cpu","restartPolicy":"RestartContainer"}]},{"name":"b","image":"x"}]""", "spec: Forbidden: only cpu and memory resources are mutable")]
    public async Task Containers_stay_what_and_where_they_are(string containers, params string[] messages)
    {
        var old = await harness.CreateAsync("", "pods", Named("""{"containers":[{"name":"a","image":"x"},{"name":"b","image":"x"}]}"""));
        var next = (JsonObject)old.DeepClone();
        next.Obj("spec")!["containers"] = JsonNode.Parse(containers);
        Assert.Equal(messages, harness.SubresourceErrors("", "pods", "resize", next, old).Select(static e => e.ToString()));
    }

    [Theory]
    [InlineData("", "", null)]
    [InlineData("", ",\"ephemeral-storage\":\"1Gi\"", "spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar containers are mutable")]
    [InlineData(",\"resizePolicy\":[{\"resourceName\":\"cpu\",\"restartPolicy\":\"RestartContainer\"}]", "", "spec.initContainers[0]: Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be resized")]
    public async Task Init_containers_are_resized_too(string policy, string more, string? message)
    {
        var spec = """{"initContainers":[{"name":"i","image":"x","resources":{"requests":{"cpu":"1"}}POLICY}],"containers":[{"name":"a","image":"x"}]}""".Replace("POLICY", policy, StringComparison.Ordinal);
        var old = await harness.CreateAsync("", "pods", Named(spec));
        var next = (JsonObject)old.DeepClone();
        next["spec"]!["initContainers"]![0]!["resources"] = JsonNode.Parse("{\"requests\":{\"cpu\":\"2\"" + more + "}}");
        Assert.Equal(message, harness.SubresourceErrors("", "pods", "resize", next, old).SingleOrDefault()?.ToString());
    }

    private static JsonObject Pod(string resources) => Named(Two.Replace("RES", resources, StringComparison.Ordinal));

    private static JsonObject Named(string spec) => KindHarness.Json("""{"metadata":{"name":"web","namespace":"default"},"spec":""" + spec + "}");
}
