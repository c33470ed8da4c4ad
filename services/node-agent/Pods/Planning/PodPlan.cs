using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods.Planning;

/// <summary>What a container is in its pod.</summary>
internal enum ContainerRole
{
    Init,
    Main,
    Ephemeral,
}

/// <summary>A container to start, and how often it has been restarted before.</summary>
internal sealed record ContainerStart(Container Spec, ContainerRole Role, int RestartCount, ContainerRecord? Last);

/// <summary>A container to stop, with the message of its event.</summary>
internal sealed record ContainerKill(ContainerRecord Container, Container? Spec, string Reason, string Message);

/// <summary>One step of a pod towards its spec. Kills come before starts; a pod that must be made anew is killed whole first.</summary>
internal sealed record PodPlan
{
    /// <summary>Stop everything and the sandbox.</summary>
    public bool KillPod { get; init; }

    /// <summary>Make a new sandbox with this attempt number; null when the present one is good.</summary>
    public uint? NewSandboxAttempt { get; init; }

    /// <summary>The sandbox in use, when there is one.</summary>
    public SandboxRecord? Sandbox { get; init; }

    public IReadOnlyList<ContainerKill> Kills { get; init; } = [];

    public IReadOnlyList<ContainerStart> Starts { get; init; } = [];

    /// <summary>Dead init containers that will never be looked at again (all but the newest of each).</summary>
    public bool Initialized { get; init; }
}

/// <summary>What probes have found, as far as the plan depends on it.</summary>
internal interface IProbeVerdicts
{
    /// <summary>The liveness (or startup) probe says that this container must be restarted; the message says which.</summary>
    bool MustRestart(string containerId, out string message);

    /// <summary>The startup probe (or none) lets the container count as started.</summary>
    bool Started(string containerId);
}
