using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Probes;

/// <summary>Probes real containers: exec through the runtime, http, tcp and grpc to the pod's address.</summary>
internal sealed class Prober(IContainerRuntime runtime) : IProber
{
    private const int MaxOutput = 10 * 1024;
    private const string UserAgent = "kube-probe/1.36";

    public async Task<ProbeOutcome> TryAsync(Probe probe, Container container, string containerId, string podIP, CancellationToken ct)
    {
        var timeout = TimeSpan.FromSeconds(ProbeTiming.Of(probe).Timeout);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(timeout);
        if (probe.Exec is { } exec)
            return await ExecAsync(exec, containerId, timeout, ct);
        if (probe.HttpGet is { } http)
        {
            var host = http.Host is { Length: > 0 } own ? own : podIP;
            var uri = HttpTarget.Url(http, host, HttpTarget.Port(http.Port, container));
            return await HttpAsync(uri, http.HttpHeaders, limit.Token, ct);
        }

        if (probe.TcpSocket is { } tcp)
            return await TcpAsync(tcp.Host is { Length: > 0 } own ? own : podIP, HttpTarget.Port(tcp.Port, container), limit.Token, ct);
        if (probe.Grpc is { } grpc)
            return await GrpcAsync(podIP, grpc.Port ?? 0, grpc.Service ?? "", timeout, ct);
        return new ProbeOutcome(ProbeResult.Error, $"missing probe handler for {container.Name}");
    }

    private async Task<ProbeOutcome> ExecAsync(ExecAction exec, string containerId, TimeSpan timeout, CancellationToken ct)
    {
        try
        {
            var result = await runtime.ExecAsync(containerId, exec.Command ?? [], timeout, ct);
            var output = Encoding.UTF8.GetString([.. result.Stdout, .. result.Stderr]);
            return result.ExitCode == 0 ? ProbeOutcome.Success(Cut(output)) : ProbeOutcome.Failure(Cut(output));
        }
        catch (RuntimeException e) when (e.TimedOut)
        {
            var command = string.Join(' ', exec.Command ?? []);
            return ProbeOutcome.Failure(string.Create(CultureInfo.InvariantCulture, $"command timed out: \"{command}\" timed out after {timeout.TotalSeconds}s"));
        }
        catch (RuntimeException e)
        {
            return new ProbeOutcome(ProbeResult.Error, e.Message);
        }
    }

    private static async Task<ProbeOutcome> HttpAsync(Uri uri, List<HTTPHeader>? headers, CancellationToken limit, CancellationToken ct)
    {
        using var client = HttpTarget.Client();
        var url = uri;
        for (var hop = 0; hop < 11; hop++)
        {
            using var request = HttpTarget.Request(url, headers, UserAgent);
            try
            {
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit);
                var code = (int)response.StatusCode;
                if (code is >= 300 and < 400 && response.Headers.Location is { } location)
                {
                    var next = new Uri(url, location);
                    if (next.Host != uri.Host)
                        return ProbeOutcome.Success($"Probe terminated redirects, Response body: {location}");
                    url = next;
                    continue;
                }

                return code is >= 200 and < 400 ? ProbeOutcome.Success() : ProbeOutcome.Failure($"HTTP probe failed with statuscode: {code}");
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return ProbeOutcome.Failure($"Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
            }
            catch (HttpRequestException e)
            {
                return ProbeOutcome.Failure($"Get \"{url}\": {DialError(url.Host, url.Port, e)}");
            }
        }

        return ProbeOutcome.Failure($"Get \"{uri}\": stopped after 10 redirects");
    }

    private static async Task<ProbeOutcome> TcpAsync(string host, int port, CancellationToken limit, CancellationToken ct)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(host, port, limit);
            return ProbeOutcome.Success();
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return ProbeOutcome.Failure($"dial tcp {Address(host, port)}: i/o timeout");
        }
        catch (SocketException e)
        {
            return ProbeOutcome.Failure(DialError(host, port, e));
        }
    }

    private static async Task<ProbeOutcome> GrpcAsync(string ip, int port, string service, TimeSpan timeout, CancellationToken ct)
    {
        using var channel = GrpcChannel.ForAddress($"http://{Address(ip, port)}");
        var client = new HealthApi.Health.HealthClient(channel);
        try
        {
            var options = new CallOptions(deadline: DateTime.UtcNow + timeout, cancellationToken: ct, headers: new Metadata { { "user-agent", UserAgent } });
            var answer = await client.CheckAsync(new HealthApi.HealthCheckRequest { Service = service }, options);
            return answer.Status == HealthApi.HealthCheckResponse.Types.ServingStatus.Serving
                ? ProbeOutcome.Success("service healthy")
                : ProbeOutcome.Failure($"service unhealthy (responded with \"{answer.Status.ToString().ToUpperInvariant()}\")");
        }
        catch (RpcException e) when (!ct.IsCancellationRequested)
        {
            return e.StatusCode switch
            {
                StatusCode.DeadlineExceeded => ProbeOutcome.Failure($"timeout: health rpc did not complete within {timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)}s"),
                StatusCode.Unimplemented => ProbeOutcome.Failure("error: this server does not implement the grpc health protocol (grpc.health.v1.Health)"),
                _ => ProbeOutcome.Failure($"error: health rpc probe failed: {e.Status.Detail}"),
            };
        }
    }

    private static string DialError(string host, int port, Exception e)
    {
        var socket = e as SocketException ?? e.InnerException as SocketException;
        return socket?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => $"dial tcp {Address(host, port)}: connect: connection refused",
            SocketError.HostUnreachable => $"dial tcp {Address(host, port)}: connect: no route to host",
            SocketError.NetworkUnreachable => $"dial tcp {Address(host, port)}: connect: network is unreachable",
            SocketError.ConnectionReset => "read: connection reset by peer",
            null => e.InnerException is IOException io ? io.Message : e.Message,
            _ => $"dial tcp {Address(host, port)}: {socket.Message}",
        };
    }

    private static string Address(string host, int port)
    {
        var bare = host.Trim('[', ']');
        return (bare.Contains(':', StringComparison.Ordinal) ? $"[{bare}]" : bare) + ":" + port.ToString(CultureInfo.InvariantCulture);
    }

    private static string Cut(string text) => text.Length <= MaxOutput ? text : text[..MaxOutput];
}

/// <summary>httpGet actions, of probes and of hooks.</summary>
internal static class HttpTarget
{
    /// <summary>A port by number or by its name in the container; 0 when there is no such name.</summary>
    public static int Port(IntOrString? port, Container container)
    {
        if (port is not { } value)
            return 0;
        var text = value.ToString();
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        return container.Ports?.FirstOrDefault(p => p.Name == text)?.ContainerPortValue ?? 0;
    }

    public static Uri Url(HTTPGetAction action, string host, int port)
    {
        var scheme = action.Scheme is { Length: > 0 } s ? s.ToLowerInvariant() : "http";
        var path = action.Path is { Length: > 0 } p ? p : "/";
        if (path[0] != '/')
            path = "/" + path;
        var name = host.Contains(':', StringComparison.Ordinal) && host[0] != '[' ? $"[{host}]" : host;
        return new Uri($"{scheme}://{name}:{port.ToString(CultureInfo.InvariantCulture)}{path}");
    }

    public static HttpClient Client()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            // Pods serve self-signed certificates: a probe asks for life, not for identity.
#pragma warning disable CA5359
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true },
#pragma warning restore CA5359
        };
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public static HttpRequestMessage Request(Uri url, List<HTTPHeader>? headers, string userAgent)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = HttpVersion.Version11 };
        request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("*/*"));
        request.Headers.ConnectionClose = true;
        foreach (var header in headers ?? [])
        {
            if (string.Equals(header.Name, "Host", StringComparison.OrdinalIgnoreCase))
                request.Headers.Host = header.Value;
            else
            {
                request.Headers.Remove(header.Name!);
                request.Headers.TryAddWithoutValidation(header.Name!, header.Value);
            }
        }

        return request;
    }
}
