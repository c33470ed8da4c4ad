using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods.Status;

/// <summary>What a pod's status needs beside spec and runtime state. Pure data and look-ups.</summary>
internal sealed record StatusFacts
{
    /// <summary>Why containers wait, by container name.</summary>
    public IReadOnlyDictionary<string, WaitingReason> Waiting { get; init; } = new Dictionary<string, WaitingReason>();

    /// <summary>Startup probe passed, or there is none.</summary>
    public Func<string, bool> Started { get; init; } = _ => true;

    /// <summary>Readiness probe passed, or there is none.</summary>
    public Func<string, bool> Ready { get; init; } = _ => true;

    /// <summary>What a running container really has; null when that is not known.</summary>
    public Func<ContainerRecord, Mesh.Api.Core.V1.ResourceRequirements?> Applied { get; init; } = _ => null;

    /// <summary>What the pod as a whole was given; null when it has no resources of its own.</summary>
    public Mesh.Api.Core.V1.ResourceRequirements? PodLevel { get; init; }

    /// <summary>The condition of a resize that is not done; null when there is none.</summary>
    public Mesh.Api.Core.V1.PodCondition? Resize { get; init; }

    /// <summary>The last words of an ended container.</summary>
    public Func<ContainerRecord, string> TerminationMessage { get; init; } = r => r.Message;

    /// <summary>Prefix of container ids.</summary>
    public string Scheme { get; init; } = "containerd";

    public IReadOnlyList<string> HostIPs { get; init; } = [];

    public required DateTime Now { get; init; }

    /// <summary>Nothing of this pod will start any more (being deleted, evicted, past its deadline).</summary>
    public bool PodOver { get; init; }

    /// <summary>Set when the agent itself ended the pod (Evicted, DeadlineExceeded, admission): phase Failed with these words.</summary>
    public string? FailReason { get; init; }

    public string? FailMessage { get; init; }
}
