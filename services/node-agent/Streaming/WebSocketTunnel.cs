using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.NodeAgent.Streaming;

/// <summary>Port-forward as kubectl asks for it since 1.30: SPDY inside the binary messages of a WebSocket (KEP-4006).</summary>
internal static class WebSocketTunnel
{
    private const string Protocol = "SPDY/3.1+portforward.k8s.io";
    private const string HandshakeGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private const string Inner = "portforward.k8s.io";

    public static async Task RunAsync(HttpContext context, Uri url)
    {
        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(Protocol))
            throw new Server.ApiError(StatusCodes.Status400BadRequest, $"unable to upgrade: the WebSocket protocol must be {Protocol}");
        var headers = new[] { KeyValuePair.Create("Connection", "Upgrade"), KeyValuePair.Create("Upgrade", "SPDY/3.1"), KeyValuePair.Create("X-Stream-Protocol-Version", Inner) };
        var (server, _) = await UpgradeClient.OpenAsync(url, headers, context.RequestAborted);
        await using (server)
        {
            using var socket = await AcceptAsync(context);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            var up = UpAsync(socket, server, stop.Token);
            var down = DownAsync(server, socket, stop.Token);
            await Task.WhenAny(up, down);
            if (down.IsCompletedSuccessfully && socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await stop.CancelAsync();
            await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// The server's side of the handshake (RFC 6455 §4.2.2), by hand: the protocol's name has a slash, which is no token, and .NET refuses
    /// to agree to such a name.
    /// </summary>
    private static async Task<WebSocket> AcceptAsync(HttpContext context)
    {
        var key = context.Request.Headers.SecWebSocketKey.ToString();
#pragma warning disable CA5350 // The handshake's digest is SHA-1 by the RFC; nothing is protected by it.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + HandshakeGuid)));
#pragma warning restore CA5350
        context.Response.Headers.Upgrade = "websocket";
        context.Response.Headers.SecWebSocketAccept = accept;
        context.Response.Headers.SecWebSocketProtocol = Protocol;
        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.FromSeconds(30) });
    }

    private static async Task UpAsync(WebSocket from, Stream to, CancellationToken ct)
    {
        var buffer = new byte[32 * 1024];
        while (true)
        {
            var part = await from.ReceiveAsync(buffer.AsMemory(), ct);
            if (part.MessageType == WebSocketMessageType.Close)
                return;
            if (part.MessageType == WebSocketMessageType.Binary)
                await to.WriteAsync(buffer.AsMemory(0, part.Count), ct);
        }
    }

    private static async Task DownAsync(Stream from, WebSocket to, CancellationToken ct)
    {
        var buffer = new byte[32 * 1024];
        int count;
        while ((count = await from.ReadAsync(buffer, ct)) > 0)
            await to.SendAsync(buffer.AsMemory(0, count), WebSocketMessageType.Binary, true, ct);
    }
}
