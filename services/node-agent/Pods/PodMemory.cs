using System.Text;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods;

/// <summary>What a worker remembers between rounds. All of it may be lost: it is found again, or costs a little time.</summary>
internal sealed class PodMemory(NodeServices node)
{
    private bool restored;
    private DateTime volumesAt;

    /// <summary>The last look.</summary>
    public volatile PodState? Observed;

    /// <summary>The status last computed; newer than the API's copy in our cache.</summary>
    public volatile PodStatus? LastStatus;

    /// <summary>Whether this agent has made the pod's volumes.</summary>
    public volatile bool VolumesWereMade;

    public Dictionary<string, WaitingReason> Waiting { get; } = [];

    public Backoff Restarts { get; } = Backoff.Standard();

    /// <summary>Resources of containers that were resized while they ran, by container id.</summary>
    public Dictionary<string, ResourceRequirements> Resized { get; } = [];

    /// <summary>What the pod as a whole was given last (spec.resources of then); null when it has no such.</summary>
    public ResourceRequirements? PodLevel { get; set; }

    /// <summary>The condition of a resize that is not done.</summary>
    public PodCondition? Resize { get; set; }

    public string? FailReason { get; set; }

    public string? FailMessage { get; set; }

    /// <summary>The pod with our newest status in place of the API's, which may be behind; what others wrote stays.</summary>
    public Pod WithStatus(Pod latest)
    {
        if (LastStatus is not { } own)
            return latest;
        var pod = latest.Clone();
        var status = own.Clone();
        if (latest.IsTerminal())
            (status.Phase, status.Reason, status.Message) = (latest.Status!.Phase, latest.Status.Reason, latest.Status.Message);
        status.Conditions = [.. (status.Conditions ?? []).Where(c => PodConditions.IsOwned(c.Type) || latest.Status?.Conditions?.Any(o => o.Type == c.Type) == true)];
        foreach (var foreign in latest.Status?.Conditions ?? [])
        {
            if (PodConditions.IsOwned(foreign.Type))
                continue;
            status.Conditions.RemoveAll(c => c.Type == foreign.Type);
            status.Conditions.Add(foreign.Clone());
        }

        pod.Status = status;
        return pod;
    }

    /// <summary>
    /// What a running container really has: set by us, or (found again by a restarted agent) told of this very container before, or what it
    /// was made with; null when nobody knows.
    /// </summary>
    public ResourceRequirements? Applied(Pod pod, ContainerRecord container)
    {
        if (Resized.TryGetValue(container.Id, out var own))
            return own;
        var told = (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? []).FirstOrDefault(s => s.ContainerID?.EndsWith("//" + container.Id, StringComparison.Ordinal) == true);
        if (told?.State?.Running is not null && told.Resources is { } resources)
            return resources;
        return container.Resources.Length > 0 ? KubeJson.Deserialize<ResourceRequirements>(Encoding.UTF8.GetBytes(container.Resources)) : null;
    }

    /// <summary>Address probes and hooks use: the pod's, or the node's on the host's network.</summary>
    public string PodIP(Pod pod, PodState observed)
    {
        if (pod.HostNetwork())
            return node.HostIPs() is [var host, ..] ? host : "127.0.0.1";
        return observed.Sandboxes is [{ IPs: [var ip, ..] }, ..] ? ip : "";
    }

    /// <summary>True once per interval.</summary>
    public bool VolumesDue(DateTime now, TimeSpan interval)
    {
        // Woken a little early by a timer is in time.
        if (now - volumesAt < interval - TimeSpan.FromSeconds(1))
            return false;
        volumesAt = now;
        return true;
    }

    public void VolumesMade(DateTime now)
    {
        volumesAt = now;
        VolumesWereMade = true;
    }

    /// <summary>After a restart of the agent, containers that kept failing go on backing off.</summary>
    public void RestoreBackoff(PodState observed, DateTime now)
    {
        if (restored)
            return;
        restored = true;
        foreach (var name in observed.Containers.Select(c => c.Name).Distinct())
            if (observed.Newest(name) is { RestartCount: > 0 } newest)
                Restarts.Restore(name, newest.RestartCount, newest.StartedAt == default ? now : newest.StartedAt);
    }
}
