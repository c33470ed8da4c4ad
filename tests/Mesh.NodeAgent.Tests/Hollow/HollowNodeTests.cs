using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Metrics;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Runtime.Containerd;
using Mesh.NodeAgent.Runtime.Hollow;
using Mesh.NodeAgent.Server;
using Mesh.NodeAgent.Tests.Containerd;
using Mesh.NodeAgent.Tests.Support;
using Mesh.Security;
using Mesh.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.NodeAgent.Tests.Hollow;

public sealed class HollowNodeTests
{
    [Fact]
    public async Task Many_simulated_nodes_register_and_run_their_pods()
    {
        var api = new FakeKubeClient();
        using var stop = new CancellationTokenSource();
        var informers = new InformerFactory(api, NullLoggerFactory.Instance);
        var loggers = new LoggerFactory([new Containerd.TestLog()]);
        await using var recorder = new EventRecorder(api, "kubelet", NullLogger.Instance);
        var options = new NodeAgentOptions { NodeName = "h", Runtime = "hollow", HollowNodes = 50, Listen = "" };
        using var metrics = new MetricsRegistry(TimeProvider.System, false);
        using var nodes = new HollowNodes(options, api, informers, recorder, new KubeletMetrics(metrics, TimeProvider.System), TimeProvider.System, loggers);
        var running = informers.RunAsync(stop.Token);
        await nodes.StartAsync(stop.Token);
        await Eventually.TrueAsync(() => api.All<Node>().Count(n => n.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true) == 50, TimeSpan.FromSeconds(30));
        for (var i = 0; i < 50; i++)
            await api.CreateAsync(TestPods.Sleeper($"p{i}", change: p => p.Spec!.NodeName = $"h-{i}"));
        await Eventually.TrueAsync(() => api.All<Pod>().Count(p => p.Status?.Phase == "Running") == 50, TimeSpan.FromSeconds(30), () => $"{api.All<Pod>().Count(p => p.Status?.Phase == "Running")}");
        await TestPods.DeleteAsync(api, "p7");
        await Eventually.TrueAsync(() => api.Find<Pod>("default", "p7") is null, TimeSpan.FromSeconds(10));
        await Eventually.TrueAsync(() => api.All<Mesh.Api.Coordination.V1.Lease>("kube-node-lease").Count == 50, TimeSpan.FromSeconds(10));
        await stop.CancelAsync();
        await nodes.StopAsync(default);
        await Task.WhenAny(running);
    }

    [Fact]
    public async Task Simulated_containers_end_when_told_to()
    {
        var runtime = new HollowRuntime(TimeProvider.System);
        var config = new Cri.PodSandboxConfig { Metadata = new() { Name = "p", Namespace = "d", Uid = "u" }, Linux = new() { SecurityContext = new() { NamespaceOptions = new() } } };
        var sandbox = await runtime.RunSandboxAsync(config, "", default);
        var id = await runtime.CreateContainerAsync(sandbox, new Cri.ContainerConfig { Metadata = new() { Name = "c" }, Image = new() { Image = "i" } }, config, default);
        await runtime.StartContainerAsync(id, default);
        Assert.Equal(ContainerPhase.Running, (await runtime.InspectPodAsync("u", default)).Containers[0].Phase);
        runtime.Exit(id, 3);
        Assert.Equal((ContainerPhase.Exited, 3), ((await runtime.InspectPodAsync("u", default)).Containers[0].Phase, (await runtime.InspectPodAsync("u", default)).Containers[0].ExitCode));
    }

    /// <summary>The node is well, so that is no 500: the containers have no log, and whoever asks is told so.</summary>
    [Theory]
    [InlineData("main", "", "container \"main\" in pod \"p\" has no log: containers of this node are simulated")]
    [InlineData("main", "?follow=true&tailLines=5", "container \"main\" in pod \"p\" has no log: containers of this node are simulated")]
    [InlineData("main", "?previous=true", "previous terminated container \"main\" in pod \"p\" not found")]
    [InlineData("other", "", "container other is not valid for pod p")]
    public async Task A_log_of_a_simulated_container_is_a_bad_request(string container, string query, string expected)
    {
        var api = new FakeKubeClient();
        await using var agent = new TestAgent(new NodeAgentOptions { NodeName = "test-node", Runtime = "hollow", Listen = "" }, api);
        await TestPods.NodeReadyAsync(api);
        await using var app = await ServedAgent.StartAsync(agent.Node);
        await api.CreateAsync(TestPods.Sleeper("p"));
        await TestPods.PhaseAsync(api, "p", "Running", seconds: 60);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        var answer = await http.GetAsync($"/containerLogs/default/p/{container}{query}");
        Assert.Equal((System.Net.HttpStatusCode.BadRequest, expected), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }

    /// <summary>kubectl shows a Status as it is; a text it would put behind "unable to upgrade connection".</summary>
    [Theory]
    [InlineData("/exec/default/p/main?command=ls&output=1", "container \"main\" in pod \"p\" runs no commands: containers of this node are simulated")]
    [InlineData("/attach/default/p/main?output=1", "container \"main\" in pod \"p\" has no process to attach to: containers of this node are simulated")]
    [InlineData("/portForward/default/p", "pod \"p\" has no ports to forward to: containers of this node are simulated")]
    public async Task A_session_with_a_simulated_container_is_a_bad_request(string path, string expected)
    {
        var api = new FakeKubeClient();
        await using var agent = new TestAgent(new NodeAgentOptions { NodeName = "test-node", Runtime = "hollow", Listen = "" }, api);
        await TestPods.NodeReadyAsync(api);
        await using var app = await ServedAgent.StartAsync(agent.Node);
        await api.CreateAsync(TestPods.Sleeper("p"));
        await TestPods.PhaseAsync(api, "p", "Running", seconds: 60);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "SPDY/3.1");

        var answer = await http.SendAsync(request);
        var status = System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal((System.Net.HttpStatusCode.BadRequest, "Status", "BadRequest", expected), (answer.StatusCode, status["kind"]?.ToString(), status["reason"]?.ToString(), status["message"]?.ToString()));
    }

    [Fact]
    public void Only_allowed_users_may_call_the_agent()
    {
        var allowed = new HashSet<string> { "kube-apiserver-kubelet-client" };
        Assert.True(NodeServer.MayCall(new UserInfo("kube-apiserver-kubelet-client", "", []), allowed));
        Assert.True(NodeServer.MayCall(new UserInfo("admin", "", ["system:masters"]), allowed));
        Assert.False(NodeServer.MayCall(new UserInfo("somebody", "", ["system:authenticated"]), allowed));
        Assert.False(NodeServer.MayCall(null, allowed));
    }

    [Fact]
    public void What_is_missing_is_named_with_the_way_to_get_it()
    {
        var host = new HostProbe { Root = false, Cgroups = Mesh.NodeAgent.Cgroups.CgroupVersion.None, CanLowerOomScore = false, AppArmor = false };
        Assert.Equal(6, host.Missing().Count);
        Assert.Contains("containerd: apt-get install containerd", host.Missing());
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Configuration_of_containerd_follows_what_the_host_can(bool capable, bool restricted)
    {
        var host = new HostProbe { Root = true, Cgroups = Mesh.NodeAgent.Cgroups.CgroupVersion.V1, CanLowerOomScore = capable, AppArmor = capable, OciRuntime = "/usr/sbin/runc", CniBinDirectory = "/usr/lib/cni" };
        var text = ContainerdConfig.Write(new ContainerdOptions { Directory = "/d", CniConfigDirectory = "/d/net.d" }, host);
        Assert.Equal(restricted, text.Contains("restrict_oom_score_adj = true", StringComparison.Ordinal));
        Assert.Equal(restricted, text.Contains("disable_apparmor = true", StringComparison.Ordinal));
        Assert.Contains("bin_dir = \"/usr/lib/cni\"", text);
        Assert.Contains("address = \"/d/containerd.sock\"", text);
        Assert.True(SocketPaths.Fit("/" + new string('x', 200)).Length < 100);
    }
}
