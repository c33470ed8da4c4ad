using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods;

/// <summary>
/// In-place resize (KEP-1287): brings running containers to the CPU and memory their spec says now, without a restart unless the
/// container's resizePolicy asks for one.
/// </summary>
internal sealed class PodResizer(NodeServices node, PodKiller killer, PodMemory memory)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, string> refused = [];

    /// <summary>Applies what differs; when to try again what the kernel or the node refused, or null.</summary>
    public async Task<DateTime?> ApplyAsync(Pod pod, PodState observed, CancellationToken ct)
    {
        DateTime? retryAt = null;
        memory.Resize = null;
        foreach (var container in observed.Containers)
        {
            if (container.Phase != ContainerPhase.Running || pod.FindContainer(container.Name) is not { } spec || memory.Applied(pod, container) is not { } applied || Same(applied, spec.Resources))
                continue;
            if (!await ApplyAsync(pod, spec, container, applied, observed, ct))
                retryAt = node.Time.GetUtcNow().UtcDateTime + RetryAfter;
        }

        return retryAt;
    }

    /// <summary>Whether both mean the same CPU and memory, however they are written.</summary>
    public static bool Same(ResourceRequirements? a, ResourceRequirements? b) => Changed(a, b, "cpu") is false && Changed(a, b, "memory") is false;

    private static bool Changed(ResourceRequirements? a, ResourceRequirements? b, string name) =>
        ResourceMath.Get(a?.Requests, name).CompareTo(ResourceMath.Get(b?.Requests, name)) != 0 || ResourceMath.Get(a?.Limits, name).CompareTo(ResourceMath.Get(b?.Limits, name)) != 0;

    private async Task<bool> ApplyAsync(Pod pod, Container spec, ContainerRecord container, ResourceRequirements applied, PodState observed, CancellationToken ct)
    {
        if (Infeasible(pod) is { } why)
        {
            Refuse(pod, container, "ResizeInfeasible", "Pod resize Infeasible: " + why, new PodCondition { Type = PodConditions.ResizePending, Reason = "Infeasible", Message = why });
            return false;
        }

        if (spec.ResizePolicy?.Any(p => p.RestartPolicy == "RestartContainer" && Changed(applied, spec.Resources, p.ResourceName ?? "")) == true)
        {
            await killer.KillAsync(pod, container, TimeSpan.FromSeconds(pod.GraceSeconds()), memory.PodIP(pod, observed), $"Container {spec.Name} resize requires restart", "Resize", ct);
            return true;
        }

        try
        {
            // The pod's own limit grows before its containers' and shrinks after them: the kernel refuses a child above its parent.
            node.Cgroups.Ensure(pod);
            await node.Runtime.UpdateResourcesAsync(container.Id, ContainerResources.Build(pod, spec, node.MemoryBytes, node.Cgroups.Version, node.MayLowerOomScore), ct);
            node.Cgroups.Ensure(pod);
        }
        catch (RuntimeException e)
        {
            Refuse(pod, container, "ResizeError", $"Pod resize error: {e.Message}", new PodCondition { Type = PodConditions.ResizeInProgress, Reason = "Error", Message = e.Message });
            return false;
        }

        memory.Resized[container.Id] = spec.Resources?.Clone() ?? new ResourceRequirements();
        refused.Remove(container.Id);
        node.Events.Record(pod, spec.Name, false, "ResizeCompleted", "Pod resize completed");
        return true;
    }

    /// <summary>Why this node can never hold what the pod asks for, or null.</summary>
    private string? Infeasible(Pod pod)
    {
        var capacity = node.Allocatable();
        foreach (var name in new[] { "cpu", "memory" })
        {
            var asked = Quantity.Zero;
            foreach (var container in pod.MainContainers().Concat(pod.InitContainers().Where(c => c.IsRestartable())))
                asked += ResourceMath.Get(container.Resources?.Requests, name);
            if (capacity.ContainsKey(name) && asked.CompareTo(ResourceMath.Get(capacity, name)) > 0)
                return $"Node didn't have enough capacity: {name}, requested: {asked}, capacity: {capacity[name]}";
        }

        return null;
    }

    /// <summary>The condition stays while the cause does; the event is told once for one cause.</summary>
    private void Refuse(Pod pod, ContainerRecord container, string reason, string message, PodCondition condition)
    {
        condition.Status = "True";
        memory.Resize = condition;
        if (refused.GetValueOrDefault(container.Id) == message)
            return;
        refused[container.Id] = message;
        node.Events.Record(pod, container.Name, true, reason, message);
    }
}
