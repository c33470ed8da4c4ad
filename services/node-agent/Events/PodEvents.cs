using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Events;

/// <summary>Events about pods, as `kubectl describe pod` shows them.</summary>
internal interface IPodEvents
{
    /// <summary>Records an event about a pod, or about one of its containers.</summary>
    void Record(Pod pod, string? container, bool warning, string reason, string message);
}

/// <summary>References to pods and containers as events carry them.</summary>
internal static class PodReferences
{
    public static ObjectReference Of(Pod pod, string? container) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Namespace = pod.Metadata.Namespace,
        Name = pod.Metadata.Name,
        Uid = pod.Metadata.Uid,
        ResourceVersion = pod.Metadata.ResourceVersion,
        FieldPath = container is null ? null : FieldPath(pod, container),
    };

    private static string FieldPath(Pod pod, string container)
    {
        if (pod.InitContainers().Any(c => c.Name == container))
            return $"spec.initContainers{{{container}}}";
        return pod.MainContainers().Any(c => c.Name == container) ? $"spec.containers{{{container}}}" : $"spec.ephemeralContainers{{{container}}}";
    }
}
