using System.Diagnostics;
using System.Text.Json;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Queue;
using Microsoft.Extensions.Logging;

namespace Mesh.Scheduler;

/// <summary>
/// Takes runs of like pods from the queue, lets the cluster state place them, and binds them in batches. Placing goes on while bindings
/// are under way: placed pods count as bound (assumed) until the API says otherwise.
/// </summary>
internal sealed class SchedulingLoop(
    SchedulingQueue queue, ClusterState cluster, IKubeClient client, IEventRecorder events, SchedulerMetrics metrics, SchedulerOptions options, TimeProvider time, ILogger<SchedulingLoop> logger)
    : IDisposable
{
    private const int BindsAtOnce = 4;
    private const int PatchesAtOnce = 16;
    private readonly SemaphoreSlim _binds = new(BindsAtOnce, BindsAtOnce);

    // Many pods that fit nowhere must not hold up those that do.
    private readonly SemaphoreSlim _patches = new(PatchesAtOnce, PatchesAtOnce);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await queue.WaitAsync(ct);
            await ScheduleOnceAsync(ct);
        }
    }

    /// <summary>Places and binds what is ready now; answers when every binding of it is answered or under way.</summary>
    public async Task<int> ScheduleOnceAsync(CancellationToken ct)
    {
        var total = 0;
        while (queue.PopRun(options.BatchSize) is { Count: > 0 } run)
        {
            total += run.Count;

            // Mostly all at once; in parts where constraints of other pods part them.
            for (IReadOnlyList<QueuedPod> rest = run; rest.Count > 0;) rest = await ScheduleAsync(rest, ct);
        }

        return total;
    }

    private async Task<IReadOnlyList<QueuedPod>> ScheduleAsync(IReadOnlyList<QueuedPod> run, CancellationToken ct)
    {
        var start = time.GetTimestamp();
        var placement = cluster.Place(run[0].Blueprint, [.. run.Select(p => p.Uid)], [.. run.Select(p => p.Blueprint.Identity)]);
        var elapsed = time.GetElapsedTime(start);
        metrics.Algorithm(elapsed.TotalSeconds);
        var placed = placement.Nodes.Count;
        Log.Placed(logger, placed, elapsed.TotalMilliseconds, placement.Tried - placed);
        if (placed > 0)
        {
            await _binds.WaitAsync(ct);
            _ = BindAsync([.. run.Take(placed)], placement.Nodes, start, ct);
        }

        for (var i = placed; i < placement.Tried; i++) await RefuseAsync(run[i], placement.Failure!, start, ct);
        return placement.Tried == run.Count ? [] : [.. run.Skip(placement.Tried)];
    }

    /// <summary>Completes when no binding and no status write is under way.</summary>
    public async Task DrainAsync(CancellationToken ct)
    {
        for (var i = 0; i < BindsAtOnce; i++) await _binds.WaitAsync(ct);
        for (var i = 0; i < PatchesAtOnce; i++) await _patches.WaitAsync(ct);
        _binds.Release(BindsAtOnce);
        _patches.Release(PatchesAtOnce);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _binds.Dispose();
        _patches.Dispose();
    }

    private async Task BindAsync(QueuedPod[] pods, IReadOnlyList<string> nodes, long start, CancellationToken ct)
    {
        try
        {
            var answers = await client.BindAsync([.. pods.Select((p, i) => new PodBinding(p.Key.Namespace ?? "", p.Key.Name, p.Uid, nodes[i]))], ct);
            var seconds = time.GetElapsedTime(start).TotalSeconds;
            for (var i = 0; i < pods.Length; i++)
            {
                if (answers[i] is { } refusal) NotBound(pods[i], nodes[i], refusal, seconds);
                else Bound(pods[i], nodes[i], seconds);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // Nobody knows which of them are bound: the informer will say so of those that are, and they leave the queue then.
            Log.BindFailed(logger, pods.Length, e.Message);
            metrics.Attempt("error", time.GetElapsedTime(start).TotalSeconds, pods.Length);
            foreach (var pod in pods)
            {
                cluster.Forget(pod.Uid);
                queue.Retry(pod);
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops; another process sees these pods as they are.
        }
        finally
        {
            _binds.Release();
        }
    }

    private void Bound(QueuedPod pod, string node, double seconds)
    {
        queue.Remove(pod.Key, pod.Uid);
        metrics.Attempt("scheduled", seconds);
        metrics.Bound((time.GetUtcNow() - pod.Added).TotalSeconds, pod.Attempts);
        events.Normal(pod.Pod, "Scheduled", $"Successfully assigned {pod.Key} to {node}");
    }

    private void NotBound(QueuedPod pod, string node, Status refusal, double seconds)
    {
        Log.BindRefused(logger, pod.Key.ToString(), node, refusal.Message ?? refusal.Reason ?? "");
        metrics.Attempt("error", seconds);
        cluster.Forget(pod.Uid);
        if (refusal.Code == 404) queue.Remove(pod.Key, pod.Uid);
        else queue.Retry(pod);

        // What was taken back may be what another pod waits for.
        queue.MoveAll();
    }

    private async Task RefuseAsync(QueuedPod pod, string message, long start, CancellationToken ct)
    {
        metrics.Attempt("unschedulable", time.GetElapsedTime(start).TotalSeconds);
        queue.Unschedulable(pod);
        events.Warning(pod.Pod, "FailedScheduling", message);
        var known = pod.Pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "PodScheduled");
        if (known is { Status: "False", Reason: "Unschedulable" } && known.Message == message) return;
        await _patches.WaitAsync(ct);
        _ = WriteConditionAsync(pod, Condition(message, known), ct);
    }

    private async Task WriteConditionAsync(QueuedPod pod, byte[] patch, CancellationToken ct)
    {
        try
        {
            await client.PatchAsync<Pod>(pod.Key.Namespace, pod.Key.Name, PatchType.Strategic, patch, "status", ct);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or IOException or Grpc.Core.RpcException)
        {
            Log.ConditionFailed(logger, pod.Key.ToString(), e.Message);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The service stops.
        }
        finally
        {
            _patches.Release();
        }
    }

    private byte[] Condition(string message, PodCondition? known)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("status");
            writer.WriteStartArray("conditions");
            writer.WriteStartObject();
            writer.WriteString("type", "PodScheduled");
            writer.WriteString("status", "False");
            writer.WriteString("reason", "Unschedulable");
            writer.WriteString("message", message);
            writer.WriteNull("lastProbeTime");
            var since = known is { Status: "False", LastTransitionTime: { } at } ? at : time.GetUtcNow().UtcDateTime;
            writer.WriteString("lastTransitionTime", since.ToString("yyyy-MM-ddTHH:mm:ssZ"));
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
