using System.Net.Sockets;

namespace Mesh.NodeAgent.Components;

/// <summary>A control-plane process on this node and where its health is asked: an http(s) URL that must answer 2xx, or tcp://host:port that must connect.</summary>
internal sealed record Component(string Name, Uri Health)
{
    /// <summary>Reads "name=url,name=url".</summary>
    /// <exception cref="FormatException">An entry is none.</exception>
    public static IReadOnlyList<Component> Parse(string list) =>
    [
        .. list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(static entry =>
            entry.Split('=', 2) is [{ Length: > 0 } name, var url] && Uri.TryCreate(url, UriKind.Absolute, out var health) && health.Scheme is "http" or "https" or "tcp"
                ? new Component(name, health)
                : throw new FormatException($"\"{entry}\" is not name=http://…, name=https://… or name=tcp://host:port")),
    ];
}

/// <summary>Asks components how they are.</summary>
internal sealed class ComponentProbe : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
#pragma warning disable CA5359 // Only whether it answers is read, from this machine: kubelet's own probes do not verify either.
    private readonly HttpClient client = new(new SocketsHttpHandler
    {
        SslOptions = new() { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.Zero,
    })
    { Timeout = Limit };
#pragma warning restore CA5359

    /// <summary>Null when healthy, else why not.</summary>
    public async Task<string?> AskAsync(Component component, CancellationToken ct)
    {
        try
        {
            if (component.Health.Scheme == "tcp")
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
                limit.CancelAfter(Limit);
                await socket.ConnectAsync(component.Health.Host, component.Health.Port, limit.Token);
                return null;
            }

            using var answer = await client.GetAsync(component.Health, ct);
            return answer.IsSuccessStatusCode ? null : $"{component.Health} answers {(int)answer.StatusCode}";
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            return $"{component.Health}: {(e is OperationCanceledException ? "no answer in time" : e.Message)}";
        }
    }

    public void Dispose() => client.Dispose();
}
