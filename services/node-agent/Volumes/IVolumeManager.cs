using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Metrics;

namespace Mesh.NodeAgent.Volumes;

/// <summary>A pod's volumes on the host. A hollow node has none.</summary>
internal interface IVolumeManager
{
    /// <summary>Makes or refreshes every volume; the answer is the host path by volume name. Throws VolumeException.</summary>
    Task<IReadOnlyDictionary<string, string>> EnsureAsync(Pod pod, PodFacts facts, TimeSpan maxAge, CancellationToken ct);

    /// <summary>Whether the pod has volumes whose content follows objects of the API.</summary>
    bool HasLiveVolumes(Pod pod);

    /// <summary>A host path that is a part of a volume, safe against links that leave it.</summary>
    string BindSubPath(Pod pod, string volumeName, string volumePath, string container, int index, string subPath);

    /// <summary>Unmounts and deletes everything of a pod.</summary>
    void Remove(string podUid);

    /// <summary>The plugin of every volume of a pod ("kubernetes.io/configmap"); of claims only those that are bound and were found.</summary>
    IEnumerable<string> Plugins(Pod pod);

    /// <summary>Volumes of claims in pods on this node.</summary>
    IReadOnlyCollection<ClaimedVolume> Claims();

    /// <summary>Pods that have something on disk.</summary>
    IReadOnlyList<string> KnownPods();
}

/// <summary>No volumes at all: every name has an empty path.</summary>
internal sealed class NoVolumes : IVolumeManager
{
    public Task<IReadOnlyDictionary<string, string>> EnsureAsync(Pod pod, PodFacts facts, TimeSpan maxAge, CancellationToken ct) =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    public bool HasLiveVolumes(Pod pod) => false;

    public string BindSubPath(Pod pod, string volumeName, string volumePath, string container, int index, string subPath) => "";

    public void Remove(string podUid)
    {
    }

    public IEnumerable<string> Plugins(Pod pod) => [];

    public IReadOnlyCollection<ClaimedVolume> Claims() => [];

    public IReadOnlyList<string> KnownPods() => [];
}
