using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods.Planning;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods.Status;

/// <summary>Why a container does not run yet: CrashLoopBackOff, ErrImagePull, CreateContainerConfigError and their like.</summary>
internal sealed record WaitingReason(string Reason, string Message);

/// <summary>Turns what the runtime says of a container into the API's ContainerStatus.</summary>
internal sealed class ContainerStatusBuilder(Pod pod, PodState observed, StatusFacts facts)
{
    /// <summary>Reason of a container that the runtime no longer knows.</summary>
    public const string Unknown = "ContainerStatusUnknown";

    private const string Creating = "ContainerCreating";
    private const string Initializing = "PodInitializing";

    public ContainerStatus Build(Container spec, ContainerRole role, bool waitsForInit)
    {
        var name = spec.Name!;
        var newest = observed.Newest(name);
        var old = OldStatus(name, role);
        var status = new ContainerStatus
        {
            Name = name,
            Image = newest is { Image.Length: > 0 } ? ImageName(newest, spec) : spec.Image,
            ImageID = newest?.ImageId ?? old?.ImageID ?? "",
            RestartCount = newest?.RestartCount ?? old?.RestartCount ?? 0,
            ContainerID = newest is null ? old?.ContainerID : Id(newest),
            LastState = new ContainerState(),
            Ready = false,
            Started = false,
        };
        var previous = newest is null ? null : observed.Previous(name);
        if (previous is { Phase: ContainerPhase.Exited })
            status.LastState = new ContainerState { Terminated = Terminated(previous) };
        else if (old?.LastState?.Terminated is { } kept && (newest is null || newest.RestartCount > 0))
            status.LastState = new ContainerState { Terminated = kept };

        status.State = State(spec, role, newest, waitsForInit);
        if (newest is null && old?.State?.Terminated is { } lost)
        {
            // The runtime forgot a container that had ended: the API remembers.
            status.State = new ContainerState { Terminated = lost };
        }
        else if (newest is null && old?.State?.Running is { } gone)
        {
            status.LastState = new ContainerState { Terminated = Vanished(gone, old.ContainerID) };
            status.RestartCount = (old.RestartCount ?? 0) + 1;
        }

        if (facts.Waiting.TryGetValue(name, out var why) && newest?.Phase != ContainerPhase.Running && CanWait(spec, role, newest))
        {
            if (status.State?.Terminated is { } ended)
                status.LastState = new ContainerState { Terminated = ended };
            status.State = new ContainerState { Waiting = new ContainerStateWaiting { Reason = why.Reason, Message = why.Message } };
        }

        Flags(status, spec, role, newest);
        AddResources(status, spec, newest);
        return status;
    }

    /// <summary>Ended containers of a pod, or running ones that are gone with their node's runtime state.</summary>
    private static ContainerStateTerminated Vanished(ContainerStateRunning running, string? containerId) => new()
    {
        ExitCode = 137,
        Reason = Unknown,
        Message = "The container could not be located when the pod was terminated",
        StartedAt = running.StartedAt,
        ContainerID = containerId,
    };

    private ContainerState State(Container spec, ContainerRole role, ContainerRecord? newest, bool waitsForInit)
    {
        switch (newest?.Phase)
        {
            case ContainerPhase.Running:
                return new ContainerState { Running = new ContainerStateRunning { StartedAt = newest.StartedAt } };
            case ContainerPhase.Exited:
                return new ContainerState { Terminated = Terminated(newest) };
            default:
                // A killed pod's container that never ran stays what it was, so that its last sight is not "creating".
                var reason = waitsForInit && pod.InitContainers().Count > 0 && (role == ContainerRole.Main || role == ContainerRole.Init) ? Initializing : Creating;
                return new ContainerState { Waiting = new ContainerStateWaiting { Reason = reason } };
        }
    }

    private bool CanWait(Container spec, ContainerRole role, ContainerRecord? newest)
    {
        if (facts.PodOver)
            return false;
        if (newest is null)
            return true;
        if (role == ContainerRole.Init && !spec.IsRestartable())
            return newest.Phase != ContainerPhase.Exited || (newest.ExitCode != 0 && PodPlanner.EffectivePolicy(pod, spec) != "Never");
        return PodPlanner.ShouldRun(pod, spec, newest);
    }

    private void Flags(ContainerStatus status, Container spec, ContainerRole role, ContainerRecord? newest)
    {
        if (newest?.Phase == ContainerPhase.Running)
        {
            status.Started = facts.Started(newest.Id);
            status.Ready = status.Started == true && facts.Ready(newest.Id);
            if (role == ContainerRole.Init && !spec.IsRestartable())
            {
                status.Ready = false;
                status.Started = true;
            }

            return;
        }

        if (role == ContainerRole.Init && !spec.IsRestartable() && status.State?.Terminated?.ExitCode == 0)
            status.Ready = true;
    }

    private void AddResources(ContainerStatus status, Container spec, ContainerRecord? newest)
    {
        if (newest?.Phase == ContainerPhase.Running)
        {
            // There even when empty: it says that this node can resize.
            var resources = facts.Applied(newest) ?? spec.Resources;
            status.Resources = new ResourceRequirements
            {
                Requests = resources?.Requests is null ? null : new(resources.Requests),
                Limits = resources?.Limits is null ? null : new(resources.Limits),
            };
            var allocated = facts.Resize?.Type == PodConditions.ResizePending ? resources?.Requests : spec.Resources?.Requests;
            if (allocated is { Count: > 0 })
                status.AllocatedResources = new(allocated);
        }

        if (newest is null || spec.VolumeMounts is not { Count: > 0 } mounts)
            return;
        status.VolumeMounts =
        [
            .. mounts.Select(m => new VolumeMountStatus
            {
                Name = m.Name,
                MountPath = m.MountPath,
                ReadOnly = m.ReadOnly == true ? true : null,
                RecursiveReadOnly = m.ReadOnly == true ? "Disabled" : null,
            }),
        ];
    }

    private ContainerStateTerminated Terminated(ContainerRecord record) => new()
    {
        ExitCode = record.ExitCode,
        Reason = Reason(record),
        Message = facts.TerminationMessage(record) is { Length: > 0 } message ? message : null,
        StartedAt = record.StartedAt == default ? DateTime.UnixEpoch : record.StartedAt,
        FinishedAt = record.FinishedAt,
        ContainerID = Id(record),
    };

    private static string Reason(ContainerRecord record)
    {
        if (record.Reason.Length > 0)
            return record.Reason;
        return record.ExitCode == 0 ? "Completed" : "Error";
    }

    private string Id(ContainerRecord record) => $"{facts.Scheme}://{record.Id}";

    /// <summary>Runtimes name an image by its id when it was resolved before: users want the name they wrote.</summary>
    private static string ImageName(ContainerRecord record, Container spec) =>
        record.Image.StartsWith("sha256:", StringComparison.Ordinal) ? spec.Image ?? record.Image : record.Image;

    private ContainerStatus? OldStatus(string name, ContainerRole role)
    {
        var list = role switch
        {
            ContainerRole.Init => pod.Status?.InitContainerStatuses,
            ContainerRole.Main => pod.Status?.ContainerStatuses,
            _ => pod.Status?.EphemeralContainerStatuses,
        };
        return list?.FirstOrDefault(s => s.Name == name);
    }
}
