using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Http;
using Mesh.Gateway.Storage;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Streaming;

/// <summary>The paths of the node agent's own API for a pod's log, exec, attach and portforward.</summary>
internal static class AgentTargets
{
    private static readonly ApiResource Pods = ResourceTable.Find("", "v1", "pods")!;

    /// <summary>The agent of the pod's node, and the path to ask there; null for the log of a pod that has no node yet, which is empty.</summary>
    /// <exception cref="ApiException">404 no such pod; 400 no such container, or not placed yet.</exception>
    public static async ValueTask<(Upstream Upstream, string Target)?> FindAsync(IObjectReader objects, RequestInfo info, HttpRequest request, CancellationToken ct)
    {
        var pod = await objects.GetAsync(Pods, info.Namespace, info.Name, ct)
            ?? await objects.GetFreshAsync(Pods, info.Namespace, info.Name, ct)
            ?? throw new ApiException(Statuses.NotFound(Pods, info.Name));
        var container = info.Subresource == "portforward" ? "" : Container(pod, info.Name, request.Query["container"].ToString());
        var node = pod["spec"]?["nodeName"]?.ToString() ?? "";
        if (node.Length == 0)
        {
            if (info.Subresource == "log") return null;
            throw new ApiException(Statuses.BadRequest($"pod {info.Name} does not have a host assigned"));
        }

        var (ns, name) = (Uri.EscapeDataString(info.Namespace), Uri.EscapeDataString(info.Name));
        var path = info.Subresource switch
        {
            "log" => $"/containerLogs/{ns}/{name}/{Uri.EscapeDataString(container)}",
            "portforward" => $"/portForward/{ns}/{name}",
            _ => $"/{info.Subresource}/{ns}/{name}/{Uri.EscapeDataString(container)}",
        };
        return (await NodeAgentClients.AgentAsync(objects, node, Pods, ct), path + Query(info, request.Query));
    }

    private static string Container(JsonObject pod, string name, string asked)
    {
        var names = new[] { "initContainers", "containers", "ephemeralContainers" }
            .SelectMany(list => (pod["spec"]?[list] as JsonArray)?.Select(static c => c?["name"]?.ToString() ?? "") ?? []).ToArray();
        if (asked.Length > 0)
            return names.Contains(asked) ? asked : throw new ApiException(Statuses.BadRequest($"container {asked} is not valid for pod {name}"));
        var main = (pod["spec"]?["containers"] as JsonArray)?.Select(static c => c?["name"]?.ToString() ?? "").ToArray() ?? [];
        if (main.Length == 1) return main[0];
        throw new ApiException(Statuses.BadRequest(
            main.Length == 0 ? $"a container name must be specified for pod {name}" : $"a container name must be specified for pod {name}, choose one of: [{string.Join(' ', names)}]"));
    }

    /// <summary>The agent's parameters: streams as "input=1", the rest as sent.</summary>
    private static string Query(RequestInfo info, IQueryCollection query)
    {
        var text = new StringBuilder();
        foreach (var (name, values) in query)
        {
            foreach (var value in values)
            {
                switch (name)
                {
                    case "container": break;
                    case "stdin" or "stdout" or "stderr" or "tty" when info.Subresource is "exec" or "attach":
                        if (value is "true" or "1" or "") Add(name switch { "stdin" => "input", "stdout" => "output", "stderr" => "error", _ => "tty" }, "1");
                        break;
                    default:
                        Add(name, value ?? "");
                        break;
                }
            }
        }

        return text.ToString();

        void Add(string name, string value) =>
            text.Append(text.Length == 0 ? '?' : '&').Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
    }
}
