using Mesh.Api.Core.V1;

namespace Mesh.Scheduler.Model;

/// <summary>
/// What a pod takes of its node while a resize is not done (KEP-1287): the most of what its spec asks for, what the node granted and what its
/// containers have. What the node can never grant does not count, or one wish would close the node to everybody.
/// </summary>
internal static class ResizedSpec
{
    /// <summary>The pod's spec; where a resize is under way a copy of it that asks for what counts.</summary>
    public static PodSpec Of(Pod pod)
    {
        var spec = pod.Spec ?? new PodSpec();
        if (pod.Status is not { } status || !IsUnderWay(spec, status)) return spec;
        var wished = status.Conditions?.Any(static c => c is { Type: "PodResizePending", Reason: "Infeasible" }) != true;
        spec = spec.Clone();
        foreach (var container in (spec.Containers ?? []).Concat(spec.InitContainers ?? []))
        {
            if (Find(status, container) is not { Resources: not null } told) continue;
            (container.Resources ??= new ResourceRequirements()).Requests = Most(wished ? container.Resources.Requests : null, told.Resources.Requests, told.AllocatedResources);
        }

        if (spec.Resources?.Requests is not null && status.Resources is { } whole)
            spec.Resources.Requests = Most(wished ? spec.Resources.Requests : null, whole.Requests, status.AllocatedResources);
        return spec;
    }

    // The usual pod has what it asks for, in the same words.
    private static bool IsUnderWay(PodSpec spec, PodStatus status)
    {
        foreach (var container in spec.Containers ?? [])
        {
            if (Find(status, container) is { } told && Differs(container.Resources?.Requests, told)) return true;
        }

        foreach (var container in spec.InitContainers ?? [])
        {
            if (Find(status, container) is { } told && Differs(container.Resources?.Requests, told)) return true;
        }

        return spec.Resources?.Requests is { } own && status.Resources is { } whole && (Differs(own, whole.Requests) || Differs(own, status.AllocatedResources));
    }

    private static bool Differs(Dictionary<string, string>? asked, ContainerStatus told) =>
        told.Resources is { } has && (Differs(asked, has.Requests) || Differs(asked, told.AllocatedResources));

    private static bool Differs(Dictionary<string, string>? asked, Dictionary<string, string>? has)
    {
        if ((asked?.Count ?? 0) != (has?.Count ?? 0)) return true;
        foreach (var (name, amount) in asked ?? [])
        {
            if (has!.GetValueOrDefault(name) != amount) return true;
        }

        return false;
    }

    private static ContainerStatus? Find(PodStatus status, Container container) =>
        status.ContainerStatuses?.Find(s => s.Name == container.Name) ?? status.InitContainerStatuses?.Find(s => s.Name == container.Name);

    private static Dictionary<string, string> Most(params Dictionary<string, string>?[] lists)
    {
        var most = new Dictionary<string, string>();
        foreach (var list in lists)
        {
            foreach (var (name, amount) in list ?? [])
            {
                if (!most.TryGetValue(name, out var have) || ResourceAmounts.Amount(name, amount) > ResourceAmounts.Amount(name, have)) most[name] = amount;
            }
        }

        return most;
    }
}
