using System.IO.Pipelines;
using System.Net.WebSockets;
using Mesh.Api;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Streaming.Spdy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.Streaming;

/// <summary>
/// exec and attach over a WebSocket (v5.channel.k8s.io and v4): a message is a channel number and bytes. The other side is a SPDY session
/// with the runtime, because only that can close stdin alone, which v5's close signal (255, channel) asks for.
/// </summary>
internal sealed class WebSocketSession(ILogger log)
{
    private const byte Stdin = 0;
    private const byte Stdout = 1;
    private const byte Stderr = 2;
    private const byte Error = 3;
    private const byte Resize = 4;
    private const byte Close = 255;
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(3);
    private static readonly string[] Protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

    public async Task RunAsync(HttpContext context, Uri url, StreamSelection streams)
    {
        var protocol = Protocols.FirstOrDefault(context.WebSockets.WebSocketRequestedProtocols.Contains)
            ?? throw new Server.ApiError(StatusCodes.Status400BadRequest, $"unable to upgrade: the WebSocket protocol must be one of {string.Join(", ", Protocols)}");
        var headers = new[] { KeyValuePair.Create("Connection", "Upgrade"), KeyValuePair.Create("Upgrade", "SPDY/3.1"), KeyValuePair.Create("X-Stream-Protocol-Version", "v4.channel.k8s.io") };
        var (transport, _) = await UpgradeClient.OpenAsync(url, headers, context.RequestAborted);
        await using var runtime = new SpdyClient(transport);
        var session = await OpenAsync(runtime, streams, context.RequestAborted);
        using var socket = await context.WebSockets.AcceptWebSocketAsync(protocol);
        await PumpAsync(socket, session, context.RequestAborted);
    }

    private static async Task<Session> OpenAsync(SpdyClient runtime, StreamSelection streams, CancellationToken ct)
    {
        // The server waits for exactly the streams that were asked for, in any order.
        Task<SpdyStream> Open(string type) => runtime.OpenAsync([KeyValuePair.Create("streamtype", type)], ct);
        var error = Open("error");
        var stdin = streams.Stdin ? Open("stdin") : null;
        var stdout = streams.Stdout ? Open("stdout") : null;
        var stderr = streams.Stderr && !streams.Tty ? Open("stderr") : null;
        var resize = streams.Tty ? Open("resize") : null;
        return new Session(
            await error,
            stdin is null ? null : await stdin,
            stdout is null ? null : await stdout,
            stderr is null ? null : await stderr,
            resize is null ? null : await resize);
    }

    private async Task PumpAsync(WebSocket socket, Session session, CancellationToken ct)
    {
        using var sending = new SemaphoreSlim(1);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        // An empty message tells the client that the session stands.
        await SendAsync(socket, sending, session.Stdout is not null ? Stdout : session.Stderr is not null ? Stderr : Error, ReadOnlyMemory<byte>.Empty, stop.Token);
        var input = InputAsync(socket, session, stop.Token);
        var output = Task.WhenAll(
            OutputAsync(session.Stdout, Stdout, socket, sending, stop.Token),
            OutputAsync(session.Stderr, Stderr, socket, sending, stop.Token));
        var finished = FinishAsync(output, session.Error, socket, sending, stop.Token);
        await Task.WhenAny(finished, input);
        if (!finished.IsCompleted)
            StreamLog.ClientLeft(log);
        else if (finished.IsCompletedSuccessfully)
            await CloseAsync(socket, sending, input);
        await stop.CancelAsync();
        await Task.WhenAll(finished, input, output).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Says that it is over and takes what the client still sends until it says so too. Closing on unread input would reset the connection,
    /// and a reset can overtake the last output.
    /// </summary>
    private static async Task CloseAsync(WebSocket socket, SemaphoreSlim sending, Task<bool> input)
    {
        using var limit = new CancellationTokenSource(CloseTimeout);
        await sending.WaitAsync(CancellationToken.None);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
            await input.WaitAsync(limit.Token);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException)
        {
            // The client did not wait for the end.
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>All output first, then the exit status: the client takes channel 3 for the end.</summary>
    private static async Task FinishAsync(Task output, SpdyStream error, WebSocket socket, SemaphoreSlim sending, CancellationToken ct)
    {
        var status = await ReadAllAsync(error, ct);
        await output;
        if (status.Length == 0)
            status = error.Failure is { } failure ? KubeJson.Serialize(Statuses.InternalError(failure.Message)) : "{\"metadata\":{},\"status\":\"Success\"}"u8.ToArray();
        await SendAsync(socket, sending, Error, status, ct);
    }

    /// <summary>Client to container; true when the client closed the session.</summary>
    private static async Task<bool> InputAsync(WebSocket socket, Session session, CancellationToken ct)
    {
        var buffer = new byte[32 * 1024];
        byte channel = 0;
        var first = true;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), ct);
            if (part.MessageType == WebSocketMessageType.Close)
                return true;
            var data = buffer.AsMemory(0, part.Count);
            if (first && data.Length > 0)
            {
                channel = data.Span[0];
                data = data[1..];
            }

            first = part.EndOfMessage;
            try
            {
                if (channel == Stdin && session.Stdin is not null && data.Length > 0)
                    await session.Stdin.WriteAsync(data, ct);
                else if (channel == Resize && session.Resize is not null && data.Length > 0)
                    await session.Resize.WriteAsync(data, ct);
                else if (channel == Close && data.Length > 0 && data.Span[0] == Stdin && session.Stdin is not null)
                    await session.Stdin.CloseWriteAsync(ct);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The command has ended without reading all of its input: the rest is for nobody.
            }
        }
    }

    private static async Task OutputAsync(SpdyStream? stream, byte channel, WebSocket socket, SemaphoreSlim sending, CancellationToken ct)
    {
        if (stream is null)
            return;
        while (true)
        {
            var read = await stream.Reader.ReadAsync(ct);
            foreach (var part in read.Buffer)
                await SendAsync(socket, sending, channel, part, ct);
            stream.Reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    private static async Task<byte[]> ReadAllAsync(SpdyStream stream, CancellationToken ct)
    {
        using var all = new MemoryStream();
        await stream.Reader.CopyToAsync(all, ct);
        return all.ToArray();
    }

    private static async Task SendAsync(WebSocket socket, SemaphoreSlim sending, byte channel, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        var message = new byte[data.Length + 1];
        message[0] = channel;
        data.CopyTo(message.AsMemory(1));
        await sending.WaitAsync(ct);
        try
        {
            await socket.SendAsync(message, WebSocketMessageType.Binary, true, ct);
        }
        finally
        {
            sending.Release();
        }
    }

    private sealed record Session(SpdyStream Error, SpdyStream? Stdin, SpdyStream? Stdout, SpdyStream? Stderr, SpdyStream? Resize);
}

/// <summary>Logs of streaming sessions.</summary>
internal static partial class StreamLog
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "the client left the session before it ended")]
    public static partial void ClientLeft(ILogger log);
}
