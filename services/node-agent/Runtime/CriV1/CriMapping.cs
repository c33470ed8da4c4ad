using System.Globalization;

namespace Mesh.NodeAgent.Runtime.CriV1;

/// <summary>CRI messages to the agent's own records.</summary>
internal static class CriMapping
{
    public static DateTime Time(long unixNanoseconds) =>
        unixNanoseconds <= 0 ? default : DateTime.UnixEpoch.AddTicks(unixNanoseconds / TimeSpan.NanosecondsPerTick);

    public static string Label(IDictionary<string, string> labels, string key) => labels.TryGetValue(key, out var value) ? value : "";

    public static SandboxRecord Sandbox(Cri.PodSandbox sandbox) => new()
    {
        Id = sandbox.Id,
        PodUid = sandbox.Metadata?.Uid ?? "",
        Namespace = sandbox.Metadata?.Namespace ?? "",
        Name = sandbox.Metadata?.Name ?? "",
        Attempt = sandbox.Metadata?.Attempt ?? 0,
        Ready = sandbox.State == Cri.PodSandboxState.SandboxReady,
        CreatedAt = Time(sandbox.CreatedAt),
    };

    public static SandboxRecord WithStatus(SandboxRecord sandbox, Cri.PodSandboxStatus status)
    {
        var ips = new List<string>();
        if (!string.IsNullOrEmpty(status.Network?.Ip))
            ips.Add(status.Network.Ip);
        foreach (var more in status.Network?.AdditionalIps ?? [])
            ips.Add(more.Ip);
        return sandbox with
        {
            IPs = ips,
            HostNetwork = status.Linux?.Namespaces?.Options?.Network == Cri.NamespaceMode.Node,
        };
    }

    public static ContainerRecord Container(string sandboxId, string podUid, Cri.ContainerStatus status) => new()
    {
        Id = status.Id,
        SandboxId = sandboxId,
        PodUid = podUid,
        Name = status.Metadata?.Name ?? "",
        RestartCount = RestartCount(status),
        Phase = Phase(status.State),
        CreatedAt = Time(status.CreatedAt),
        StartedAt = Time(status.StartedAt),
        FinishedAt = Time(status.FinishedAt),
        ExitCode = status.ExitCode,
        Reason = status.Reason,
        Message = status.Message,
        Image = status.Image?.Image ?? "",
        ImageId = status.ImageRef,
        SpecHash = Label(status.Annotations, RuntimeLabels.SpecHash),
        Resources = Label(status.Annotations, RuntimeLabels.Resources),
        LogPath = status.LogPath,
    };

    public static ImageRecord Image(Cri.Image image) =>
        new(image.Id, [.. image.RepoTags], [.. image.RepoDigests], (long)image.Size, image.Pinned, image.Uid?.Value, image.Username);

    public static ContainerUsage Usage(Cri.ContainerStats stats) => new(
        stats.Attributes?.Id ?? "",
        Label(stats.Attributes?.Labels ?? [], RuntimeLabels.PodUid),
        Label(stats.Attributes?.Labels ?? [], RuntimeLabels.PodNamespace),
        Label(stats.Attributes?.Labels ?? [], RuntimeLabels.PodName),
        Label(stats.Attributes?.Labels ?? [], RuntimeLabels.ContainerName),
        Time(stats.Cpu?.Timestamp ?? stats.Memory?.Timestamp ?? 0),
        stats.Cpu?.UsageCoreNanoSeconds?.Value ?? 0,
        stats.Memory?.WorkingSetBytes?.Value ?? 0,
        stats.Memory?.UsageBytes?.Value ?? 0,
        stats.Memory?.RssBytes?.Value ?? 0,
        stats.WritableLayer?.UsedBytes?.Value ?? 0);

    private static ContainerPhase Phase(Cri.ContainerState state) => state switch
    {
        Cri.ContainerState.ContainerCreated => ContainerPhase.Created,
        Cri.ContainerState.ContainerRunning => ContainerPhase.Running,
        Cri.ContainerState.ContainerExited => ContainerPhase.Exited,
        _ => ContainerPhase.Unknown,
    };

    private static int RestartCount(Cri.ContainerStatus status) =>
        int.TryParse(Label(status.Annotations, RuntimeLabels.RestartCount), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count
            : (int)(status.Metadata?.Attempt ?? 0);
}
