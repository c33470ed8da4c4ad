using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Pods;

/// <summary>Quality-of-service class of a pod, from its requests and limits (Kubernetes' three classes).</summary>
internal static class QosClass
{
    public const string Guaranteed = "Guaranteed";
    public const string Burstable = "Burstable";
    public const string BestEffort = "BestEffort";

    private static readonly string[] Counted = ["cpu", "memory"];

    /// <summary>
    /// BestEffort: nothing asked. Guaranteed: every container has limits for cpu and memory, equal to its requests. Else Burstable.
    /// </summary>
    public static string Of(Pod pod)
    {
        var any = false;
        var guaranteed = true;
        // What the pod says of itself decides alone (KEP-2837).
        var own = pod.Spec?.Resources is { } whole && (whole.Requests is { Count: > 0 } || whole.Limits is { Count: > 0 }) ? whole : null;
        foreach (var resources in own is not null ? [own] : pod.InitContainers().Concat(pod.MainContainers()).Select(static c => c.Resources))
        {
            foreach (var name in Counted)
            {
                var limit = ResourceMath.Get(resources?.Limits, name);
                // An absent request is the limit (the API defaults it so; static pods have no API).
                var request = resources?.Requests?.ContainsKey(name) == true ? ResourceMath.Get(resources.Requests, name) : limit;
                any |= limit.Sign > 0 || request.Sign > 0;
                guaranteed &= limit.Sign > 0 && limit.CompareTo(request) == 0;
            }
        }

        if (!any)
            return BestEffort;
        return guaranteed ? Guaranteed : Burstable;
    }
}
