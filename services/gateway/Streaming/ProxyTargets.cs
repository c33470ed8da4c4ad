using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Http;
using Mesh.Gateway.Storage;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Streaming;

/// <summary>Who answers pods/proxy and services/proxy. Names are [scheme:]name[:port], the port a number or a port's name.</summary>
internal static class ProxyTargets
{
    private static readonly ApiResource Pods = ResourceTable.Find("", "v1", "pods")!;
    private static readonly ApiResource Services = ResourceTable.Find("", "v1", "services")!;
    private static readonly ApiResource Slices = ResourceTable.Find("discovery.k8s.io", "v1", "endpointslices")!;

    /// <summary>A pod by its IP.</summary>
    public static async ValueTask<(Upstream Upstream, string Target)> PodAsync(IObjectReader objects, RequestInfo info, HttpRequest request, CancellationToken ct)
    {
        var (tls, name, port) = Split(info.Name);
        var pod = await objects.GetAsync(Pods, info.Namespace, name, ct) ?? throw new ApiException(Statuses.NotFound(Pods, name));
        var ip = pod["status"]?["podIP"]?.ToString() ?? "";
        if (ip.Length == 0) throw new ApiException(Statuses.BadRequest("address not allowed"));
        var ports = (pod["spec"]?["containers"] as JsonArray ?? []).SelectMany(static c => c?["ports"] as JsonArray ?? []).OfType<JsonObject>().ToArray();
        var wanted = port.Length == 0 ? ports.FirstOrDefault()?["containerPort"] : ports.FirstOrDefault(p => p["name"]?.ToString() == port)?["containerPort"];
        var number = int.TryParse(wanted?.ToString() ?? port, CultureInfo.InvariantCulture, out var n) ? n : tls ? 443 : 80;
        return (new Upstream(ip, number, tls), "/" + info.Rest + request.QueryString);
    }

    /// <summary>A ready endpoint of a service.</summary>
    public static async ValueTask<(Upstream Upstream, string Target)> ServiceAsync(IObjectReader objects, RequestInfo info, HttpRequest request, CancellationToken ct)
    {
        var (tls, name, port) = Split(info.Name);
        var service = await objects.GetAsync(Services, info.Namespace, name, ct) ?? throw new ApiException(Statuses.NotFound(Services, name));
        var ports = (service["spec"]?["ports"] as JsonArray ?? []).OfType<JsonObject>().ToArray();
        var chosen = port.Length == 0 && ports.Length == 1 ? ports[0] : ports.FirstOrDefault(p => p["name"]?.ToString() == port || p["port"]?.ToString() == port);
        if (chosen is null) throw new ApiException(Statuses.ServiceUnavailable($"no service port {GoText.Quote(port)} found for service {GoText.Quote(name)}"));
        var portName = chosen["name"]?.ToString() ?? "";
        var candidates = new List<(string Ip, int Port)>();
        foreach (var slice in await objects.ListAsync(Slices, info.Namespace, ct))
        {
            if (slice["metadata"]?["labels"]?["kubernetes.io/service-name"]?.ToString() != name) continue;
            var number = (slice["ports"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(p => (p["name"]?.ToString() ?? "") == portName)?["port"]?.ToString();
            if (!int.TryParse(number, CultureInfo.InvariantCulture, out var target)) continue;
            foreach (var endpoint in (slice["endpoints"] as JsonArray ?? []).OfType<JsonObject>())
            {
                if (endpoint["conditions"]?["ready"]?.ToString() == "false") continue;
                foreach (var address in endpoint["addresses"] as JsonArray ?? []) candidates.Add((address!.ToString(), target));
            }
        }

        if (candidates.Count == 0) throw new ApiException(Statuses.ServiceUnavailable($"no endpoints available for service {GoText.Quote(name)}"));
        var (ip, at) = candidates[Random.Shared.Next(candidates.Count)];
        return (new Upstream(ip, at, tls), "/" + info.Rest + request.QueryString);
    }

    private static (bool Tls, string Name, string Port) Split(string text)
    {
        var parts = text.Split(':');
        return parts switch
        {
            [var name] => (false, name, ""),
            [var name, var port] => (false, name, port),
            [var scheme, var name, var port] => (scheme == "https", name, port),
            _ => throw new ApiException(Statuses.BadRequest($"invalid proxy request {GoText.Quote(text)}")),
        };
    }
}
