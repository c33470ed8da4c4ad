namespace Mesh.NodeAgent.Runtime;

/// <summary>
/// What the node agent asks of whatever runs containers: a CRI runtime, or the hollow one. Failures are
/// <see cref="RuntimeException"/> with the runtime's own words.
/// </summary>
internal interface IContainerRuntime
{
    /// <summary>Prefix of container ids in the API ("containerd").</summary>
    string Scheme { get; }

    /// <summary>Whether containers write their output to the log files they are told; simulated ones have none.</summary>
    bool WritesLogs => true;

    /// <summary>Whether there are processes to run commands beside, to attach to and to forward ports to; simulated containers have none.</summary>
    bool HasProcesses => true;

    Task<RuntimeVersion> VersionAsync(CancellationToken ct);

    Task<IReadOnlyList<RuntimeConditionRecord>> StatusAsync(CancellationToken ct);

    /// <summary>Everything the runtime holds of one pod.</summary>
    Task<PodState> InspectPodAsync(string podUid, CancellationToken ct);

    /// <summary>Everything the runtime holds of all pods, by pod uid.</summary>
    Task<IReadOnlyDictionary<string, PodState>> InspectAllAsync(CancellationToken ct);

    /// <summary>Names the pod of a container, or null when the runtime no longer knows it.</summary>
    Task<string?> FindPodOfContainerAsync(string containerId, CancellationToken ct);

    Task<string> RunSandboxAsync(Cri.PodSandboxConfig config, string runtimeHandler, CancellationToken ct);

    Task StopSandboxAsync(string sandboxId, CancellationToken ct);

    Task RemoveSandboxAsync(string sandboxId, CancellationToken ct);

    /// <summary>URL of a port-forward session into the sandbox's network.</summary>
    Task<Uri> PortForwardUrlAsync(string sandboxId, IReadOnlyList<int> ports, CancellationToken ct);

    Task<string> CreateContainerAsync(string sandboxId, Cri.ContainerConfig config, Cri.PodSandboxConfig sandboxConfig, CancellationToken ct);

    Task StartContainerAsync(string containerId, CancellationToken ct);

    /// <summary>Asks the container to stop, and kills it after the grace period.</summary>
    Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken ct);

    Task RemoveContainerAsync(string containerId, CancellationToken ct);

    Task UpdateResourcesAsync(string containerId, Cri.LinuxContainerResources resources, CancellationToken ct);

    Task ReopenLogAsync(string containerId, CancellationToken ct);

    /// <summary>Runs a command to its end. A timeout is a RuntimeException with <see cref="RuntimeException.TimedOut"/>.</summary>
    Task<ExecResult> ExecAsync(string containerId, IReadOnlyList<string> command, TimeSpan timeout, CancellationToken ct);

    /// <summary>URL of a streaming session for a command.</summary>
    Task<Uri> ExecUrlAsync(string containerId, IReadOnlyList<string> command, StreamSelection streams, CancellationToken ct);

    /// <summary>URL of a streaming session on the main process.</summary>
    Task<Uri> AttachUrlAsync(string containerId, StreamSelection streams, CancellationToken ct);

    Task<ImageRecord?> FindImageAsync(string image, CancellationToken ct);

    Task<IReadOnlyList<ImageRecord>> ListImagesAsync(CancellationToken ct);

    /// <summary>Pulls an image, returns its reference.</summary>
    Task<string> PullImageAsync(string image, Cri.AuthConfig? auth, Cri.PodSandboxConfig? sandboxConfig, CancellationToken ct);

    Task RemoveImageAsync(string image, CancellationToken ct);

    Task<ImageFilesystem?> ImageFilesystemAsync(CancellationToken ct);

    Task<IReadOnlyList<ContainerUsage>> UsageAsync(CancellationToken ct);

    /// <summary>Events as they happen, until the connection ends; then the caller looks at everything and watches again.</summary>
    IAsyncEnumerable<RuntimeEvent> WatchAsync(CancellationToken ct);
}

/// <summary>Which streams a session carries.</summary>
internal readonly record struct StreamSelection(bool Stdin, bool Stdout, bool Stderr, bool Tty);

/// <summary>The runtime refused or failed; the message is the runtime's.</summary>
internal sealed class RuntimeException : Exception
{
    public RuntimeException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The thing asked for is not there.</summary>
    public bool NotFound { get; init; }

    /// <summary>The call ran into its time limit.</summary>
    public bool TimedOut { get; init; }

    /// <summary>The runtime could not be reached at all.</summary>
    public bool Unavailable { get; init; }
}
