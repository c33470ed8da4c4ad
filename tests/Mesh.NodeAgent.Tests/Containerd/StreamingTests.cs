using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Streaming;
using Mesh.NodeAgent.Streaming.Spdy;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Containerd;

/// <summary>exec, attach and port-forward through the agent's API into a container, in the forms that kubectl uses.</summary>
[Collection("containerd")]
public sealed class StreamingTests(ContainerdFixture containerd)
{
    [Fact]
    public async Task Exec_carries_input_output_errors_and_the_exit_code()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await using var app = await ServedAgent.StartAsync(agent.Node);
        var root = new Uri(app.Urls.First());
        await StartAsync(api, "execs", "sleep 3600");
        const string Path = "exec/default/execs/main?";

        var echoed = await ChannelClient.RunAsync(root, Path + "input=1&output=1" + Script("cat | /bin/busybox tr a-z A-Z"), "hello\n"u8.ToArray());
        Assert.Equal(("HELLO\n", "{\"metadata\":{},\"status\":\"Success\"}", WebSocketCloseStatus.NormalClosure), (echoed.Text, echoed.Status, echoed.Close));

        var failed = await ChannelClient.RunAsync(root, Path + "output=1&error=1" + Script("echo out; echo err >&2; exit 7"));
        Assert.Equal(("out\n", "err\n"), (failed.Text, failed.Stderr));
        Assert.Contains("\"reason\":\"NonZeroExitCode\"", failed.Status);
        Assert.Contains("\"message\":\"7\"", failed.Status);

        var blob = RandomNumberGenerator.GetBytes(3_000_000);
        var copied = await ChannelClient.RunAsync(root, Path + "input=1&output=1" + Script("cat"), blob);
        Assert.Equal(SHA256.HashData(blob), SHA256.HashData(copied.Stdout));
        Assert.Contains("Success", copied.Status);

        // A command that reads none of its input ends all the same, with its own code. The input fits into the runtime's FIFO: with more,
        // containerd 1.6 may wait for ever for a reader that has gone (ExecIO.Attach waits for its copy of stdin before it looks at the exit).
        var deaf = await ChannelClient.RunAsync(root, Path + "input=1&output=1" + Script("exit 4"), blob[..60_000]);
        Assert.Contains("\"message\":\"4\"", deaf.Status);

        var none = await ChannelClient.RunAsync(root, Path + "output=1&command=nosuch");
        Assert.Contains("\"nosuch\\\": executable file not found", none.Status);
        await TestPods.RemoveAsync(api, "execs");
    }

    [Fact]
    public async Task Terminal_has_the_size_the_client_says_and_attach_reaches_the_first_process()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await using var app = await ServedAgent.StartAsync(agent.Node);
        var root = new Uri(app.Urls.First());
        await StartAsync(api, "terminal", "read line; echo got $line; sleep 0.3; exit 0", p => (p.Spec!.Containers![0].Stdin, p.Spec.Containers[0].StdinOnce, p.Spec.RestartPolicy) = (true, true, "Never"));

        var sized = await ChannelClient.RunAsync(
            root, "exec/default/terminal/main?output=1&tty=1" + Script("for i in 1 2 3 4 5 6 7 8 9 10; do stty size 2>/dev/null | /bin/busybox grep -q 33 && break; sleep 0.1; done; stty size"), null, "{\"Width\":77,\"Height\":33}");
        Assert.Contains("33 77\r\n", sized.Text);
        var attached = await ChannelClient.RunAsync(root, "attach/default/terminal/main?input=1&output=1&error=1", "word\n"u8.ToArray());
        Assert.Equal("got word\n", attached.Text);
        await TestPods.RemoveAsync(api, "terminal");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Port_forward_carries_bytes_and_says_why_it_cannot(bool tunnelled)
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await using var app = await ServedAgent.StartAsync(agent.Node);
        var root = new Uri(app.Urls.First());
        await StartAsync(api, "ports", "nc -ll -p 8080 -e echo pong");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));

        // The port is open a moment after the pod runs.
        var answer = (Data: "", Error: "");
        while (answer.Data.Length == 0)
            answer = await ForwardAsync(root, tunnelled, 8080, limit.Token);
        Assert.Equal(("pong\n", ""), answer);
        var refused = await ForwardAsync(root, tunnelled, 8081, limit.Token);
        Assert.Equal("", refused.Data);
        Assert.Contains("connection refused", refused.Error);
        await TestPods.RemoveAsync(api, "ports");
    }

    private static string Script(string text) => "&command=sh&command=-c&command=" + Uri.EscapeDataString(text);

    private static async Task StartAsync(FakeKubeClient api, string name, string script, Action<Mesh.Api.Core.V1.Pod>? change = null)
    {
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper(name, script, change));
        await TestPods.PhaseAsync(api, name, "Running");
    }

    /// <summary>One forwarded connection: what comes back until it closes, and what the error stream says.</summary>
    private static async Task<(string Data, string Error)> ForwardAsync(Uri root, bool tunnelled, int port, CancellationToken ct)
    {
        var url = new Uri(root, "portForward/default/ports");
        await using var transport = tunnelled ? await TunnelAsync(url, ct) : await PlainAsync(url, ct);
        await using var client = new SpdyClient(transport);
        KeyValuePair<string, string>[] Headers(string type) => [new("streamtype", type), new("port", $"{port}"), new("requestid", "0")];
        var error = await client.OpenAsync(Headers("error"), ct);
        await error.CloseWriteAsync(ct);
        var data = await client.OpenAsync(Headers("data"), ct);
        // Both at once: one of them may end only when the other has been read.
        var texts = await Task.WhenAll(ReadAsync(data, ct), ReadAsync(error, ct));
        return (texts[0], texts[1]);
    }

    private static async Task<string> ReadAsync(SpdyStream stream, CancellationToken ct)
    {
        using var all = new MemoryStream();
        await stream.Reader.CopyToAsync(all, ct);
        return Encoding.UTF8.GetString(all.ToArray());
    }

    private static async Task<Stream> PlainAsync(Uri url, CancellationToken ct)
    {
        KeyValuePair<string, string>[] headers = [new("Connection", "Upgrade"), new("Upgrade", "SPDY/3.1"), new("X-Stream-Protocol-Version", "portforward.k8s.io")];
        var (stream, head) = await UpgradeClient.OpenAsync(url, headers, ct);
        Assert.Contains("portforward.k8s.io", head);
        return stream;
    }

    /// <summary>The handshake by hand: .NET's client refuses the protocol's name, as its server does.</summary>
    private static async Task<Stream> TunnelAsync(Uri url, CancellationToken ct)
    {
        KeyValuePair<string, string>[] headers =
        [
            new("Connection", "Upgrade"), new("Upgrade", "websocket"), new("Sec-WebSocket-Version", "13"), new("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), new("Sec-WebSocket-Protocol", "SPDY/3.1+portforward.k8s.io"),
        ];
        var (stream, head) = await UpgradeClient.OpenAsync(url, headers, ct, "GET");
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head);
        Assert.Contains("Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io", head);
        return WebSocketStream.Create(WebSocket.CreateFromStream(stream, new WebSocketCreationOptions()), WebSocketMessageType.Binary, ownsWebSocket: true);
    }
}
