using System.Net;
using System.Net.WebSockets;
using System.Text;
using Mesh.Api.Core.V1;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Server;
using Mesh.NodeAgent.Streaming;
using Mesh.NodeAgent.Streaming.Spdy;
using Mesh.NodeAgent.Tests.Support;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.NodeAgent.Tests.Containerd;

[Collection("containerd")]
public sealed class NodeApiTests(ContainerdFixture containerd)
{
    [Fact]
    public async Task Logs_exec_and_port_forward_reach_the_container()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await using var app = await ServeAsync(agent.Node);
        var root = new Uri(app.Urls.First());
        await api.CreateAsync(TestPods.Sleeper("served", "echo one; echo two; echo err >&2; while true; do echo pong | nc -l -s 127.0.0.1 -p 8080; done"));
        await TestPods.PhaseAsync(api, "served", "Running");
        using var http = new HttpClient { BaseAddress = root };

        var text = "";
        await Eventually.TrueAsync(() => (text = http.GetStringAsync("/containerLogs/default/served/main").GetAwaiter().GetResult()).Contains("err", StringComparison.Ordinal), TimeSpan.FromSeconds(10), () => text);
        Assert.Equal("one\ntwo\n", await http.GetStringAsync("/containerLogs/default/served/main?stream=Stdout"));
        Assert.Equal("one\n", await http.GetStringAsync("/containerLogs/default/served/main?limitBytes=4&stream=Stdout"));
        Assert.Matches("^20[0-9-]+T[0-9:.]+(Z|[+-][0-9:]+) one\n", await http.GetStringAsync("/containerLogs/default/served/main?timestamps=true&stream=Stdout"));
        var previous = await http.GetAsync("/containerLogs/default/served/main?previous=true");
        Assert.Equal((HttpStatusCode.BadRequest, "previous terminated container \"main\" in pod \"served\" not found"), (previous.StatusCode, await previous.Content.ReadAsStringAsync()));

        Assert.Equal(("HELLO\n", "{\"metadata\":{},\"status\":\"Success\"}"), await WebSocketExecAsync(root, "exec/default/served/main?input=1&output=1&command=sh&command=-c&command=" + Uri.EscapeDataString("cat | /bin/busybox tr a-z A-Z"), "hello\n"));
        var (_, failed) = await WebSocketExecAsync(root, "exec/default/served/main?output=1&error=1&command=sh&command=-c&command=" + Uri.EscapeDataString("exit 7"), null);
        Assert.Contains("\"reason\":\"NonZeroExitCode\"", failed);
        Assert.Contains("\"message\":\"7\"", failed);

        Assert.Equal("pong\n", await PortForwardAsync(root, "portForward/default/served", 8080));
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
        await using var app = await ServeAsync(agent.Node);
        await api.CreateAsync(TestPods.Sleeper("counts", "for i in 1 2 3; do echo $i; sleep 0.3; done", p => p.Spec!.RestartPolicy = "Never"));
        await TestPods.UntilAsync(api, "counts", p => p.Status?.ContainerStatuses is [{ ContainerID.Length: > 0 }]);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        Assert.Equal("1\n2\n3\n", await http.GetStringAsync("/containerLogs/default/counts/main?follow=true"));
        await TestPods.RemoveAsync(api, "counts");
    }

    private static async Task<WebApplication> ServeAsync(AgentNode node)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseWebSockets();
        new NodeApi(node, TimeProvider.System, NullLoggerFactory.Instance, new MetricsRegistry(TimeProvider.System, false)).Map(app);
        await app.StartAsync();
        return app;
    }

    private static async Task<(string Output, string Status)> WebSocketExecAsync(Uri root, string path, string? input)
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("v5.channel.k8s.io");
        socket.Options.AddSubProtocol("v4.channel.k8s.io");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await socket.ConnectAsync(new Uri($"ws://{root.Authority}/{path}"), limit.Token);
        Assert.Equal("v5.channel.k8s.io", socket.SubProtocol);
        if (input is not null)
        {
            await socket.SendAsync((byte[])[0, .. Encoding.UTF8.GetBytes(input)], WebSocketMessageType.Binary, true, limit.Token);
            await socket.SendAsync((byte[])[255, 0], WebSocketMessageType.Binary, true, limit.Token);
        }

        var channels = new Dictionary<byte, StringBuilder>();
        var buffer = new byte[4096];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, limit.Token);
            if (part.MessageType == WebSocketMessageType.Close)
                break;
            if (!channels.TryGetValue(buffer[0], out var text))
                channels[buffer[0]] = text = new StringBuilder();
            text.Append(Encoding.UTF8.GetString(buffer, 1, part.Count - 1));
        }

        return (channels.TryGetValue(1, out var output) ? output.ToString() : "", channels.TryGetValue(3, out var status) ? status.ToString() : "");
    }

    private static async Task<string> PortForwardAsync(Uri root, string path, int port)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var headers = new[] { KeyValuePair.Create("Connection", "Upgrade"), KeyValuePair.Create("Upgrade", "SPDY/3.1"), KeyValuePair.Create("X-Stream-Protocol-Version", "portforward.k8s.io") };
        var (stream, head) = await UpgradeClient.OpenAsync(new Uri(root, path), headers, limit.Token);
        Assert.Contains("portforward.k8s.io", head);
        await using var client = new SpdyClient(stream);
        KeyValuePair<string, string>[] Stream(string type) => [KeyValuePair.Create("streamtype", type), KeyValuePair.Create("port", port.ToString()), KeyValuePair.Create("requestid", "0")];
        var error = await client.OpenAsync(Stream("error"), limit.Token);
        await error.CloseWriteAsync(limit.Token);
        var data = await client.OpenAsync(Stream("data"), limit.Token);
        using var all = new MemoryStream();
        while (true)
        {
            var read = await data.Reader.ReadAsync(limit.Token);
            foreach (var part in read.Buffer)
                all.Write(part.Span);
            data.Reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted || Encoding.UTF8.GetString(all.ToArray()).Contains('\n', StringComparison.Ordinal))
                return Encoding.UTF8.GetString(all.ToArray());
        }
    }
}
