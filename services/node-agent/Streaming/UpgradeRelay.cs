using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.NodeAgent.Streaming;

/// <summary>SPDY sessions: the runtime's streaming server speaks the same protocol, so after the upgrade bytes go through untouched.</summary>
internal static class UpgradeRelay
{
    private static readonly string[] Passed = ["X-Stream-Protocol-Version", "Upgrade"];

    public static async Task RunAsync(HttpContext context, Uri url)
    {
        var upgrade = context.Features.Get<IHttpUpgradeFeature>();
        if (upgrade is not { IsUpgradableRequest: true } || !context.Request.Headers.Upgrade.ToString().StartsWith("SPDY/", StringComparison.OrdinalIgnoreCase))
            throw new Server.ApiError(StatusCodes.Status400BadRequest, "unable to upgrade: missing upgrade headers in request");
        var headers = new List<KeyValuePair<string, string>> { new("Connection", "Upgrade") };
        foreach (var name in Passed)
            foreach (var value in context.Request.Headers[name])
                headers.Add(new(name, value ?? ""));
        var (server, head) = await UpgradeClient.OpenAsync(url, headers, context.RequestAborted);
        await using (server)
        {
            foreach (var line in head.Split("\r\n").Skip(1))
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon > 0 && line[..colon].Trim() is var name && (name.Equals("Upgrade", StringComparison.OrdinalIgnoreCase) || name.StartsWith("X-", StringComparison.OrdinalIgnoreCase)))
                    context.Response.Headers[name] = line[(colon + 1)..].Trim();
            }

            await using var client = await upgrade.UpgradeAsync();
            await PumpAsync(client, server, context.RequestAborted);
        }
    }

    /// <summary>Both ways until one side ends.</summary>
    public static async Task PumpAsync(Stream client, NetworkStream server, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var up = client.CopyToAsync(server, stop.Token);
        var down = server.CopyToAsync(client, stop.Token);
        await Task.WhenAny(up, down);
        await stop.CancelAsync();
        await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
