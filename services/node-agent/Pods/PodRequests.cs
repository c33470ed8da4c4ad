using Mesh.Api;
using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Pods;

/// <summary>CPU or memory that a pod takes of its node: its containers and sidecars, or an init container when that is more; the pod's own word instead, where it has one; and overhead.</summary>
internal static class PodRequests
{
    /// <summary>What the spec asks for.</summary>
    public static Quantity Asked(Pod pod, string name) => Of(pod, name, pod.Spec?.Resources?.Requests, static (_, c) => c.Resources?.Requests);

    /// <summary>What the containers ask for, whatever the pod says of itself, without overhead.</summary>
    public static Quantity OfContainers(Pod pod, string name) => Sum(pod, name, static (_, c) => c.Resources?.Requests);

    /// <summary>What the pod was given: where a resize is not done, less or more than the spec asks for.</summary>
    public static Quantity Given(Pod pod, string name) => Of(pod, name, pod.Status?.Resources?.Requests ?? pod.Spec?.Resources?.Requests, Given);

    private static Dictionary<string, string>? Given(Pod pod, Container container)
    {
        var told = (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? []).FirstOrDefault(s => s.Name == container.Name);
        return told?.State?.Running is not null && told.Resources?.Requests is { } running ? running : container.Resources?.Requests;
    }

    private static Quantity Of(Pod pod, string name, Dictionary<string, string>? own, Func<Pod, Container, Dictionary<string, string>?> requests) =>
        (own?.ContainsKey(name) == true ? ResourceMath.Get(own, name) : Sum(pod, name, requests)) + ResourceMath.Get(pod.Spec?.Overhead, name);

    private static Quantity Sum(Pod pod, string name, Func<Pod, Container, Dictionary<string, string>?> requests)
    {
        var (running, sidecars, peak) = (Quantity.Zero, Quantity.Zero, Quantity.Zero);
        foreach (var container in pod.MainContainers())
            running += ResourceMath.Get(requests(pod, container), name);
        foreach (var container in pod.InitContainers())
        {
            var moment = sidecars + ResourceMath.Get(requests(pod, container), name);
            if (moment > peak)
                peak = moment;
            if (container.IsRestartable())
                sidecars = moment;
        }

        running += sidecars;
        return running > peak ? running : peak;
    }
}
