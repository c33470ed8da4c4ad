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
    private string told = "";

    /// <summary>Applies what differs; when to try again what the kernel or the node refused, or null.</summary>
    public async Task<DateTime?> ApplyAsync(Pod pod, PodState observed, CancellationToken ct)
    {
        memory.Resize = null;
        var changed = Changed(pod, observed);
        var whole = WholeChanged(pod, observed);
        if (changed.Count == 0 && !whole)
        {
            told = "";
            return null;
        }

        var others = node.Workers().Where(w => w.Pod.Uid() != pod.Uid()).Select(static w => w.Current).Where(static p => !p.IsTerminal()).ToList();
        if (ResizeRoom.Refusal(pod, others, node.Allocatable()) is { } refusal)
        {
            Refuse(pod, null, "Resize" + refusal.Reason, $"Pod resize {refusal.Reason}: {refusal.Message}", refusal);
            return refusal.Reason == ResizeRoom.Deferred ? Later : null;
        }

        // The pod's own limits grow before its containers' and shrink after them: the kernel refuses a child above its parent.
        node.Cgroups.Ensure(pod);
        DateTime? retryAt = null;
        foreach (var (container, spec, applied) in changed)
        {
            if (!await ApplyAsync(pod, spec, container, applied, observed, ct))
                retryAt = Later;
        }

        if (whole && !await LeanAsync(pod, observed, ct))
            retryAt = Later;
        node.Cgroups.Ensure(pod);
        if (whole && retryAt is null)
        {
            memory.PodLevel = pod.Spec?.Resources?.Clone();
            if (changed.Count == 0)
                node.Events.Record(pod, null, false, "ResizeCompleted", "Pod resize completed");
        }

        node.RoomMade();
        return retryAt;
    }

    private DateTime Later => node.Time.GetUtcNow().UtcDateTime + RetryAfter;

    private List<(ContainerRecord Container, Container Spec, ResourceRequirements Applied)> Changed(Pod pod, PodState observed)
    {
        var changed = new List<(ContainerRecord, Container, ResourceRequirements)>();
        foreach (var container in observed.Containers)
        {
            if (container.Phase == ContainerPhase.Running && pod.FindContainer(container.Name) is { } spec && memory.Applied(pod, container) is { } applied && !Same(applied, spec.Resources))
                changed.Add((container, spec, applied));
        }

        return changed;
    }

    // A pod starts with what its spec says then; a restarted agent finds what it told before.
    private bool WholeChanged(Pod pod, PodState observed)
    {
        if (observed.Containers.Count == 0 || pod.Spec?.Resources is not { } wanted)
        {
            memory.PodLevel = pod.Spec?.Resources?.Clone();
            return false;
        }

        memory.PodLevel ??= pod.Status?.Resources?.Clone() ?? wanted.Clone();
        return !Same(memory.PodLevel, wanted);
    }

    /// <summary>Whether both mean the same CPU and memory, however they are written.</summary>
    public static bool Same(ResourceRequirements? a, ResourceRequirements? b) => Changed(a, b, "cpu") is false && Changed(a, b, "memory") is false;

    private static bool Changed(ResourceRequirements? a, ResourceRequirements? b, string name) =>
        ResourceMath.Get(a?.Requests, name).CompareTo(ResourceMath.Get(b?.Requests, name)) != 0 || ResourceMath.Get(a?.Limits, name).CompareTo(ResourceMath.Get(b?.Limits, name)) != 0;

    private async Task<bool> ApplyAsync(Pod pod, Container spec, ContainerRecord container, ResourceRequirements applied, PodState observed, CancellationToken ct)
    {
        if (spec.ResizePolicy?.Any(p => p.RestartPolicy == "RestartContainer" && Changed(applied, spec.Resources, p.ResourceName ?? "")) == true)
        {
            await killer.KillAsync(pod, container, TimeSpan.FromSeconds(pod.GraceSeconds()), memory.PodIP(pod, observed), $"Container {spec.Name} resize requires restart", "Resize", ct);
            return true;
        }

        try
        {
            await node.Runtime.UpdateResourcesAsync(container.Id, ContainerResources.Build(pod, spec, node.MemoryBytes, node.Cgroups.Version, node.MayLowerOomScore), ct);
        }
        catch (RuntimeException e)
        {
            Refuse(pod, container, "ResizeError", $"Pod resize error: {e.Message}", new PodCondition { Type = PodConditions.ResizeInProgress, Reason = "Error", Message = e.Message });
            return false;
        }

        memory.Resized[container.Id] = spec.Resources?.Clone() ?? new ResourceRequirements();
        told = "";
        node.Events.Record(pod, spec.Name, false, "ResizeCompleted", "Pod resize completed");
        return true;
    }

    /// <summary>Containers without limits of their own have the pod's: they follow it.</summary>
    private async Task<bool> LeanAsync(Pod pod, PodState observed, CancellationToken ct)
    {
        foreach (var container in observed.Containers)
        {
            if (container.Phase != ContainerPhase.Running || pod.FindContainer(container.Name) is not { } spec) continue;
            if (spec.Resources?.Limits is { } limits && limits.ContainsKey("cpu") && limits.ContainsKey("memory")) continue;
            try
            {
                await node.Runtime.UpdateResourcesAsync(container.Id, ContainerResources.Build(pod, spec, node.MemoryBytes, node.Cgroups.Version, node.MayLowerOomScore), ct);
            }
            catch (RuntimeException e)
            {
                Refuse(pod, container, "ResizeError", $"Pod resize error: {e.Message}", new PodCondition { Type = PodConditions.ResizeInProgress, Reason = "Error", Message = e.Message });
                return false;
            }
        }

        return true;
    }

    /// <summary>The condition stays while the cause does; the event is told once for one cause.</summary>
    private void Refuse(Pod pod, ContainerRecord? container, string reason, string message, PodCondition condition)
    {
        condition.Status = "True";
        memory.Resize = condition;
        if (told == message)
            return;
        told = message;
        node.Events.Record(pod, container?.Name, true, reason, message);
    }
}
