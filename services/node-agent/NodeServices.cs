using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Events;
using Mesh.NodeAgent.Images;
using Mesh.NodeAgent.Lifecycle;
using Mesh.NodeAgent.Metrics;
using Mesh.NodeAgent.Objects;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Probes;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Sandboxes;
using Mesh.NodeAgent.Volumes;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent;

/// <summary>What every pod worker of one node shares.</summary>
internal sealed class NodeServices
{
    public required string NodeName { get; init; }

    public required IKubeClient Client { get; init; }

    public required IContainerRuntime Runtime { get; init; }

    public required IVolumeManager Volumes { get; init; }

    public required ImageManager Images { get; init; }

    public required ObjectSource Objects { get; init; }

    public required StatusManager Status { get; init; }

    public required IProber Prober { get; init; }

    public required HookRunner Hooks { get; init; }

    public required IPodEvents Events { get; init; }

    public required IPodCgroups Cgroups { get; init; }

    public required NodePaths Paths { get; init; }

    public required SandboxSettings Sandbox { get; init; }

    public required KubeletMetrics Metrics { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Log { get; init; }

    /// <summary>True on a simulated node: no files are written for pods.</summary>
    public bool Hollow { get; init; }

    /// <summary>How old the content of mounted volumes may become.</summary>
    public TimeSpan VolumeRefresh { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>The node's memory in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Whether the kernel lets us lower oom_score_adj.</summary>
    public bool MayLowerOomScore { get; init; }

    public Func<IReadOnlyList<string>> HostIPs { get; init; } = () => [];

    public Func<IReadOnlyDictionary<string, string>> Allocatable { get; init; } = () => new Dictionary<string, string>();

    /// <summary>The workers of the node's pods; none until the pods are managed.</summary>
    public Func<IEnumerable<Pods.PodWorker>> Workers { get; set; } = () => [];

    /// <summary>A pod went or shrank: those that wait to grow look again.</summary>
    public void RoomMade()
    {
        foreach (var worker in Workers().Where(static w => w.WaitsForRoom))
            worker.Wake();
    }

    /// <summary>Services of a namespace and of the default one, for variables; empty until the cache has synced.</summary>
    public Func<string, IEnumerable<Service>> Services { get; init; } = _ => [];

    /// <summary>Completes when the services are known: a container started earlier would miss variables.</summary>
    public Task ServicesSynced { get; init; } = Task.CompletedTask;

    public PodFacts Facts(IReadOnlyList<string> podIPs) => new() { NodeName = NodeName, HostIPs = HostIPs(), PodIPs = podIPs, Allocatable = Allocatable() };
}
