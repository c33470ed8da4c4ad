using System.Net;
using System.Net.Sockets;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Probes;
using Mesh.NodeAgent.Runtime.Hollow;

namespace Mesh.NodeAgent.Tests.Probes;

public sealed class ProbeStateTests
{
    [Fact]
    public void Readiness_turns_by_its_thresholds()
    {
        var state = new ProbeState(ProbeKind.Readiness, new ProbeTiming(0, 1, 1, 2, 3));
        Assert.False(state.Good);
        Assert.False(state.Take(ProbeResult.Success));
        Assert.True(state.Take(ProbeResult.Success));
        Assert.True(state.Good);
        Assert.False(state.Take(ProbeResult.Failure));
        Assert.False(state.Take(ProbeResult.Failure));
        Assert.False(state.Take(ProbeResult.Error));
        Assert.True(state.Take(ProbeResult.Failure));
        Assert.False(state.Good || state.Fatal);
    }

    [Fact]
    public void Liveness_is_good_until_it_fails_often_enough_and_then_for_good()
    {
        var state = new ProbeState(ProbeKind.Liveness, new ProbeTiming(0, 1, 1, 1, 2));
        Assert.True(state.Good);
        state.Take(ProbeResult.Failure);
        state.Take(ProbeResult.Success);
        state.Take(ProbeResult.Failure);
        Assert.False(state.Fatal);
        Assert.True(state.Take(ProbeResult.Failure));
        Assert.True(state.Fatal);
        Assert.False(state.Take(ProbeResult.Success));
    }

    [Fact]
    public void Defaults_are_kubernetes_own() => Assert.Equal(new ProbeTiming(0, 10, 1, 1, 3), ProbeTiming.Of(new Probe()));

    [Fact]
    public async Task Http_and_tcp_probes_tell_answers_from_silence()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var prober = new Prober(new HollowRuntime(TimeProvider.System));
        var container = new Container { Name = "c", Ports = [new ContainerPort { Name = "web", ContainerPortValue = port }] };
        var tcp = new Probe { TcpSocket = new TCPSocketAction { Port = "web" } };
        Assert.Equal(ProbeResult.Success, (await prober.TryAsync(tcp, container, "id", "127.0.0.1", default)).Result);

        foreach (var (code, expected) in new[] { ("200 OK", ProbeResult.Success), ("302 Found\r\nLocation: http://elsewhere.example/", ProbeResult.Success), ("500 No", ProbeResult.Failure) })
        {
            var answer = AnswerAsync(listener, code);
            var http = new Probe { HttpGet = new HTTPGetAction { Path = "/health", Port = port }, TimeoutSeconds = 5 };
            var outcome = await prober.TryAsync(http, container, "id", "127.0.0.1", default);
            Assert.Equal(expected, outcome.Result);
            if (expected == ProbeResult.Failure)
                Assert.Equal("HTTP probe failed with statuscode: 500", outcome.Output);
            await answer;
        }

        listener.Stop();
        Assert.Equal(
            new ProbeOutcome(ProbeResult.Failure, $"dial tcp 127.0.0.1:{port}: connect: connection refused"),
            await prober.TryAsync(tcp, container, "id", "127.0.0.1", default));
    }

    private static async Task AnswerAsync(TcpListener listener, string status)
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync();
            var buffer = new byte[4096];
            // The tcp probe's connection before says nothing.
            if (await client.GetStream().ReadAsync(buffer) == 0)
                continue;
            await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
            return;
        }
    }
}
