using Mesh.Api.Core.V1;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Endpoints;

/// <summary>What pods are as endpoints of a service.</summary>
internal static class EndpointFacts
{
    internal const string HeadlessLabel = "service.kubernetes.io/headless";
    internal const string TriggerTime = "endpoints.kubernetes.io/last-change-trigger-time";

    internal static bool IsHeadless(Service service) => service.Spec?.ClusterIP == "None";

    /// <summary>A pod with an address that is not finished; pods on their way out only where asked for.</summary>
    internal static bool IsEndpoint(Pod pod, bool includeTerminating)
    {
        if (PodFacts.IsTerminal(pod) || string.IsNullOrEmpty(pod.Status?.PodIP)) return false;
        return includeTerminating || pod.Metadata.DeletionTimestamp is null;
    }

    /// <summary>The port number a service port means on a pod: a number, or the container port of that name and protocol.</summary>
    internal static int? FindPort(Pod pod, ServicePort port)
    {
        if (port.TargetPort is not { } target || (!target.IsString && target.IntValue == 0)) return port.Port;
        if (!target.IsString) return target.IntValue;
        var protocol = port.Protocol ?? "TCP";
        var sidecars = (pod.Spec?.InitContainers ?? []).Where(c => c.RestartPolicy == "Always");
        return (pod.Spec?.Containers ?? []).Concat(sidecars)
            .SelectMany(c => c.Ports ?? [])
            .FirstOrDefault(p => p.Name == target.StringValue && (p.Protocol ?? "TCP") == protocol)?.ContainerPortValue;
    }

    /// <summary>The pod's address of an IP family.</summary>
    internal static string? Address(Pod pod, bool v6)
    {
        var all = pod.Status?.PodIPs?.Select(ip => ip.Ip) ?? [pod.Status?.PodIP];
        return all.FirstOrDefault(ip => ip is not null && ip.Contains(':') == v6);
    }

    /// <summary>The name DNS gives a pod of a headless service.</summary>
    internal static string? Hostname(Pod pod, Service service) =>
        pod.Spec?.Hostname is { Length: > 0 } host && pod.Spec.Subdomain == service.Metadata.Name ? host : null;

    internal static ObjectReference Reference(Pod pod) => new()
    {
        Kind = "Pod",
        Namespace = pod.Metadata.Namespace,
        Name = pod.Metadata.Name,
        Uid = pod.Metadata.Uid,
    };

    /// <summary>
    /// When the change happened that the endpoints now show: the earliest of the service's creation and the pods' readiness
    /// changes that is later than what was shown last; null when nothing is.
    /// </summary>
    internal static DateTime? Trigger(Service service, IEnumerable<Pod> pods, DateTime? shownBefore)
    {
        var times = pods.Select(p => PodFacts.Condition(p, "Ready")?.LastTransitionTime).Append(service.Metadata.CreationTimestamp);
        DateTime? first = null;
        foreach (var time in times)
        {
            if (time is { } t && (shownBefore is null || t > shownBefore) && (first is null || t < first)) first = t;
        }

        return first;
    }
}
