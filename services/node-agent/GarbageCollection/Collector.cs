using Mesh.NodeAgent.Logs;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Runtime;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.GarbageCollection;

/// <summary>
/// Removes what pods leave while they live: dead containers but the newest two of each name (the last one's log is what -p shows), dead
/// sandboxes but the newest, images nobody uses when the disk fills up, and old logs.
/// </summary>
internal sealed class Collector(NodeServices node, PodManager pods, NodeAgentOptions options)
{
    private static readonly TimeSpan ContainerStep = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LogStep = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ImageStep = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ImageMinAge = TimeSpan.FromMinutes(2);
    private readonly LogRotation rotation = new(options.ContainerLogMaxSize, options.ContainerLogMaxFiles);

    public Task RunAsync(CancellationToken ct) => Task.WhenAll(
        LoopAsync(ContainerStep, ContainersAsync, ct),
        LoopAsync(ImageStep, ImagesAsync, ct),
        LoopAsync(LogStep, LogsAsync, ct));

    /// <summary>Which of a pod's records are no longer needed: dead containers beyond the newest two of a name, dead sandboxes that are not the newest. Pure.</summary>
    public static (IReadOnlyList<ContainerRecord> Containers, IReadOnlyList<SandboxRecord> Sandboxes) Superfluous(PodState state)
    {
        var containers = state.Containers
            .GroupBy(c => c.Name)
            .SelectMany(g => g.Where(c => c.Phase is ContainerPhase.Exited or ContainerPhase.Created).OrderByDescending(c => c.RestartCount).Skip(g.Any(c => c.Phase == ContainerPhase.Running) ? 1 : 2))
            .ToList();
        var kept = state.Containers.Except(containers).Select(c => c.SandboxId).ToHashSet();
        var sandboxes = state.Sandboxes.Skip(1).Where(s => !s.Ready && !kept.Contains(s.Id)).ToList();
        return (containers, sandboxes);
    }

    /// <summary>Images to remove, longest unused first, until so many bytes are free. Pure.</summary>
    public static IReadOnlyList<ImageRecord> Victims(IEnumerable<ImageRecord> images, IReadOnlySet<string> used, IReadOnlyDictionary<string, DateTime> lastUsed, long bytes)
    {
        var victims = new List<ImageRecord>();
        foreach (var image in images.Where(i => !i.Pinned && !used.Contains(i.Id) && !i.Digests.Any(used.Contains)).OrderBy(i => lastUsed.GetValueOrDefault(i.Id)))
        {
            if (bytes <= 0)
                break;
            victims.Add(image);
            bytes -= image.Size;
        }

        return victims;
    }

    private async Task LoopAsync(TimeSpan step, Func<CancellationToken, Task> work, CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(step, node.Time, ct);
            try
            {
                await work(ct);
            }
            catch (Exception e) when (e is RuntimeException or IOException)
            {
                GarbageLog.Failed(node.Log, e.Message);
            }
        }
    }

    private async Task ContainersAsync(CancellationToken ct)
    {
        foreach (var worker in pods.Workers)
        {
            var (containers, sandboxes) = Superfluous(worker.Observed);
            foreach (var container in containers)
            {
                await node.Runtime.RemoveContainerAsync(container.Id, ct);
                File.Delete(node.Paths.Log(worker.Pod, container.Name, container.RestartCount));
            }

            foreach (var sandbox in sandboxes)
                await node.Runtime.RemoveSandboxAsync(sandbox.Id, ct);
            if (containers.Count + sandboxes.Count > 0)
                worker.Wake();
        }
    }

    private async Task ImagesAsync(CancellationToken ct)
    {
        var images = await node.Runtime.ListImagesAsync(ct);
        var now = node.Time.GetUtcNow().UtcDateTime;
        foreach (var image in images)
            node.Images.LastUsed.TryAdd(image.Id, now);
        var pressure = Nodes.NodePressure.Read(node.Paths.Data, 0);
        if (pressure.DiskTotal == 0 || 100 - (pressure.DiskAvailable * 100 / pressure.DiskTotal) < options.ImageGcHighPercent)
            return;
        var wanted = (pressure.DiskTotal * (100 - options.ImageGcLowPercent) / 100) - pressure.DiskAvailable;
        var used = (await node.Runtime.InspectAllAsync(ct)).Values.SelectMany(s => s.Containers).Select(c => c.ImageId).ToHashSet();
        var old = images.Where(i => now - node.Images.LastUsed.GetValueOrDefault(i.Id) > ImageMinAge && !i.Tags.Contains(options.SandboxImage));
        foreach (var image in Victims(old, used, node.Images.LastUsed, wanted))
        {
            GarbageLog.ImageRemoved(node.Log, image.Tags.Count > 0 ? image.Tags[0] : image.Id, image.Size);
            await node.Runtime.RemoveImageAsync(image.Id, ct);
        }
    }

    private async Task LogsAsync(CancellationToken ct)
    {
        foreach (var worker in pods.Workers)
            foreach (var container in worker.Observed.Containers.Where(c => c.Phase == ContainerPhase.Running))
                await rotation.RotateAsync(node.Paths.Log(worker.Pod, container.Name, container.RestartCount), () => node.Runtime.ReopenLogAsync(container.Id, ct), ct);
    }
}

/// <summary>Logs of garbage collection.</summary>
internal static partial class GarbageLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "garbage collection: {Reason}")]
    public static partial void Failed(ILogger log, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "image {Image} ({Bytes} bytes) is removed: the disk is filling up")]
    public static partial void ImageRemoved(ILogger log, string image, long bytes);
}
