using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mesh.Api;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Streaming;

/// <summary>Where a node agent or a pod is reached.</summary>
/// <param name="Host">Address.</param>
/// <param name="Port">Port.</param>
/// <param name="Tls">Whether TLS is spoken.</param>
internal readonly record struct Upstream(string Host, int Port, bool Tls);

/// <summary>Connections to node agents (TLS with the gateway's client certificate), pods and services.</summary>
internal sealed class NodeAgentClients(GatewayPki pki)
{
    private static readonly ApiResource Nodes = ResourceTable.Find("", "v1", "nodes")!;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The agent of a node. asked: what the request is about, for which Kubernetes takes a node that is not there.</summary>
    /// <exception cref="ApiException">404 when there is no such node, 503 when it has no address.</exception>
    public static async ValueTask<Upstream> AgentAsync(IObjectReader objects, string node, ApiResource asked, CancellationToken ct)
    {
        var found = await objects.GetAsync(Nodes, null, node, ct) ?? throw new ApiException(Statuses.NotFound(asked, node));
        var port = found["status"]?["daemonEndpoints"]?["kubeletEndpoint"]?["Port"]?.ToString();
        foreach (var type in new[] { "InternalIP", "Hostname", "ExternalIP" })
        {
            foreach (var address in found["status"]?["addresses"] as System.Text.Json.Nodes.JsonArray ?? [])
            {
                if (address?["type"]?.ToString() == type && address["address"]?.ToString() is { Length: > 0 } host)
                    return new Upstream(host, int.TryParse(port, out var number) && number > 0 ? number : 10250, true);
            }
        }

        throw new ApiException(Statuses.ServiceUnavailable($"no preferred addresses found for node {node}"));
    }

    /// <summary>A byte stream to it.</summary>
    /// <exception cref="ApiException">503 when it cannot be reached.</exception>
    public async ValueTask<Stream> ConnectAsync(Upstream upstream, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(ConnectTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(upstream.Host, upstream.Port, limit.Token);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (!upstream.Tls) return stream;
#pragma warning disable CA5359 // As in Kubernetes without --kubelet-certificate-authority: agents serve self-signed certificates; the gateway shows its own.
            var tls = new SslStream(stream, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
#pragma warning restore CA5359
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = upstream.Host,
                    ClientCertificates = pki.NodeClient is { } certificate ? new X509CertificateCollection { certificate } : null,
                    ApplicationProtocols = [SslApplicationProtocol.Http11],
                },
                limit.Token);
            return tls;
        }
        catch (Exception e) when (e is SocketException or IOException or System.Security.Authentication.AuthenticationException or OperationCanceledException)
        {
            socket.Dispose();
            ct.ThrowIfCancellationRequested();
            throw new ApiException(Statuses.ServiceUnavailable($"error dialing backend: dial tcp {upstream.Host}:{upstream.Port}: {(e is OperationCanceledException ? "i/o timeout" : e.Message)}"), e);
        }
    }
}
