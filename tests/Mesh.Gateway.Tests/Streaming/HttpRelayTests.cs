using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Api;
using Mesh.Gateway.Streaming;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Tests.Streaming;

/// <summary>A client, the relay, and an agent of our own, over loopback.</summary>
public sealed class HttpRelayTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Answers_pass_as_they_come()
    {
        await using var agent = await ServeAsync(async http =>
        {
            http.Response.ContentType = "text/plain";
            await http.Response.WriteAsync($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}\n");
            await http.Response.Body.FlushAsync();
            await http.Response.WriteAsync(await new StreamReader(http.Request.Body).ReadToEndAsync());
        });
        await using var relay = await RelayAsync(agent, "/x?a=1", refuses: true);
        using var client = new HttpClient { Timeout = Limit };
        var answer = await client.PostAsync(relay.Urls.First() + "/any", new StringContent("sent"));
        Assert.Equal("POST /x?a=1\nsent", await answer.Content.ReadAsStringAsync());
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Refusal_becomes_a_status_where_that_is_asked_for()
    {
        await using var agent = await ServeAsync(http =>
        {
            http.Response.StatusCode = 400;
            return http.Response.WriteAsync("container \"c\" in pod \"p\" is waiting to start: PodInitializing");
        });
        await using var strict = await RelayAsync(agent, "/", refuses: true);
        await using var plain = await RelayAsync(agent, "/", refuses: false);
        using var client = new HttpClient { Timeout = Limit };
        var status = await client.GetAsync(strict.Urls.First());
        Assert.Equal("BadRequest: container \"c\" in pod \"p\" is waiting to start: PodInitializing", await status.Content.ReadAsStringAsync());
        var passed = await client.GetAsync(plain.Urls.First());
        Assert.Equal((HttpStatusCode.BadRequest, "container \"c\" in pod \"p\" is waiting to start: PodInitializing"), (passed.StatusCode, await passed.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Upgraded_connection_carries_bytes_both_ways_to_the_end()
    {
        // The agent counts what it gets until "." and answers with that many bytes: more than any buffer on the way.
        await using var agent = await ServeAsync(async http =>
        {
            await using var stream = await http.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
            var (buffer, count) = (new byte[8192], 0);
            for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
            {
                count += read;
                if (buffer[read - 1] == (byte)'.') break;
            }

            await stream.WriteAsync(new byte[count]);
        });
        await using var relay = await RelayAsync(agent, "/", refuses: false);
        using var limit = new CancellationTokenSource(Limit);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var url = new Uri(relay.Urls.First());
        await socket.ConnectAsync(url.Host, url.Port, limit.Token);
        await using var client = new NetworkStream(socket);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n"u8.ToArray(), limit.Token);
        var head = new List<byte>();
        while (!Encoding.ASCII.GetString([.. head]).EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var one = new byte[1];
            await client.ReadExactlyAsync(one, limit.Token);
            head.Add(one[0]);
        }

        Assert.StartsWith("HTTP/1.1 101", Encoding.ASCII.GetString([.. head]));
        var sent = new byte[1_000_000];
        sent[^1] = (byte)'.';
        await client.WriteAsync(sent, limit.Token);
        var got = 0;
        var back = new byte[65536];
        for (int read; (read = await client.ReadAsync(back, limit.Token)) > 0;) got += read;
        Assert.Equal(sent.Length, got);
    }

    [Theory]
    [InlineData(400, "BadRequest", "why")]
    [InlineData(404, "NotFound", "the server could not find the requested resource ( pods/log p)")]
    [InlineData(500, "InternalError", "Internal error occurred: why")]
    [InlineData(503, "ServiceUnavailable", "why")]
    public void Logs_are_refused_in_the_words_of_the_agent(int code, string reason, string message)
    {
        var status = NodeAgentStreams.Refusal("p", code, "why");
        Assert.Equal((code, reason, message), (status.Code, status.Reason, status.Message));
    }

    private static Task<WebApplication> RelayAsync(WebApplication agent, string target, bool refuses) => ServeAsync(async http =>
    {
        var url = new Uri(agent.Urls.First());
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(url.Host, url.Port, http.RequestAborted);
        await using var stream = new NetworkStream(socket);
        try
        {
            await HttpRelay.RunAsync(http, stream, new Upstream(url.Host, url.Port, false), target, refuses ? (code, text) => NodeAgentStreams.Refusal("p", code, text) : null, http.RequestAborted);
        }
        catch (ApiException e)
        {
            await http.Response.WriteAsync($"{e.Status.Reason}: {e.Status.Message}");
        }
    });

    private static async Task<WebApplication> ServeAsync(RequestDelegate handle)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(handle);
        await app.StartAsync();
        return app;
    }
}
