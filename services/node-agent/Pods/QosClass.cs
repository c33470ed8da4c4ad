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
        foreach (var container in pod.InitContainers().Concat(pod.MainContainers()))
        {
            foreach (var name in Counted)
            {
                var limit = ResourceMath.Get(container.Resources?.Limits, name);
                // An absent request is the limit (the API defaults it so; static pods have no API).
                var request = container.Resources?.Requests?.ContainsKey(name) == true ? ResourceMath.Get(container.Resources.Requests, name) : limit;
                any |= limit.Sign > 0 || request.Sign > 0;
                guaranteed &= limit.Sign > 0 && limit.CompareTo(request) == 0;
            }
        }

        if (!any)
            return BestEffort;
        return guaranteed ? Guaranteed : Burstable;
    }
}
