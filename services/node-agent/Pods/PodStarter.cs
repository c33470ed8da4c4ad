using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Pods.Planning;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Sandboxes;
using Mesh.NodeAgent.Volumes;

namespace Mesh.NodeAgent.Pods;

/// <summary>Carries out the starting part of a plan: volumes, cgroup, sandbox, hosts file, containers, each with its own failures and delays.</summary>
internal sealed class PodStarter(NodeServices node, PodKiller killer, PodMemory memory)
{
    private static readonly TimeSpan SandboxRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MountRetry = TimeSpan.FromSeconds(1);
    private readonly ContainerStarter starter = new(node, killer);
    private readonly Dictionary<string, DateTime> announcedBackoff = [];
    private TimeSpan mountDelay = MountRetry;

    /// <summary>Returns when to try again what could not be done yet, or null.</summary>
    public async Task<DateTime?> StartAsync(Pod pod, PodPlan plan, PodState observed, CancellationToken patience, CancellationToken ct)
    {
        if (plan.Starts.Count == 0 && plan.NewSandboxAttempt is null)
            return null;
        memory.RestoreBackoff(observed, Now);
        DateTime? retryAt = null;
        var due = plan.NewSandboxAttempt is null ? Due(pod, plan.Starts, observed, ref retryAt) : plan.Starts;
        if (due.Count == 0)
            return retryAt;

        IReadOnlyDictionary<string, string> volumes;
        try
        {
            var known = observed.Sandboxes.Count > 0 ? observed.Sandboxes[0].IPs : [];
            volumes = await node.Volumes.EnsureAsync(pod, node.Facts(known), TimeSpan.FromSeconds(1), patience);
            memory.VolumesMade(Now);
            mountDelay = MountRetry;
        }
        catch (VolumeException e)
        {
            node.Events.Record(pod, null, true, "FailedMount", e.Message);
            var wait = mountDelay;
            mountDelay = mountDelay + mountDelay < TimeSpan.FromMinutes(2) ? mountDelay + mountDelay : TimeSpan.FromMinutes(2);
            return Now + wait;
        }

        var attempt = plan.NewSandboxAttempt ?? plan.Sandbox!.Attempt;
        var config = SandboxConfigBuilder.Build(pod, attempt, node.Paths.LogDirectory(pod), node.Cgroups.Ensure(pod), node.Sandbox);
        var sandboxId = plan.Sandbox?.Id;
        var ips = plan.Sandbox?.IPs ?? [];
        if (plan.NewSandboxAttempt is not null)
        {
            try
            {
                if (!node.Hollow)
                    Directory.CreateDirectory(node.Paths.LogDirectory(pod));
                sandboxId = await node.Runtime.RunSandboxAsync(config, pod.Spec?.RuntimeClassName ?? "", ct);
            }
            catch (RuntimeException e)
            {
                node.Events.Record(pod, null, true, "FailedCreatePodSandBox", $"Failed to create pod sandbox: {e.Message}");
                return Now + SandboxRetry;
            }

            observed = await node.Runtime.InspectPodAsync(pod.Uid(), ct);
            memory.Observed = observed;
            ips = observed.Sandboxes.FirstOrDefault(s => s.Id == sandboxId)?.IPs ?? [];
        }

        if (pod.HostNetwork())
            ips = node.HostIPs();
        WriteHosts(pod, ips);
        var place = new StartPlace(sandboxId!, config, ips, volumes, observed);
        foreach (var start in due)
        {
            var fresh = start with { RestartCount = RestartCount(pod, start, observed) };
            if (Ended(observed, start) is { } finished)
                memory.Restarts.Next(start.Spec.Name!, finished, Now);
            var outcome = await starter.StartAsync(pod, fresh, place, patience, ct);
            if (outcome.Waiting is { } waiting)
            {
                memory.Waiting[start.Spec.Name!] = waiting;
                Earliest(ref retryAt, outcome.RetryAt);
                continue;
            }

            memory.Waiting.Remove(start.Spec.Name!);
        }

        return retryAt;
    }

    private DateTime Now => node.Time.GetUtcNow().UtcDateTime;

    /// <summary>The starts whose back-off is over; the others wait as CrashLoopBackOff.</summary>
    private List<ContainerStart> Due(Pod pod, IReadOnlyList<ContainerStart> starts, PodState observed, ref DateTime? retryAt)
    {
        var due = new List<ContainerStart>();
        foreach (var start in starts)
        {
            var name = start.Spec.Name!;
            if (Ended(observed, start) is not { } finished || memory.Restarts.NotBefore(name, finished, Now) is not { } when)
            {
                due.Add(start);
                continue;
            }

            var delay = memory.Restarts.Get(name) ?? TimeSpan.Zero;
            var message = $"back-off {GoDuration(delay)} restarting failed container={name} pod={pod.Describe()}";
            memory.Waiting[name] = new WaitingReason("CrashLoopBackOff", message);
            if (announcedBackoff.GetValueOrDefault(name) != when)
            {
                announcedBackoff[name] = when;
                node.Events.Record(pod, name, true, "BackOff", $"Back-off restarting failed container {name} in pod {pod.Describe()}");
            }

            Earliest(ref retryAt, when);
        }

        return due;
    }

    /// <summary>
    /// When the run ended that back-off counts from; null when there was none. A container that this very round stopped (its probe failed)
    /// counts from the run before: the first restart by a probe is at once, as kubelet does it.
    /// </summary>
    private DateTime? Ended(PodState observed, ContainerStart start)
    {
        if (start.Last is null)
            return null;
        var ended = start.Last.Phase == ContainerPhase.Running ? observed.Previous(start.Spec.Name!) : observed.Newest(start.Spec.Name!) ?? start.Last;
        if (ended is not { Phase: ContainerPhase.Exited or ContainerPhase.Unknown })
            return null;
        return ended.FinishedAt == default ? Now : ended.FinishedAt;
    }

    /// <summary>A runtime that lost its containers does not start the count again: the API remembers it.</summary>
    private static int RestartCount(Pod pod, ContainerStart start, PodState observed)
    {
        if (observed.Newest(start.Spec.Name!) is { } last)
            return last.RestartCount + 1;
        var status = (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? []).FirstOrDefault(s => s.Name == start.Spec.Name);
        if (status?.ContainerID is not { Length: > 0 })
            return 0;
        // A running container that vanished was counted when it was missed.
        var counted = status.State?.Waiting is not null && status.LastState?.Terminated?.Reason == ContainerStatusBuilder.Unknown;
        return (status.RestartCount ?? 0) + (counted ? 0 : 1);
    }

    private void WriteHosts(Pod pod, IReadOnlyList<string> ips)
    {
        if (node.Hollow)
            return;
        var path = node.Paths.HostsFile(pod.Uid());
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var nodeHosts = pod.HostNetwork() && File.Exists("/etc/hosts") ? File.ReadAllText("/etc/hosts") : "";
        var text = HostsFile.Write(pod, ips, node.Sandbox.ClusterDomain, nodeHosts);
        // Written in place: the file is bind-mounted, a new inode would not be seen.
        if (!File.Exists(path) || File.ReadAllText(path) != text)
            File.WriteAllText(path, text);
    }

    private static void Earliest(ref DateTime? present, DateTime? other)
    {
        if (other is { } value && (present is null || value < present))
            present = value;
    }

    /// <summary>10s, 1m20s, 5m0s.</summary>
    private static string GoDuration(TimeSpan delay) =>
        delay.TotalSeconds < 60 ? $"{(int)delay.TotalSeconds}s" : $"{(int)delay.TotalMinutes}m{delay.Seconds}s";
}
