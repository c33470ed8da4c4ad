namespace Mesh.NodeAgent.Runtime;

/// <summary>Where a container is in its life, as the runtime sees it.</summary>
internal enum ContainerPhase
{
    Created,
    Running,
    Exited,
    Unknown,
}

/// <summary>One pod sandbox (network namespace and cgroup) of the runtime. Times are UTC.</summary>
internal sealed record SandboxRecord
{
    public required string Id { get; init; }

    public required string PodUid { get; init; }

    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public uint Attempt { get; init; }

    public bool Ready { get; init; }

    public DateTime CreatedAt { get; init; }

    /// <summary>Pod IPs, primary first; empty on the host's network.</summary>
    public IReadOnlyList<string> IPs { get; init; } = [];

    public bool HostNetwork { get; init; }
}

/// <summary>One container of the runtime, dead or alive. Times are UTC and default when they have not happened.</summary>
internal sealed record ContainerRecord
{
    public required string Id { get; init; }

    public required string SandboxId { get; init; }

    public required string PodUid { get; init; }

    public required string Name { get; init; }

    /// <summary>How often the container had been restarted when this one was made.</summary>
    public int RestartCount { get; init; }

    public ContainerPhase Phase { get; init; }

    public DateTime CreatedAt { get; init; }

    public DateTime StartedAt { get; init; }

    public DateTime FinishedAt { get; init; }

    public int ExitCode { get; init; }

    /// <summary>Completed, Error, OOMKilled or the runtime's own word.</summary>
    public string Reason { get; init; } = "";

    public string Message { get; init; } = "";

    /// <summary>The name the image was asked by.</summary>
    public string Image { get; init; } = "";

    /// <summary>The image's identity (digest or id).</summary>
    public string ImageId { get; init; } = "";

    /// <summary>Hash of the container spec this container was made from.</summary>
    public string SpecHash { get; init; } = "";

    /// <summary>Requests and limits it was made with (JSON); empty when that is not known.</summary>
    public string Resources { get; init; } = "";

    public string LogPath { get; init; } = "";
}

/// <summary>What the runtime holds of one pod: newest sandbox first, newest container first.</summary>
internal sealed record PodState(string Uid, IReadOnlyList<SandboxRecord> Sandboxes, IReadOnlyList<ContainerRecord> Containers)
{
    public static PodState Empty(string uid) => new(uid, [], []);

    /// <summary>The newest container of a name, or null.</summary>
    public ContainerRecord? Newest(string name)
    {
        foreach (var container in Containers)
            if (container.Name == name)
                return container;
        return null;
    }

    /// <summary>The container before the newest of a name, or null.</summary>
    public ContainerRecord? Previous(string name)
    {
        var seen = false;
        foreach (var container in Containers)
        {
            if (container.Name != name)
                continue;
            if (seen)
                return container;
            seen = true;
        }

        return null;
    }

    /// <summary>True while anything of the pod runs.</summary>
    public bool AnyRunning => Containers.Any(c => c.Phase is ContainerPhase.Running or ContainerPhase.Unknown);
}

/// <summary>Who the runtime is.</summary>
internal sealed record RuntimeVersion(string Name, string Version);

/// <summary>One readiness condition of the runtime (RuntimeReady, NetworkReady).</summary>
internal sealed record RuntimeConditionRecord(string Type, bool Status, string Reason, string Message);

/// <summary>One image in the runtime's store. Size in bytes.</summary>
internal sealed record ImageRecord(string Id, IReadOnlyList<string> Tags, IReadOnlyList<string> Digests, long Size, bool Pinned, long? Uid, string Username);

/// <summary>The answer of a command run in a container.</summary>
internal sealed record ExecResult(int ExitCode, byte[] Stdout, byte[] Stderr);

/// <summary>Usage of one container. CPU in nanoseconds since its start, memory in bytes.</summary>
internal sealed record ContainerUsage(
    string ContainerId,
    string PodUid,
    string Namespace,
    string Pod,
    string Container,
    DateTime Timestamp,
    ulong CpuNanoseconds,
    ulong WorkingSetBytes,
    ulong UsageBytes,
    ulong RssBytes,
    ulong WritableLayerBytes);

/// <summary>Space the runtime's images take. Bytes and a path.</summary>
internal sealed record ImageFilesystem(string Mountpoint, long UsedBytes);

/// <summary>Something happened to a pod's container or sandbox; PodUid is empty when only a full look tells whose it was.</summary>
internal readonly record struct RuntimeEvent(string PodUid, string ContainerId);
