using System.Net;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Containerd;

[Collection("containerd")]
public sealed class NodeApiTests(ContainerdFixture containerd)
{
    [Fact]
    public async Task Logs_and_metrics_of_a_container_are_served()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await using var app = await ServedAgent.StartAsync(agent.Node);
        var root = new Uri(app.Urls.First());
        await api.CreateAsync(TestPods.Sleeper("served", "echo one; echo two; echo err >&2; sleep 3600"));
        await TestPods.PhaseAsync(api, "served", "Running");
        using var http = new HttpClient { BaseAddress = root };

        var text = "";
        await Eventually.TrueAsync(() => (text = http.GetStringAsync("/containerLogs/default/served/main").GetAwaiter().GetResult()).Contains("err", StringComparison.Ordinal), TimeSpan.FromSeconds(10), () => text);
        Assert.Equal("one\ntwo\n", await http.GetStringAsync("/containerLogs/default/served/main?stream=Stdout"));
        Assert.Equal("one\n", await http.GetStringAsync("/containerLogs/default/served/main?limitBytes=4&stream=Stdout"));
        Assert.Matches("^20[0-9-]+T[0-9:.]+(Z|[+-][0-9:]+) one\n", await http.GetStringAsync("/containerLogs/default/served/main?timestamps=true&stream=Stdout"));
        var previous = await http.GetAsync("/containerLogs/default/served/main?previous=true");
        Assert.Equal((HttpStatusCode.BadRequest, "previous terminated container \"main\" in pod \"served\" not found"), (previous.StatusCode, await previous.Content.ReadAsStringAsync()));

        var missing = await http.GetAsync("/exec/default/none/main?output=1&command=true");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Contains("container_memory_working_set_bytes", await http.GetStringAsync("/metrics/cadvisor"));
        Assert.Contains("\"nodeName\":\"test-node\"", await http.GetStringAsync("/stats/summary"));
        Assert.Contains("\"name\":\"served\"", await http.GetStringAsync("/pods"));
        await TestPods.RemoveAsync(api, "served");
    }

    [Fact]
    public async Task Followed_log_ends_with_its_container()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await using var app = await ServedAgent.StartAsync(agent.Node);
        await api.CreateAsync(TestPods.Sleeper("counts", "for i in 1 2 3; do echo $i; sleep 0.3; done", p => p.Spec!.RestartPolicy = "Never"));
        await TestPods.UntilAsync(api, "counts", p => p.Status?.ContainerStatuses is [{ ContainerID.Length: > 0 }]);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        Assert.Equal("1\n2\n3\n", await http.GetStringAsync("/containerLogs/default/counts/main?follow=true"));
        await TestPods.RemoveAsync(api, "counts");
    }
}
