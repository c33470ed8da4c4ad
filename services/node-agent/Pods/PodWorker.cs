using System.Diagnostics;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Pods.Planning;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Probes;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods;

/// <summary>
/// Brings one pod to what its spec says and keeps it there; ends it when it is deleted. One loop: look (runtime), decide
/// (<see cref="PodPlanner"/>), act, tell (<see cref="StatusManager"/>), sleep until something happens or is due.
/// </summary>
/// <remarks>
/// The worker keeps nothing that cannot be rebuilt from the API, the runtime and the disk: an agent killed at any point starts workers
/// that find their pods as they are. Only the loop touches the fields below "loop only"; the others are read and set from outside.
/// </remarks>
internal sealed class PodWorker : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(15);
    private readonly NodeServices node;
    private readonly PodKiller killer;
    private readonly PodStarter starter;
    private readonly PodResizer resizer;
    private readonly SemaphoreSlim signal = new(0, 1);
    private readonly CancellationTokenSource ending = new();
    private readonly PodProbes probes;
    private volatile Pod latest;
    private volatile bool gone;
    private volatile string operation = "create";
    private readonly long seen;

    // loop only
    private readonly PodMemory memory;
    private TimeSpan retry = FirstRetry;
    private bool started;

    public PodWorker(Pod pod, NodeServices node)
    {
        this.node = node;
        latest = pod;
        seen = node.Time.GetTimestamp();
        started = pod.Status?.Phase is not (null or "" or "Pending");
        killer = new PodKiller(node);
        memory = new PodMemory(node);
        starter = new PodStarter(node, killer, memory);
        resizer = new PodResizer(node, killer, memory);
        probes = new PodProbes(node.Prober, node.Time, (c, warning, reason, message) => node.Events.Record(latest, c, warning, reason, message), Wake);
    }

    /// <summary>The newest object of the pod.</summary>
    public Pod Pod => latest;

    /// <summary>The last look at the runtime.</summary>
    public PodState Observed => memory.Observed ?? PodState.Empty(latest.Uid());

    /// <summary>The pod with the status this node last found, which may be newer than the API's.</summary>
    public Pod Current => memory.WithStatus(latest);

    /// <summary>Whether a resize waits for room on the node.</summary>
    public bool WaitsForRoom => memory.Resize?.Reason == ResizeRoom.Deferred;

    /// <summary>Whether the pod's volumes are there: made by us, or long ago as it has containers.</summary>
    public bool VolumesMade => memory.VolumesWereMade || Observed.Containers.Count > 0;

    /// <summary>A newer object.</summary>
    public void Update(Pod pod)
    {
        latest = pod;
        if (operation == "sync")
            operation = "update";
        if (pod.Metadata.DeletionTimestamp is not null)
            ending.Cancel();
        Wake();
    }

    /// <summary>The API no longer has the pod.</summary>
    public void Gone()
    {
        gone = true;
        ending.Cancel();
        Wake();
    }

    /// <summary>Something happened: look again.</summary>
    public void Wake()
    {
        try
        {
            signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // Already awake.
        }
        catch (ObjectDisposedException)
        {
            // Already over.
        }
    }

    public void Dispose()
    {
        probes.Dispose();
        ending.Dispose();
        signal.Dispose();
    }

    /// <summary>Runs until the pod is gone, or until cancelled (the agent stops and leaves the pod running).</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            var began = node.Time.GetTimestamp();
            var what = Ending ? "kill" : operation;
            operation = "sync";
            var next = await StepAsync(ct);
            node.Metrics.PodSynced(what, node.Time.GetElapsedTime(began));
            if (next is null)
                return;
            if (next != TimeSpan.Zero) // Infinite is negative.
                await WaitAsync(next.Value, ct);
        }
    }

    private bool Ending => gone || latest.Metadata.DeletionTimestamp is not null;

    private DateTime Now => node.Time.GetUtcNow().UtcDateTime;

    private async Task WaitAsync(TimeSpan most, CancellationToken ct)
    {
        if (most == Timeout.InfiniteTimeSpan)
        {
            await signal.WaitAsync(ct);
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var timer = Task.Delay(most, node.Time, limit.Token);
        var woken = signal.WaitAsync(limit.Token);
        await Task.WhenAny(timer, woken);
        await limit.CancelAsync();
        ct.ThrowIfCancellationRequested();
    }

    /// <summary>One round; null when the pod is over, else how long to sleep at most.</summary>
    private async Task<TimeSpan?> StepAsync(CancellationToken ct)
    {
        try
        {
            if (Ending)
            {
                await EndAsync(ct);
                return null;
            }

            var next = await SyncAsync(ct);
            retry = FirstRetry;
            return next;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
        catch (Exception e) when (e is RuntimeException or ApiException or IOException)
        {
            PodLog.SyncFailed(node.Log, latest.Key(), e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            PodLog.SyncCrashed(node.Log, latest.Key(), e);
        }

        var delay = retry;
        retry = retry + retry < LongestRetry ? retry + retry : LongestRetry;
        return delay;
    }

    private async Task<TimeSpan> SyncAsync(CancellationToken ct)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(ct, ending.Token);
        using (patience)
        {
            var observed = await LookAsync(ct);
            var pod = memory.WithStatus(latest);
            if (pod.IsTerminal() || memory.FailReason is not null || PastDeadline(pod))
                return await FinishAsync(pod, observed, ct);

            var plan = PodPlanner.Decide(pod, observed, probes);
            Tell(pod, observed);
            if (plan.Kills.Count > 0)
                await KillAsync(pod, observed, plan, ct);
            if (plan.KillPod)
            {
                await KillPodAsync(pod, observed, plan, ct);
                if (plan.NewSandboxAttempt is null)
                {
                    Tell(pod, await LookAsync(ct));
                    return memory.WithStatus(latest).IsTerminal() ? Timeout.InfiniteTimeSpan : node.VolumeRefresh;
                }
            }

            if (plan.Kills.Count > 0 || plan.KillPod)
                observed = await LookAsync(ct);
            var retryAt = await starter.StartAsync(pod, plan, observed, patience.Token, ct);
            if (plan.Starts.Count > 0 || plan.NewSandboxAttempt is not null)
                observed = await LookAsync(ct);
            else if (node.Volumes.HasLiveVolumes(pod) && memory.VolumesDue(Now, node.VolumeRefresh))
                await RefreshVolumesAsync(pod, observed, ct);
            if (await resizer.ApplyAsync(pod, observed, patience.Token) is { } again && (retryAt is null || again < retryAt))
                retryAt = again;
            Tell(pod, observed);
            return NextLook(pod, retryAt);
        }
    }

    /// <summary>When to look again though nothing happens.</summary>
    private TimeSpan NextLook(Pod pod, DateTime? retryAt)
    {
        var next = Timeout.InfiniteTimeSpan;
        void AtMost(TimeSpan other)
        {
            if (other < TimeSpan.FromMilliseconds(20))
                other = TimeSpan.FromMilliseconds(20);
            if (next == Timeout.InfiniteTimeSpan || other < next)
                next = other;
        }

        if (retryAt is { } due)
            AtMost(due - Now);
        if (node.Volumes.HasLiveVolumes(pod))
            AtMost(node.VolumeRefresh);
        if (Deadline(pod) is { } deadline)
            AtMost(deadline - Now);
        return next;
    }

    private async Task<PodState> LookAsync(CancellationToken ct)
    {
        var observed = await node.Runtime.InspectPodAsync(latest.Uid(), ct);
        memory.Observed = observed;
        probes.Sync(latest, observed, memory.PodIP(latest, observed), Ending);
        return observed;
    }

    private void Tell(Pod pod, PodState observed, bool over = false)
    {
        // Told twice in one round, the second builds on the first: what was true in between has its time and its last state.
        pod = memory.WithStatus(latest);
        var facts = new StatusFacts
        {
            Waiting = memory.Waiting,
            Started = probes.Started,
            Ready = id => Ready(pod, observed, id),
            Resize = memory.Resize,
            PodLevel = memory.PodLevel,
            Applied = record => memory.Applied(pod, record),
            TerminationMessage = record => LastWords(pod, record),
            Scheme = node.Runtime.Scheme,
            HostIPs = node.HostIPs(),
            Now = Now,
            PodOver = over || memory.FailReason is not null,
            FailReason = memory.FailReason,
            FailMessage = memory.FailMessage,
        };
        var status = PodStatusBuilder.Build(pod, observed, facts);
        memory.LastStatus = status;
        if (!started && status.Phase == "Running")
        {
            started = true;
            node.Metrics.PodStarted(node.Time.GetElapsedTime(seen));
        }

        node.Status.Set(latest, status);
    }

    private bool Ready(Pod pod, PodState observed, string containerId)
    {
        if (probes.Knows(containerId))
            return probes.Ready(containerId);
        var name = observed.Containers.FirstOrDefault(c => c.Id == containerId)?.Name;
        return name is not null && pod.FindContainer(name) is { ReadinessProbe: null };
    }

    private string LastWords(Pod pod, ContainerRecord record)
    {
        if (node.Hollow || pod.FindContainer(record.Name) is not { } spec)
            return record.Message;
        var words = new MountBuilder(node.Paths, node.Volumes).LastWords(pod, spec, record.RestartCount, record.ExitCode);
        return words.Length > 0 ? words : record.Message;
    }

    private async Task KillAsync(Pod pod, PodState observed, PodPlan plan, CancellationToken ct)
    {
        var ip = memory.PodIP(pod, observed);
        await Task.WhenAll(plan.Kills.Select(kill =>
        {
            var probe = kill.Spec?.LivenessProbe?.TerminationGracePeriodSeconds ?? kill.Spec?.StartupProbe?.TerminationGracePeriodSeconds;
            var seconds = kill.Reason == "Unhealthy" && probe is { } own ? own : pod.GraceSeconds();
            return killer.KillAsync(pod, kill.Container, TimeSpan.FromSeconds(seconds), ip, kill.Message, kill.Reason, ct);
        }));
    }

    private async Task KillPodAsync(Pod pod, PodState observed, PodPlan plan, CancellationToken ct)
    {
        if (plan.NewSandboxAttempt is not null && observed.Sandboxes.Count > 0)
            node.Events.Record(pod, null, false, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
        await killer.KillAllAsync(pod, observed, TimeSpan.FromSeconds(pod.GraceSeconds()), memory.PodIP(pod, observed), announce: true, ct);
        foreach (var sandbox in observed.Sandboxes.Where(s => s.Ready))
            await node.Runtime.StopSandboxAsync(sandbox.Id, ct);
    }

    private async Task RefreshVolumesAsync(Pod pod, PodState observed, CancellationToken ct)
    {
        try
        {
            var ips = observed.Sandboxes.Count > 0 ? observed.Sandboxes[0].IPs : [];
            await node.Volumes.EnsureAsync(pod, node.Facts(ips), TimeSpan.FromSeconds(5), ct);
        }
        catch (Volumes.VolumeException e)
        {
            node.Events.Record(pod, null, true, "FailedMount", e.Message);
        }
    }

    private static DateTime? Deadline(Pod pod) =>
        pod.Spec?.ActiveDeadlineSeconds is { } seconds && pod.Status?.StartTime is { } start ? start.AddSeconds(seconds) : null;

    private bool PastDeadline(Pod pod)
    {
        if (Deadline(pod) is not { } deadline || deadline > Now)
            return false;
        memory.FailReason = "DeadlineExceeded";
        memory.FailMessage = "Pod was active on the node longer than the specified deadline";
        node.Events.Record(pod, null, false, "DeadlineExceeded", memory.FailMessage);
        return true;
    }

    /// <summary>The pod has ended by itself or was failed by the node: what still runs is stopped; the object stays.</summary>
    private async Task<TimeSpan> FinishAsync(Pod pod, PodState observed, CancellationToken ct)
    {
        if (observed.AnyRunning || observed.Sandboxes.Any(s => s.Ready))
            await KillPodAsync(pod, observed, new PodPlan { KillPod = true }, ct);
        Tell(pod, await LookAsync(ct), over: true);
        return Timeout.InfiniteTimeSpan;
    }

    /// <summary>Graceful end: stop, tell, clean up, and only then let the API forget the pod.</summary>
    private async Task EndAsync(CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        var observed = await LookAsync(ct);
        var pod = memory.WithStatus(latest);
        await StopWithinGraceAsync(observed, ct);
        await Task.WhenAll(observed.Sandboxes.Where(s => s.Ready).Select(s => node.Runtime.StopSandboxAsync(s.Id, ct)));
        observed = await LookAsync(ct);
        if (!gone)
        {
            Tell(pod, observed, over: true);
            await node.Status.FlushAsync(pod.Uid(), ct);
        }

        probes.Dispose();
        var cleanup = new PodCleanup(node);
        cleanup.Files(pod.Uid());
        if (!gone)
            await cleanup.DeleteFromApiAsync(pod, ct);
        node.Status.Forget(pod.Uid());
        PodLog.Ended(node.Log, pod.Key(), clock.ElapsedMilliseconds);
        await cleanup.RuntimeAsync(observed, ct);
        cleanup.Logs(pod);
    }

    /// <summary>Stops the containers; a second deletion with a shorter grace period shortens the wait.</summary>
    private async Task StopWithinGraceAsync(PodState observed, CancellationToken ct)
    {
        var announced = false;
        while (true)
        {
            var pod = latest;
            var grace = Math.Max(1, gone && pod.Metadata.DeletionTimestamp is null ? 1 : pod.GraceSeconds());
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var kill = killer.KillAllAsync(pod, observed, TimeSpan.FromSeconds(grace), memory.PodIP(pod, observed), !announced, stop.Token);
            announced = true;
            while (!kill.IsCompleted)
            {
                var woken = signal.WaitAsync(stop.Token);
                await Task.WhenAny(kill, woken);
                if (!kill.IsCompleted && (gone || latest.GraceSeconds() < grace))
                    break;
            }

            if (kill.IsCompleted)
            {
                await kill;
                await stop.CancelAsync();
                return;
            }

            await stop.CancelAsync();
            try
            {
                await kill;
            }
            catch (Exception e) when (e is OperationCanceledException or RuntimeException && !ct.IsCancellationRequested)
            {
                // Asked again below, with less time.
            }

            if (gone && grace == 1)
                return;
            observed = await LookAsync(ct);
        }
    }
}
