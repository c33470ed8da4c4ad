using System.Globalization;
using System.Text.Json;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Logs;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Streaming;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.Server;

/// <summary>Routes of the agent's API, named as kubelet's.</summary>
internal sealed class NodeApi(AgentNode node, TimeProvider time, ILoggerFactory loggers, MetricsRegistry metrics)
{
    private readonly ILogger log = loggers.CreateLogger("node-api");
    private readonly NodeMetrics nodeMetrics = new(node, metrics, node.SandboxImage);

    public void Map(WebApplication app)
    {
        app.MapGet("/healthz", () => "ok");
        app.MapGet("/pods", PodsAsync);
        app.MapGet("/runningpods/", PodsAsync);
        Route(app, "/containerLogs/{ns}/{pod}/{container}", LogsAsync);
        Route(app, "/exec/{ns}/{pod}/{container}", ExecAsync);
        Route(app, "/exec/{ns}/{pod}/{uid}/{container}", ExecAsync);
        Route(app, "/attach/{ns}/{pod}/{container}", AttachAsync);
        Route(app, "/attach/{ns}/{pod}/{uid}/{container}", AttachAsync);
        Route(app, "/portForward/{ns}/{pod}", PortForwardAsync);
        Route(app, "/portForward/{ns}/{pod}/{uid}", PortForwardAsync);
        Route(app, "/run/{ns}/{pod}/{container}", RunAsync);
        Route(app, "/stats/summary", nodeMetrics.SummaryAsync);
        Route(app, "/metrics", nodeMetrics.MetricsAsync);
        Route(app, "/metrics/cadvisor", nodeMetrics.CadvisorAsync);
        Route(app, "/metrics/resource", nodeMetrics.ResourceAsync);
    }

    private static void Route(WebApplication app, string pattern, Func<HttpContext, Task> handler) =>
        app.Map(pattern, (RequestDelegate)(context => GuardAsync(context, handler)));

    /// <summary>The one place where refusals and failures become answers.</summary>
    private static async Task GuardAsync(HttpContext context, Func<HttpContext, Task> handler)
    {
        try
        {
            await handler(context);
        }
        catch (ApiError e)
        {
            await AnswerAsync(context, e.Code, e.Message, e.IsStatus);
        }
        catch (RuntimeException e)
        {
            await AnswerAsync(context, e.NotFound ? StatusCodes.Status404NotFound : StatusCodes.Status500InternalServerError, e.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone.
        }
        catch (IOException e)
        {
            await AnswerAsync(context, StatusCodes.Status500InternalServerError, e.Message);
        }
    }

    private static async Task AnswerAsync(HttpContext context, int code, string message, bool isStatus = false)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = code;
        if (isStatus)
        {
            context.Response.ContentType = "application/json";
            await context.Response.Body.WriteAsync(KubeJson.Serialize(Statuses.BadRequest(message)), context.RequestAborted);
            return;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(message);
    }

    private async Task PodsAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteString("kind", "PodList");
        writer.WriteString("apiVersion", "v1");
        writer.WriteStartObject("metadata");
        writer.WriteEndObject();
        writer.WriteStartArray("items");
        foreach (var worker in node.Pods.Workers)
            worker.Current.WriteJson(writer);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private (PodWorker Worker, Pod Pod) Find(HttpContext context)
    {
        var (ns, name) = (Value(context, "ns"), Value(context, "pod"));
        var worker = node.Pods.Find(ns, name) ?? throw new ApiError(StatusCodes.Status404NotFound, $"pod \"{name}\" does not exist");
        if (Value(context, "uid") is { Length: > 0 } uid && worker.Pod.Uid() != uid)
            throw new ApiError(StatusCodes.Status404NotFound, $"pod \"{name}\" does not exist");
        return (worker, worker.Current);
    }

    private static string Value(HttpContext context, string name) => context.Request.RouteValues.TryGetValue(name, out var value) ? value?.ToString() ?? "" : "";

    /// <summary>The running container that a session goes to.</summary>
    private (PodWorker Worker, ContainerRecord Container, Container Spec) Running(HttpContext context)
    {
        var (worker, pod) = Find(context);
        var name = Value(context, "container");
        var spec = pod.FindContainer(name) ?? throw new ApiError(StatusCodes.Status404NotFound, $"container not found (\"{name}\")");
        return worker.Observed.Newest(name) is { Phase: ContainerPhase.Running } running
            ? (worker, running, spec)
            : throw new ApiError(StatusCodes.Status404NotFound, $"container not found (\"{name}\")");
    }

    private async Task LogsAsync(HttpContext context)
    {
        var (worker, pod) = Find(context);
        var name = Value(context, "container");
        if (pod.FindContainer(name) is null)
            throw new ApiError(StatusCodes.Status400BadRequest, $"container {name} is not valid for pod {pod.Metadata.Name}");
        var query = Query(context.Request.Query, time.GetUtcNow().UtcDateTime);
        var observed = worker.Observed;
        var newest = observed.Newest(name);
        var record = Flag(context.Request.Query, "previous") ? observed.Previous(name) ?? (newest is { Phase: ContainerPhase.Exited } ? newest : null) : newest;
        if (Flag(context.Request.Query, "previous") && record is null)
            throw new ApiError(StatusCodes.Status400BadRequest, $"previous terminated container \"{name}\" in pod \"{pod.Metadata.Name}\" not found");
        if (record is null || record.Phase == ContainerPhase.Created)
        {
            var waiting = (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? []).FirstOrDefault(s => s.Name == name)?.State?.Waiting;
            var why = waiting is { Message.Length: > 0 } and { Reason: not "ContainerCreating" } ? waiting.Reason : waiting?.Reason ?? "ContainerCreating";
            throw new ApiError(
                StatusCodes.Status400BadRequest,
                why is "ErrImagePull" or "ImagePullBackOff" or "ErrImageNeverPull" or "CreateContainerConfigError"
                    ? $"container \"{name}\" in pod \"{pod.Metadata.Name}\" is waiting to start: {Words(why, waiting)}"
                    : $"container \"{name}\" in pod \"{pod.Metadata.Name}\" is waiting to start: {why}");
        }

        // A log that cannot be had is a bad request to kubelet, whatever the reason: the node is well.
        if (!node.Services.Runtime.WritesLogs)
            throw new ApiError(StatusCodes.Status400BadRequest, $"container \"{name}\" in pod \"{pod.Metadata.Name}\" has no log: containers of this node are simulated");
        var path = node.Paths.Log(worker.Pod, name, record.RestartCount);
        if (!File.Exists(path))
            throw new ApiError(StatusCodes.Status400BadRequest, $"failed to try resolving symlinks in path \"{path}\": lstat {path}: no such file or directory");
        context.Response.ContentType = "text/plain";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.StartAsync(context.RequestAborted);
        bool Ended() => node.Pods.Find(worker.Pod.Uid()) is null || worker.Observed.Containers.FirstOrDefault(c => c.Id == record.Id) is not { Phase: ContainerPhase.Running };
        await new LogStreamer(time).WriteAsync(path, query, context.Response.Body, Ended, context.RequestAborted);
    }

    private static string Words(string reason, ContainerStateWaiting? waiting) => reason switch
    {
        "ErrImagePull" => "image can't be pulled",
        "ImagePullBackOff" => "trying and failing to pull image",
        _ => waiting?.Message ?? reason,
    };

    /// <summary>The log options of a request, under kubelet's names. Throws ApiError 400 for what is no number or time.</summary>
    internal static LogQuery Query(IQueryCollection query, DateTime now)
    {
        long? Number(string name) => query.TryGetValue(name, out var text) && text.ToString().Length > 0
            ? long.TryParse(text.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : throw new ApiError(StatusCodes.Status400BadRequest, $"invalid {name}: {text}")
            : null;
        DateTime? since = null;
        if (Number("sinceSeconds") is { } seconds)
            since = now.AddSeconds(-seconds);
        else if (query.TryGetValue("sinceTime", out var text) && text.ToString().Length > 0)
            since = DateTime.TryParse(text.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var at)
                ? at
                : throw new ApiError(StatusCodes.Status400BadRequest, $"invalid sinceTime: {text}");
        return new LogQuery
        {
            Follow = Flag(query, "follow"),
            Timestamps = Flag(query, "timestamps"),
            TailLines = Number("tailLines") is { } tail and >= 0 ? tail : null,
            LimitBytes = Number("limitBytes"),
            Since = since,
            Stream = query.TryGetValue("stream", out var stream) && stream.ToString().Length > 0 ? stream.ToString() : "All",
        };
    }

    private static bool Flag(IQueryCollection query, string name) => query.TryGetValue(name, out var value) && value.ToString() is "true" or "1";

    private async Task ExecAsync(HttpContext context)
    {
        var (_, container, _) = Running(context);
        var command = context.Request.Query["command"].Select(c => c ?? "").ToList();
        if (command.Count == 0)
            throw new ApiError(StatusCodes.Status400BadRequest, "you must specify at least 1 command");
        var streams = Streams(context.Request.Query);
        NeedProcesses(context, "runs no commands");
        var url = await node.Services.Runtime.ExecUrlAsync(container.Id, command, streams, context.RequestAborted);
        await SessionAsync(context, url, streams);
    }

    private async Task AttachAsync(HttpContext context)
    {
        var (_, container, spec) = Running(context);
        // A container's terminal is what it was made with, whatever the caller asks.
        var streams = Streams(context.Request.Query) with { Tty = spec.Tty == true };
        if (streams.Tty)
            streams = streams with { Stderr = false };
        NeedProcesses(context, "has no process to attach to");
        var url = await node.Services.Runtime.AttachUrlAsync(container.Id, streams, context.RequestAborted);
        await SessionAsync(context, url, streams);
    }

    /// <summary>The node is well and the request is, but there is nothing to talk to: a bad request, as for logs.</summary>
    private void NeedProcesses(HttpContext context, string lack)
    {
        if (!node.Services.Runtime.HasProcesses)
            throw Simulated($"container \"{Value(context, "container")}\" in pod \"{Value(context, "pod")}\" {lack}");
    }

    private static ApiError Simulated(string what) => new(StatusCodes.Status400BadRequest, what + ": containers of this node are simulated") { IsStatus = true };

    private async Task SessionAsync(HttpContext context, Uri url, StreamSelection streams)
    {
        if (context.WebSockets.IsWebSocketRequest)
            await new WebSocketSession(log).RunAsync(context, url, streams);
        else
            await UpgradeRelay.RunAsync(context, url);
    }

    private async Task PortForwardAsync(HttpContext context)
    {
        var (worker, _) = Find(context);
        if (!node.Services.Runtime.HasProcesses)
            throw Simulated($"pod \"{worker.Pod.Metadata.Name}\" has no ports to forward to");
        var sandbox = worker.Observed.Sandboxes.FirstOrDefault(s => s.Ready) ?? throw new ApiError(StatusCodes.Status404NotFound, $"not able to find a running sandbox of pod {worker.Pod.Metadata.Name}");
        var url = await node.Services.Runtime.PortForwardUrlAsync(sandbox.Id, [], context.RequestAborted);
        if (context.WebSockets.IsWebSocketRequest)
            await WebSocketTunnel.RunAsync(context, url);
        else
            await UpgradeRelay.RunAsync(context, url);
    }

    /// <summary>Runs a command and answers its output: kubelet's /run.</summary>
    private async Task RunAsync(HttpContext context)
    {
        var (_, container, _) = Running(context);
        NeedProcesses(context, "runs no commands");
        var command = context.Request.Query["cmd"].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var result = await node.Services.Runtime.ExecAsync(container.Id, command, TimeSpan.Zero, context.RequestAborted);
        await context.Response.Body.WriteAsync(result.Stdout, context.RequestAborted);
        await context.Response.Body.WriteAsync(result.Stderr, context.RequestAborted);
    }

    /// <summary>Which streams are asked for: kubelet's names (input, output, error), or the API's (stdin, stdout, stderr).</summary>
    internal static StreamSelection Streams(IQueryCollection query)
    {
        var tty = Flag(query, "tty");
        var selection = new StreamSelection(
            Flag(query, "input") || Flag(query, "stdin"),
            Flag(query, "output") || Flag(query, "stdout"),
            !tty && (Flag(query, "error") || Flag(query, "stderr")),
            tty);
        return selection is { Stdin: false, Stdout: false, Stderr: false }
            ? throw new ApiError(StatusCodes.Status400BadRequest, "you must specify at least 1 of stdin, stdout, stderr")
            : selection;
    }
}
