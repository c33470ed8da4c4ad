using System.Net.WebSockets;
using System.Text;

namespace Mesh.NodeAgent.Tests.Support;

/// <summary>What a session of exec or attach gave: stdout, stderr, the status of channel 3.</summary>
internal sealed record ChannelResult(byte[] Stdout, string Stderr, string Status, WebSocketCloseStatus? Close)
{
    public string Text => Encoding.UTF8.GetString(Stdout);
}

/// <summary>A caller of exec and attach over v5.channel.k8s.io, as kubectl is one.</summary>
internal static class ChannelClient
{
    public const byte Stdin = 0;
    public const byte Resize = 4;
    private const byte CloseChannel = 255;

    /// <summary>Sends the input and its end (null: no input at all), then reads until the server closes.</summary>
    public static async Task<ChannelResult> RunAsync(Uri root, string path, byte[]? input = null, string? resize = null)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("v5.channel.k8s.io");
        socket.Options.AddSubProtocol("v4.channel.k8s.io");
        await socket.ConnectAsync(new Uri($"ws://{root.Authority}/{path}"), limit.Token);
        Assert.Equal("v5.channel.k8s.io", socket.SubProtocol);
        var sending = SendAsync(socket, input, resize, limit.Token);
        var channels = new MemoryStream[4];
        for (var i = 0; i < channels.Length; i++)
            channels[i] = new MemoryStream();
        var buffer = new byte[64 * 1024];
        var first = true;
        var channel = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, limit.Token);
            if (part.MessageType == WebSocketMessageType.Close)
                break;
            if (first)
                channel = buffer[0];
            channels[channel].Write(buffer, first ? 1 : 0, part.Count - (first ? 1 : 0));
            first = part.EndOfMessage;
        }

        await sending;
        var close = socket.CloseStatus;
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
        return new ChannelResult(channels[1].ToArray(), Encoding.UTF8.GetString(channels[2].ToArray()), Encoding.UTF8.GetString(channels[3].ToArray()), close);
    }

    private static async Task SendAsync(WebSocket socket, byte[]? input, string? resize, CancellationToken ct)
    {
        if (resize is not null)
            await socket.SendAsync((byte[])[Resize, .. Encoding.UTF8.GetBytes(resize)], WebSocketMessageType.Binary, true, ct);
        if (input is null)
            return;
        for (var at = 0; at < input.Length; at += 32 * 1024)
            await socket.SendAsync((byte[])[Stdin, .. input.AsSpan(at, Math.Min(32 * 1024, input.Length - at))], WebSocketMessageType.Binary, true, ct);
        await socket.SendAsync((byte[])[CloseChannel, Stdin], WebSocketMessageType.Binary, true, ct);
    }
}
