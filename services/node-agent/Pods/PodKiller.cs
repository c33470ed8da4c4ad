using System.Diagnostics;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods;

/// <summary>Stops containers: preStop within the grace period, then the stop signal, then the kill. Sidecars go last, in reverse order.</summary>
internal sealed class PodKiller(NodeServices node)
{
    /// <summary>What a stop signal gets at least, however long preStop took.</summary>
    private static readonly TimeSpan LeastGrace = TimeSpan.FromSeconds(2);

    /// <summary>Stops everything of the pod that runs.</summary>
    public async Task KillAllAsync(Pod pod, PodState observed, TimeSpan grace, string podIP, bool announce, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        TimeSpan Left() => grace - clock.Elapsed > TimeSpan.Zero ? grace - clock.Elapsed : TimeSpan.Zero;
        var running = observed.Containers.Where(c => c.Phase is ContainerPhase.Running or ContainerPhase.Unknown).ToList();
        var sidecars = pod.InitContainers().Where(c => c.IsRestartable()).Select(c => c.Name).ToList();
        var first = running.Where(c => !sidecars.Contains(c.Name));
        await Task.WhenAll(first.Select(c => KillAsync(pod, c, grace, podIP, announce ? $"Stopping container {c.Name}" : null, "Killing", ct)));
        for (var i = sidecars.Count - 1; i >= 0; i--)
            foreach (var sidecar in running.Where(c => c.Name == sidecars[i]))
                await KillAsync(pod, sidecar, Left(), podIP, announce ? $"Stopping container {sidecar.Name}" : null, "Killing", ct);
    }

    /// <summary>Stops one container and returns when it has ended.</summary>
    public async Task KillAsync(Pod pod, ContainerRecord container, TimeSpan grace, string podIP, string? message, string reason, CancellationToken ct)
    {
        var spec = pod.FindContainer(container.Name);
        if (message is not null)
            node.Events.Record(pod, container.Name, false, "Killing", message);
        PodLog.Stopping(node.Log, pod.Key(), container.Name, reason, grace.TotalSeconds);
        var left = grace;
        if (spec?.Lifecycle?.PreStop is { } hook && grace > TimeSpan.Zero && container.Phase == ContainerPhase.Running)
        {
            var clock = Stopwatch.StartNew();
            await PreStopAsync(pod, spec, hook, container, grace, podIP, ct);
            left = grace - clock.Elapsed;
            if (left < LeastGrace)
                left = LeastGrace < grace ? LeastGrace : grace;
        }

        await StopAsync(container, left, ct);
    }

    private async Task PreStopAsync(Pod pod, Container spec, LifecycleHandler hook, ContainerRecord container, TimeSpan grace, string podIP, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(grace);
        try
        {
            if (await node.Hooks.RunAsync(hook, spec, container.Id, podIP, limit.Token) is { } error)
            {
                node.Events.Record(pod, spec.Name, true, "FailedPreStopHook", "PreStopHook failed");
                PodLog.SyncFailed(node.Log, pod.Key(), $"preStop of {spec.Name}: {error}");
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            PodLog.SyncFailed(node.Log, pod.Key(), $"preStop of {spec.Name} took longer than the grace period");
        }
    }

    private async Task StopAsync(ContainerRecord container, TimeSpan grace, CancellationToken ct)
    {
        try
        {
            await node.Runtime.StopContainerAsync(container.Id, grace, ct);
        }
        catch (RuntimeException e) when (e.NotFound)
        {
            // Ended and removed meanwhile.
        }
    }
}
