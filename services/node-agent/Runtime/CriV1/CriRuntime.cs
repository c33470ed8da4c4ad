using System.Collections.Concurrent;
using Grpc.Core;

namespace Mesh.NodeAgent.Runtime.CriV1;

/// <summary>
/// A CRI v1 runtime behind a unix socket. What cannot change any more (a dead container's status, a sandbox's addresses)
/// is asked once and remembered, so that looking at a pod costs two list calls and a status per living container.
/// </summary>
internal sealed class CriRuntime(CriConnection connection) : IContainerRuntime, IDisposable
{
    private static readonly TimeSpan ShortCall = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongCall = TimeSpan.FromMinutes(4);
    private readonly ConcurrentDictionary<string, ContainerRecord> exited = new();
    private readonly ConcurrentDictionary<string, SandboxRecord> sandboxes = new();

    public string Scheme => "containerd";

    public void Dispose() => connection.Dispose();

    public Task<RuntimeVersion> VersionAsync(CancellationToken ct) => CallAsync(ShortCall, ct, async options =>
    {
        var answer = await connection.Runtime.VersionAsync(new Cri.VersionRequest(), options);
        return new RuntimeVersion(answer.RuntimeName, answer.RuntimeVersion);
    });

    public Task<IReadOnlyList<RuntimeConditionRecord>> StatusAsync(CancellationToken ct) => CallAsync<IReadOnlyList<RuntimeConditionRecord>>(ShortCall, ct, async options =>
    {
        var answer = await connection.Runtime.StatusAsync(new Cri.StatusRequest(), options);
        return [.. answer.Status.Conditions.Select(c => new RuntimeConditionRecord(c.Type, c.Status, c.Reason, c.Message))];
    });

    public async Task<PodState> InspectPodAsync(string podUid, CancellationToken ct)
    {
        var all = await InspectAsync(podUid, ct);
        return all.TryGetValue(podUid, out var state) ? state : PodState.Empty(podUid);
    }

    public async Task<IReadOnlyDictionary<string, PodState>> InspectAllAsync(CancellationToken ct) => await InspectAsync(null, ct);

    public Task<string?> FindPodOfContainerAsync(string containerId, CancellationToken ct) => CallAsync(ShortCall, ct, async options =>
    {
        var request = new Cri.ListContainersRequest { Filter = new Cri.ContainerFilter { Id = containerId } };
        var answer = await connection.Runtime.ListContainersAsync(request, options);
        if (answer.Containers.Count > 0)
            return (string?)CriMapping.Label(answer.Containers[0].Labels, RuntimeLabels.PodUid);
        var boxes = await connection.Runtime.ListPodSandboxAsync(new Cri.ListPodSandboxRequest { Filter = new Cri.PodSandboxFilter { Id = containerId } }, options);
        return boxes.Items.Count > 0 ? boxes.Items[0].Metadata.Uid : null;
    });

    public Task<string> RunSandboxAsync(Cri.PodSandboxConfig config, string runtimeHandler, CancellationToken ct) => CallAsync(LongCall, ct, async options =>
        (await connection.Runtime.RunPodSandboxAsync(new Cri.RunPodSandboxRequest { Config = config, RuntimeHandler = runtimeHandler }, options)).PodSandboxId);

    public Task StopSandboxAsync(string sandboxId, CancellationToken ct) => CallAsync(LongCall, ct, async options =>
        await connection.Runtime.StopPodSandboxAsync(new Cri.StopPodSandboxRequest { PodSandboxId = sandboxId }, options));

    public Task RemoveSandboxAsync(string sandboxId, CancellationToken ct) => CallAsync(LongCall, ct, async options =>
    {
        sandboxes.TryRemove(sandboxId, out _);
        return await connection.Runtime.RemovePodSandboxAsync(new Cri.RemovePodSandboxRequest { PodSandboxId = sandboxId }, options);
    });

    public Task<Uri> PortForwardUrlAsync(string sandboxId, IReadOnlyList<int> ports, CancellationToken ct) => CallAsync(ShortCall, ct, async options =>
    {
        var request = new Cri.PortForwardRequest { PodSandboxId = sandboxId };
        request.Port.AddRange(ports);
        return new Uri((await connection.Runtime.PortForwardAsync(request, options)).Url);
    });

    public Task<string> CreateContainerAsync(string sandboxId, Cri.ContainerConfig config, Cri.PodSandboxConfig sandboxConfig, CancellationToken ct) =>
        CallAsync(LongCall, ct, async options =>
        {
            var request = new Cri.CreateContainerRequest { PodSandboxId = sandboxId, Config = config, SandboxConfig = sandboxConfig };
            return (await connection.Runtime.CreateContainerAsync(request, options)).ContainerId;
        });

    public Task StartContainerAsync(string containerId, CancellationToken ct) => CallAsync(LongCall, ct, async options =>
        await connection.Runtime.StartContainerAsync(new Cri.StartContainerRequest { ContainerId = containerId }, options));

    public Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken ct) => CallAsync(grace + LongCall, ct, async options =>
    {
        var seconds = (long)Math.Ceiling(grace.TotalSeconds);
        return await connection.Runtime.StopContainerAsync(new Cri.StopContainerRequest { ContainerId = containerId, Timeout = seconds }, options);
    });

    public Task RemoveContainerAsync(string containerId, CancellationToken ct) => CallAsync(LongCall, ct, async options =>
    {
        exited.TryRemove(containerId, out _);
        return await connection.Runtime.RemoveContainerAsync(new Cri.RemoveContainerRequest { ContainerId = containerId }, options);
    });

    public Task UpdateResourcesAsync(string containerId, Cri.LinuxContainerResources resources, CancellationToken ct) => CallAsync(ShortCall, ct, async options =>
        await connection.Runtime.UpdateContainerResourcesAsync(new Cri.UpdateContainerResourcesRequest { ContainerId = containerId, Linux = resources }, options));

    public Task ReopenLogAsync(string containerId, CancellationToken ct) => CallAsync(ShortCall, ct, async options =>
        await connection.Runtime.ReopenContainerLogAsync(new Cri.ReopenContainerLogRequest { ContainerId = containerId }, options));

    public Task<ExecResult> ExecAsync(string containerId, IReadOnlyList<string> command, TimeSpan timeout, CancellationToken ct) =>
        CallAsync(timeout > TimeSpan.Zero ? timeout + ShortCall : LongCall, ct, async options =>
        {
            var request = new Cri.ExecSyncRequest { ContainerId = containerId, Timeout = (long)Math.Ceiling(timeout.TotalSeconds) };
            request.Cmd.AddRange(command);
            var answer = await connection.Runtime.ExecSyncAsync(request, options);
            return new ExecResult(answer.ExitCode, answer.Stdout.ToByteArray(), answer.Stderr.ToByteArray());
        });

    public Task<Uri> ExecUrlAsync(string containerId, IReadOnlyList<string> command, StreamSelection streams, CancellationToken ct) =>
        CallAsync(ShortCall, ct, async options =>
        {
            var request = new Cri.ExecRequest { ContainerId = containerId, Stdin = streams.Stdin, Stdout = streams.Stdout, Stderr = streams.Stderr, Tty = streams.Tty };
            request.Cmd.AddRange(command);
            return new Uri((await connection.Runtime.ExecAsync(request, options)).Url);
        });

    public Task<Uri> AttachUrlAsync(string containerId, StreamSelection streams, CancellationToken ct) => CallAsync(ShortCall, ct, async options =>
    {
        var request = new Cri.AttachRequest { ContainerId = containerId, Stdin = streams.Stdin, Stdout = streams.Stdout, Stderr = streams.Stderr, Tty = streams.Tty };
        return new Uri((await connection.Runtime.AttachAsync(request, options)).Url);
    });

    public Task<ImageRecord?> FindImageAsync(string image, CancellationToken ct) => CallAsync(ShortCall, ct, async options =>
    {
        var answer = await connection.Images.ImageStatusAsync(new Cri.ImageStatusRequest { Image = new Cri.ImageSpec { Image = image } }, options);
        return answer.Image is null ? null : CriMapping.Image(answer.Image);
    });

    public Task<IReadOnlyList<ImageRecord>> ListImagesAsync(CancellationToken ct) => CallAsync<IReadOnlyList<ImageRecord>>(ShortCall, ct, async options =>
        [.. (await connection.Images.ListImagesAsync(new Cri.ListImagesRequest(), options)).Images.Select(CriMapping.Image)]);

    public Task<string> PullImageAsync(string image, Cri.AuthConfig? auth, Cri.PodSandboxConfig? sandboxConfig, CancellationToken ct) =>
        CallAsync(TimeSpan.FromHours(1), ct, async options =>
        {
            var request = new Cri.PullImageRequest { Image = new Cri.ImageSpec { Image = image }, Auth = auth, SandboxConfig = sandboxConfig };
            return (await connection.Images.PullImageAsync(request, options)).ImageRef;
        });

    public Task RemoveImageAsync(string image, CancellationToken ct) => CallAsync(LongCall, ct, async options =>
        await connection.Images.RemoveImageAsync(new Cri.RemoveImageRequest { Image = new Cri.ImageSpec { Image = image } }, options));

    public Task<ImageFilesystem?> ImageFilesystemAsync(CancellationToken ct) => CallAsync(ShortCall, ct, async options =>
    {
        var first = (await connection.Images.ImageFsInfoAsync(new Cri.ImageFsInfoRequest(), options)).ImageFilesystems.FirstOrDefault();
        return first is null ? null : new ImageFilesystem(first.FsId?.Mountpoint ?? "", (long)(first.UsedBytes?.Value ?? 0));
    });

    public Task<IReadOnlyList<ContainerUsage>> UsageAsync(CancellationToken ct) => CallAsync<IReadOnlyList<ContainerUsage>>(ShortCall, ct, async options =>
        [.. (await connection.Runtime.ListContainerStatsAsync(new Cri.ListContainerStatsRequest(), options)).Stats.Select(CriMapping.Usage)]);

    public IAsyncEnumerable<RuntimeEvent> WatchAsync(CancellationToken ct) => new CriEvents(connection, this).WatchAsync(ct);

    /// <summary>One pod's state (or all when uid is null): lists, then a status for whatever may still change.</summary>
    private async Task<Dictionary<string, PodState>> InspectAsync(string? podUid, CancellationToken ct)
    {
        var sandboxFilter = new Cri.PodSandboxFilter();
        var containerFilter = new Cri.ContainerFilter();
        if (podUid is not null)
        {
            sandboxFilter.LabelSelector.Add(RuntimeLabels.PodUid, podUid);
            containerFilter.LabelSelector.Add(RuntimeLabels.PodUid, podUid);
        }

        var boxes = await CallAsync(ShortCall, ct, async o => await connection.Runtime.ListPodSandboxAsync(new Cri.ListPodSandboxRequest { Filter = sandboxFilter }, o));
        var containers = await CallAsync(ShortCall, ct, async o => await connection.Runtime.ListContainersAsync(new Cri.ListContainersRequest { Filter = containerFilter }, o));
        var sandboxesByPod = new Dictionary<string, List<SandboxRecord>>();
        foreach (var item in boxes.Items)
        {
            var record = await SandboxAsync(CriMapping.Sandbox(item), ct);
            if (record.PodUid.Length > 0)
                Of(sandboxesByPod, record.PodUid).Add(record);
        }

        var containersByPod = new Dictionary<string, List<ContainerRecord>>();
        foreach (var item in containers.Containers)
        {
            var uid = CriMapping.Label(item.Labels, RuntimeLabels.PodUid);
            if (uid.Length > 0 && await ContainerAsync(item, uid, ct) is { } record)
                Of(containersByPod, uid).Add(record);
        }

        var result = new Dictionary<string, PodState>();
        foreach (var uid in sandboxesByPod.Keys.Union(containersByPod.Keys))
        {
            var podBoxes = sandboxesByPod.TryGetValue(uid, out var b) ? b : [];
            var podContainers = containersByPod.TryGetValue(uid, out var c) ? c : [];
            result[uid] = new PodState(
                uid,
                [.. podBoxes.OrderByDescending(s => s.CreatedAt)],
                [.. podContainers.OrderByDescending(r => r.RestartCount).ThenByDescending(r => r.CreatedAt)]);
        }

        return result;
    }

    private static List<T> Of<T>(Dictionary<string, List<T>> map, string key)
    {
        if (!map.TryGetValue(key, out var list))
            map[key] = list = [];
        return list;
    }

    private async Task<SandboxRecord> SandboxAsync(SandboxRecord listed, CancellationToken ct)
    {
        if (sandboxes.TryGetValue(listed.Id, out var known))
            return known with { Ready = listed.Ready };
        try
        {
            var answer = await CallAsync(ShortCall, ct, async o => await connection.Runtime.PodSandboxStatusAsync(new Cri.PodSandboxStatusRequest { PodSandboxId = listed.Id }, o));
            var full = CriMapping.WithStatus(listed, answer.Status);
            if (full.HostNetwork || full.IPs.Count > 0)
                sandboxes[full.Id] = full;
            return full;
        }
        catch (RuntimeException e) when (e.NotFound)
        {
            return listed with { Ready = false };
        }
    }

    private async Task<ContainerRecord?> ContainerAsync(Cri.Container listed, string podUid, CancellationToken ct)
    {
        if (exited.TryGetValue(listed.Id, out var known))
            return known;
        try
        {
            var answer = await CallAsync(ShortCall, ct, async o => await connection.Runtime.ContainerStatusAsync(new Cri.ContainerStatusRequest { ContainerId = listed.Id }, o));
            var record = CriMapping.Container(listed.PodSandboxId, podUid, answer.Status);
            if (record.Phase == ContainerPhase.Exited)
                exited[record.Id] = record;
            return record;
        }
        catch (RuntimeException e) when (e.NotFound)
        {
            return null;
        }
    }

    // The call comes last because every caller writes it as a lambda over several lines.
#pragma warning disable CA1068
    private static async Task<T> CallAsync<T>(TimeSpan limit, CancellationToken ct, Func<CallOptions, Task<T>> call)
#pragma warning restore CA1068
    {
        try
        {
            return await call(new CallOptions(deadline: DateTime.UtcNow + limit, cancellationToken: ct));
        }
        catch (RpcException e) when (!ct.IsCancellationRequested)
        {
            throw new RuntimeException(e.Status.Detail, e)
            {
                NotFound = e.StatusCode == StatusCode.NotFound,
                TimedOut = e.StatusCode == StatusCode.DeadlineExceeded,
                Unavailable = e.StatusCode == StatusCode.Unavailable,
            };
        }
        catch (RpcException e) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException("the call to the runtime was cancelled", e, ct);
        }
    }
}
