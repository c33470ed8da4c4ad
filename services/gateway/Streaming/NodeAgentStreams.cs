using Mesh.Api;
using Mesh.Api.Meta.V1;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Http;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Mesh.Security;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Streaming;

/// <summary>
/// log, exec, attach, portforward and the proxies: the gateway finds who serves it, opens a connection and passes bytes on. An upgraded
/// connection (WebSocket or SPDY) is passed on as it is: the node agent speaks the protocol.
/// </summary>
internal sealed class NodeAgentStreams(NodeAgentClients clients, IObjectReader objects, AdmissionChain admission) : IStreamHandler
{
    /// <inheritdoc/>
    public bool Handles(RequestInfo info) => info is { Group: "", Version: "v1" }
        && (info.Resource, info.Subresource) is ("pods", "log" or "exec" or "attach" or "portforward" or "proxy") or ("nodes", "proxy") or ("services", "proxy");

    /// <inheritdoc/>
    public async Task HandleAsync(HttpContext http, RequestInfo info, ApiResource resource, UserInfo user, CancellationToken ct)
    {
        CheckRequest(http.Request, info);
        if (info.Subresource is not "log" && admission.Handles(AdmissionOperation.Connect, resource, info.Subresource))
        {
            await admission.ValidateAsync(
                new AdmissionAttributes
                {
                    Operation = AdmissionOperation.Connect,
                    Resource = resource,
                    Subresource = info.Subresource,
                    Name = info.Name,
                    Namespace = info.Namespace,
                    User = user,
                },
                ct);
        }

        (Upstream, string)? found = (info.Resource, info.Subresource) switch
        {
            ("pods", "proxy") => await ProxyTargets.PodAsync(objects, info, http.Request, ct),
            ("services", "proxy") => await ProxyTargets.ServiceAsync(objects, info, http.Request, ct),
            ("nodes", _) => (await NodeAgentClients.AgentAsync(objects, info.Name, resource, ct), "/" + info.Rest + http.Request.QueryString),
            _ => await AgentTargets.FindAsync(objects, info, http.Request, ct),
        };
        if (found is not var (upstream, target))
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await using var stream = await clients.ConnectAsync(upstream, ct);
        await HttpRelay.RunAsync(http, stream, upstream, target, info.Subresource == "log" ? (code, text) => Refusal(info.Name, code, text) : null, ct);
    }

    /// <summary>Methods and options, looked at before the pod is.</summary>
    private static void CheckRequest(HttpRequest request, RequestInfo info)
    {
        var isGet = HttpMethods.IsGet(request.Method);
        if (info.Subresource == "log")
        {
            if (!isGet) throw new ApiException(Statuses.MethodNotAllowed());
            LogOptions.Check(info.Name, request.Query);
        }
        else if (info.Subresource is "exec" or "attach" or "portforward")
        {
            if (!isGet && !HttpMethods.IsPost(request.Method)) throw new ApiException(Statuses.MethodNotAllowed());
            if (info.Subresource == "portforward") CheckPorts(request.Query["ports"]);
        }
    }

    private static void CheckPorts(IEnumerable<string?> lists)
    {
        foreach (var port in lists.SelectMany(static list => (list ?? "").Split(',')))
        {
            if (ushort.TryParse(port, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _)) continue;
            var why = port.Length > 0 && port.All(char.IsAsciiDigit) ? "value out of range" : "invalid syntax";
            throw new ApiException(Statuses.BadRequest($"cannot convert to []int32: strconv.ParseUint: parsing {GoText.Quote(port)}: {why}"));
        }
    }

    /// <summary>What the agent says of a log it cannot give, as a Status: users read why ("container ... is waiting to start").</summary>
    internal static Status Refusal(string pod, int code, string text) => code switch
    {
        400 => Statuses.BadRequest(text),
        404 => NoLog(pod),
        500 => Statuses.InternalError(text),
        _ => Statuses.ServiceUnavailable(text),
    };

    /// <summary>404 as client-go words it for a subresource of a named object.</summary>
    private static Status NoLog(string pod)
    {
        var status = Statuses.NoSuchResource();
        status.Message += $" ( pods/log {pod})";
        status.Details = new StatusDetails { Name = pod, Kind = "pods/log" };
        return status;
    }
}
