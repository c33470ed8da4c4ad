using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Images;
using Mesh.NodeAgent.Objects;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Pods.Planning;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Volumes;

namespace Mesh.NodeAgent.Containers;

/// <summary>Where a container is started.</summary>
internal sealed record StartPlace(string SandboxId, Cri.PodSandboxConfig SandboxConfig, IReadOnlyList<string> PodIPs, IReadOnlyDictionary<string, string> Volumes, PodState Observed);

/// <summary>What a start came to: running, or why it waits and when to try again.</summary>
internal sealed record StartOutcome(WaitingReason? Waiting, DateTime? RetryAt, string? ContainerId)
{
    public static StartOutcome Running(string id) => new(null, null, id);
}

/// <summary>Starts one container: image, configuration, create, start, postStart hook.</summary>
internal sealed class ContainerStarter(NodeServices node, PodKiller killer)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    /// <param name="pod">The pod.</param>
    /// <param name="start">Which container, and its restart count.</param>
    /// <param name="place">The sandbox and what is mounted.</param>
    /// <param name="patience">Ends waiting for images and hooks when the pod is to end.</param>
    /// <param name="ct">Ends everything (the agent stops).</param>
    public async Task<StartOutcome> StartAsync(Pod pod, ContainerStart start, StartPlace place, CancellationToken patience, CancellationToken ct)
    {
        var spec = start.Spec;
        ImageRecord image;
        try
        {
            image = await node.Images.EnsureAsync(pod, spec, place.SandboxConfig, patience);
        }
        catch (ImageException e)
        {
            return new StartOutcome(new WaitingReason(e.Reason, e.Message), e.RetryAt ?? Soon(), null);
        }

        Cri.ContainerConfig config;
        try
        {
            config = await ConfigureAsync(pod, start, place, image, patience);
        }
        catch (Exception e) when (e is ContainerConfigException or ApiException or IOException)
        {
            node.Events.Record(pod, spec.Name, true, "Failed", $"Error: {e.Message}");
            return new StartOutcome(new WaitingReason("CreateContainerConfigError", e.Message), Soon(), null);
        }

        string id;
        try
        {
            if (!node.Hollow)
                Directory.CreateDirectory(Path.GetDirectoryName(node.Paths.Log(pod, spec.Name!, start.RestartCount))!);
            id = await node.Runtime.CreateContainerAsync(place.SandboxId, config, place.SandboxConfig, ct);
        }
        catch (RuntimeException e)
        {
            node.Events.Record(pod, spec.Name, true, "Failed", $"Error: {e.Message}");
            return new StartOutcome(new WaitingReason("CreateContainerError", e.Message), Soon(), null);
        }

        node.Events.Record(pod, spec.Name, false, "Created", "Container created");
        try
        {
            await node.Runtime.StartContainerAsync(id, ct);
        }
        catch (RuntimeException e)
        {
            node.Events.Record(pod, spec.Name, true, "Failed", $"Error: {e.Message}");
            return new StartOutcome(new WaitingReason("RunContainerError", e.Message), Soon(), id);
        }

        node.Events.Record(pod, spec.Name, false, "Started", "Container started");
        PodLog.Started(node.Log, pod.Key(), spec.Name!, id, start.RestartCount);
        return await PostStartAsync(pod, spec, id, place, patience, ct);
    }

    private async Task<StartOutcome> PostStartAsync(Pod pod, Container spec, string id, StartPlace place, CancellationToken patience, CancellationToken ct)
    {
        if (spec.Lifecycle?.PostStart is not { } hook)
            return StartOutcome.Running(id);
        var ip = place.PodIPs.Count > 0 ? place.PodIPs[0] : "";
        if (await node.Hooks.RunAsync(hook, spec, id, ip, patience) is not { } error)
            return StartOutcome.Running(id);
        node.Events.Record(pod, spec.Name, true, "FailedPostStartHook", "PostStartHook failed");
        var record = new ContainerRecord { Id = id, SandboxId = place.SandboxId, PodUid = pod.Uid(), Name = spec.Name!, Phase = ContainerPhase.Running };
        await killer.KillAsync(pod, record, TimeSpan.FromSeconds(pod.GraceSeconds()), ip, "FailedPostStartHook", "PostStartHookError", ct);
        return new StartOutcome(new WaitingReason("PostStartHookError", error), Soon(), id);
    }

    private async Task<Cri.ContainerConfig> ConfigureAsync(Pod pod, ContainerStart start, StartPlace place, ImageRecord image, CancellationToken ct)
    {
        var spec = start.Spec;
        SecurityContexts.VerifyNonRoot(pod, spec, image.Uid, image.Username);
        await node.ServicesSynced.WaitAsync(ct);
        var objects = await ReferencedAsync(pod, spec, ct);
        var environment = EnvironmentBuilder.Build(pod, spec, node.Facts(place.PodIPs), node.Services(pod.Metadata.Namespace!), objects);
        var mounts = node.Hollow ? [] : new MountBuilder(node.Paths, node.Volumes).Build(pod, spec, place.Volumes, environment, start.RestartCount);
        var target = pod.Spec?.EphemeralContainers?.FirstOrDefault(e => e.Name == spec.Name)?.TargetContainerName;
        return ContainerConfigBuilder.Build(new ContainerInputs
        {
            Pod = pod,
            Spec = spec,
            RestartCount = start.RestartCount,
            ImageRef = image.Id,
            ImageUid = image.Uid,
            ImageUser = image.Username,
            Environment = environment,
            Mounts = mounts,
            Resources = ContainerResources.Build(pod, spec, node.MemoryBytes, node.Cgroups.Version, node.MayLowerOomScore),
            TargetContainerId = target is null ? null : place.Observed.Newest(target)?.Id,
        });
    }

    private async Task<ReferencedObjects> ReferencedAsync(Pod pod, Container spec, CancellationToken ct)
    {
        var (mapNames, secretNames) = EnvironmentBuilder.References(spec);
        if (mapNames.Count == 0 && secretNames.Count == 0)
            return ReferencedObjects.None;
        var maps = new Dictionary<string, ConfigMap?>();
        var secrets = new Dictionary<string, Secret?>();
        foreach (var name in mapNames)
            maps[name] = await node.Objects.ConfigMapAsync(pod.Metadata.Namespace!, name, TimeSpan.FromSeconds(1), ct);
        foreach (var name in secretNames)
            secrets[name] = await node.Objects.SecretAsync(pod.Metadata.Namespace!, name, TimeSpan.FromSeconds(1), ct);
        return new ReferencedObjects(maps, secrets);
    }

    private DateTime Soon() => node.Time.GetUtcNow().UtcDateTime + RetryAfter;
}
