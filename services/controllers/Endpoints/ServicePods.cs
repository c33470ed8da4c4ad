using Mesh.Api.Core.V1;
using Mesh.Api.Selectors;
using Mesh.Client;

namespace Mesh.Controllers.Endpoints;

/// <summary>Which services a pod's change concerns, and which pods a service has.</summary>
internal static class ServicePods
{
    internal static IEnumerable<Pod> Of(Service service, ILister<Pod> pods)
    {
        var selector = Selector.FromSet(service.Spec?.Selector ?? []);
        return pods.List(service.Metadata.Namespace).Where(p => selector.Matches(p.Metadata.Labels));
    }

    /// <summary>Services that select the pod now, or did before its labels changed. None when nothing that endpoints show has changed.</summary>
    internal static IEnumerable<ObjectKey> Concerned(Pod? old, Pod? now, ILister<Service> services)
    {
        if (old is not null && now is not null && SameForEndpoints(old, now)) return [];
        var ns = (now ?? old)!.Metadata.Namespace;
        return services.List(ns)
            .Where(s => s.Spec?.Selector is { Count: > 0 } set && (Matches(set, old) || Matches(set, now)))
            .Select(s => ObjectKey.Of(s));
    }

    private static bool Matches(Dictionary<string, string> set, Pod? pod)
    {
        if (pod is null) return false;
        foreach (var (key, value) in set)
        {
            if (pod.Metadata.Labels?.TryGetValue(key, out var has) != true || has != value) return false;
        }

        return true;
    }

    private static bool SameForEndpoints(Pod a, Pod b) =>
        a.Status?.PodIP == b.Status?.PodIP
        && (a.Status?.PodIPs?.Count ?? 0) == (b.Status?.PodIPs?.Count ?? 0)
        && Workloads.PodFacts.IsReady(a) == Workloads.PodFacts.IsReady(b)
        && Workloads.PodFacts.IsTerminal(a) == Workloads.PodFacts.IsTerminal(b)
        && (a.Metadata.DeletionTimestamp is null) == (b.Metadata.DeletionTimestamp is null)
        && a.Spec?.NodeName == b.Spec?.NodeName
        && EndpointsDecision.SameMap(a.Metadata.Labels, b.Metadata.Labels);
}
