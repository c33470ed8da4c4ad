using System.Collections.Concurrent;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods;

/// <summary>
/// The node's pods: a worker each. Told of pods by the API's cache and of containers by the runtime's events; a full look now and then
/// finds what events missed.
/// </summary>
internal sealed class PodManager
{
    private static readonly TimeSpan Relist = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RewatchDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PollStep = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<string, Running> workers = new();
    private readonly NodeServices node;
    private CancellationToken lifetime;
    private long relisted;

    public PodManager(NodeServices node)
    {
        this.node = node;
        node.Workers = () => Workers;
    }

    /// <summary>Workers by pod uid.</summary>
    public IEnumerable<PodWorker> Workers => workers.Values.Select(r => r.Worker);

    public PodWorker? Find(string ns, string name) => Workers.FirstOrDefault(w => w.Pod.Metadata.Name == name && w.Pod.Metadata.Namespace == ns);

    public PodWorker? Find(string uid) => workers.TryGetValue(uid, out var running) ? running.Worker : null;

    /// <summary>Workers run until this is cancelled; then pods are left as they are.</summary>
    public void Start(CancellationToken ct) => lifetime = ct;

    /// <summary>A change of the pod's object, as informers tell it: (null, new), (old, new), (old, null).</summary>
    public void OnPod(Pod? old, Pod? pod)
    {
        if (old is not null && (pod is null || pod.Metadata.Uid != old.Metadata.Uid) && workers.TryGetValue(old.Uid(), out var gone))
            gone.Worker.Gone();
        if (pod is null)
            return;
        if (workers.TryGetValue(pod.Uid(), out var known))
            known.Worker.Update(pod);
        else
            Add(pod);
    }

    /// <summary>Ends what the runtime still has of pods that the API no longer knows, and removes their leftovers. Call when the pods have synced.</summary>
    public async Task RemoveOrphansAsync(CancellationToken ct)
    {
        await RemoveOrphansAsync(await RelistAsync(ct), ct);
    }

    /// <summary>A look at all pods of the runtime.</summary>
    public async Task<IReadOnlyDictionary<string, PodState>> RelistAsync(CancellationToken ct)
    {
        var started = node.Time.GetTimestamp();
        var observed = await node.Runtime.InspectAllAsync(ct);
        var last = Interlocked.Exchange(ref relisted, node.Time.GetTimestamp());
        node.Metrics.Relisted(node.Time.GetElapsedTime(started), last == 0 ? null : node.Time.GetElapsedTime(last));
        return observed;
    }

    private async Task RemoveOrphansAsync(IReadOnlyDictionary<string, PodState> observed, CancellationToken ct)
    {
        foreach (var state in observed.Values.Where(s => !workers.ContainsKey(s.Uid)))
            await EndOrphanAsync(state, ct);
        var cleanup = new PodCleanup(node);
        foreach (var uid in node.Volumes.KnownPods().Union(node.Cgroups.KnownPods()).Where(u => !workers.ContainsKey(u) && !observed.ContainsKey(u)))
            cleanup.Files(uid);
        RemoveOldLogs(observed.Keys);
    }

    /// <summary>Wakes workers by the runtime's events until cancelled.</summary>
    public async Task WatchRuntimeAsync(CancellationToken ct)
    {
        _ = PollAsync(ct);
        while (!ct.IsCancellationRequested)
        {
            var reason = "the connection closed";
            try
            {
                await foreach (var news in node.Runtime.WatchAsync(ct))
                {
                    if (workers.TryGetValue(news.PodUid, out var running))
                        running.Worker.Wake();
                    else if (news.PodUid.Length == 0)
                        WakeAll();
                }
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                reason = e.Message;
            }

            if (ct.IsCancellationRequested)
                return;
            PodLog.EventsEnded(node.Log, reason);
            await Task.Delay(RewatchDelay, node.Time, ct);
            WakeAll();
        }
    }

    /// <summary>Completes when all workers have stopped (after the lifetime's end).</summary>
    public async Task StopAsync()
    {
        foreach (var running in workers.Values)
            await running.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void WakeAll()
    {
        foreach (var worker in Workers)
            worker.Wake();
    }

    /// <summary>Compares all of the runtime with what workers saw; wakes those whose containers differ. Cheap: one list.</summary>
    private async Task PollAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(node.Hollow ? Relist * 5 : Relist, node.Time, ct);
                var all = await RelistAsync(ct);
                foreach (var worker in Workers)
                {
                    var seen = worker.Observed;
                    var now = all.TryGetValue(worker.Pod.Uid(), out var state) ? state : PodState.Empty(worker.Pod.Uid());
                    if (!seen.Containers.SequenceEqual(now.Containers) || seen.Sandboxes.Count(s => s.Ready) != now.Sandboxes.Count(s => s.Ready))
                        worker.Wake();
                }

                await RemoveOrphansAsync(all, ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e)
            {
                PodLog.EventsEnded(node.Log, e.Message);
                await Task.Delay(PollStep, node.Time, CancellationToken.None);
            }
        }
    }

    private void Add(Pod pod)
    {
        var worker = new PodWorker(pod, node);
        if (pod.Metadata.DeletionTimestamp is not null)
            worker.Update(pod);
        workers[pod.Uid()] = new Running(worker, Task.Run(() => RunAsync(pod.Uid(), worker), CancellationToken.None));
    }

    private async Task RunAsync(string uid, PodWorker worker)
    {
        try
        {
            await worker.RunAsync(lifetime);
        }
        catch (OperationCanceledException) when (lifetime.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            PodLog.SyncCrashed(node.Log, worker.Pod.Key(), e);
        }

        workers.TryRemove(uid, out _);
        worker.Dispose();
        node.RoomMade();
    }

    private async Task EndOrphanAsync(PodState state, CancellationToken ct)
    {
        if (workers.ContainsKey(state.Uid))
            return;
        PodLog.Orphan(node.Log, state.Uid);
        try
        {
            await Task.WhenAll(state.Containers.Where(c => c.Phase == ContainerPhase.Running).Select(c => node.Runtime.StopContainerAsync(c.Id, TimeSpan.FromSeconds(PodSpecExtensions.DefaultGraceSeconds), ct)));
            foreach (var sandbox in state.Sandboxes)
                await node.Runtime.StopSandboxAsync(sandbox.Id, ct);
            var cleanup = new PodCleanup(node);
            cleanup.Files(state.Uid);
            await cleanup.RuntimeAsync(state, ct);
        }
        catch (RuntimeException e)
        {
            PodLog.CleanupFailed(node.Log, state.Uid, e.Message);
        }
    }

    private void RemoveOldLogs(IEnumerable<string> runtimeUids)
    {
        if (node.Hollow || !Directory.Exists(node.Paths.PodLogs))
            return;
        var alive = workers.Keys.Concat(runtimeUids).ToHashSet();
        foreach (var directory in Directory.EnumerateDirectories(node.Paths.PodLogs))
        {
            var name = Path.GetFileName(directory);
            var uid = name[(name.LastIndexOf('_') + 1)..];
            if (!alive.Contains(uid) && Directory.GetLastWriteTimeUtc(directory) < DateTime.UtcNow.AddSeconds(-30))
                Directory.Delete(directory, recursive: true);
        }
    }

    private sealed record Running(PodWorker Worker, Task Task);
}
