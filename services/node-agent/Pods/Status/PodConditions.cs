using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Pods.Status;

/// <summary>The conditions the node owns: PodReadyToStartContainers, Initialized, Ready, ContainersReady, and PodScheduled when nobody set it.</summary>
internal static class PodConditions
{
    public const string ReadyToStart = "PodReadyToStartContainers";
    public const string Initialized = "Initialized";
    public const string Ready = "Ready";
    public const string ContainersReady = "ContainersReady";
    public const string Scheduled = "PodScheduled";

    /// <summary>A resize that the node cannot grant (reason Infeasible).</summary>
    public const string ResizePending = "PodResizePending";

    /// <summary>A resize under way; reason Error when the runtime refuses it.</summary>
    public const string ResizeInProgress = "PodResizeInProgress";

    private static readonly string[] Owned = [ReadyToStart, Initialized, Ready, ContainersReady, Scheduled, ResizePending, ResizeInProgress];

    /// <summary>Conditions that only this node writes.</summary>
    public static bool IsOwned(string? type) => Owned.Contains(type);

    public static List<PodCondition> Build(
        Pod pod,
        string phase,
        bool sandboxReady,
        IReadOnlyList<ContainerStatus> inits,
        IReadOnlyList<ContainerStatus> mains,
        PodCondition? resize,
        DateTime now)
    {
        var initialized = InitializedCondition(pod, phase, inits, mains);
        var containersReady = ContainersReadyCondition(pod, phase, inits, mains);
        var conditions = new List<PodCondition>
        {
            new() { Type = ReadyToStart, Status = sandboxReady ? "True" : "False" },
            initialized,
            ReadyCondition(pod, containersReady),
            containersReady,
            new() { Type = Scheduled, Status = "True" },
        };
        if (resize is not null)
            conditions.Add(resize.Clone());
        foreach (var condition in conditions)
        {
            var old = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == condition.Type);
            condition.LastTransitionTime = old?.Status == condition.Status && old?.LastTransitionTime is { } since ? since : now;
            condition.ObservedGeneration = pod.Metadata.Generation;
            if (condition.Type == Scheduled && old is not null)
                (condition.Reason, condition.Message) = (old.Reason, old.Message);
        }

        // What others wrote (readiness gates, DisruptionTarget) stays as it is.
        conditions.AddRange((pod.Status?.Conditions ?? []).Where(c => !Owned.Contains(c.Type)).Select(c => c.Clone()));
        return conditions;
    }

    private static PodCondition InitializedCondition(Pod pod, string phase, IReadOnlyList<ContainerStatus> inits, IReadOnlyList<ContainerStatus> mains)
    {
        if (phase == PodPhase.Succeeded)
            return new PodCondition { Type = Initialized, Status = "True", Reason = "PodCompleted" };
        if (mains.Any(s => s.State?.Running is not null || s.State?.Terminated is not null))
            return new PodCondition { Type = Initialized, Status = "True" };
        var incomplete = new List<string>();
        foreach (var spec in pod.InitContainers())
        {
            var status = inits.FirstOrDefault(s => s.Name == spec.Name);
            var done = spec.IsRestartable() ? status?.Started == true : status?.Ready == true;
            if (!done)
                incomplete.Add(spec.Name!);
        }

        return incomplete.Count == 0
            ? new PodCondition { Type = Initialized, Status = "True" }
            : new PodCondition
            {
                Type = Initialized,
                Status = "False",
                Reason = "ContainersNotInitialized",
                Message = $"containers with incomplete status: [{string.Join(' ', incomplete)}]",
            };
    }

    private static PodCondition ContainersReadyCondition(Pod pod, string phase, IReadOnlyList<ContainerStatus> inits, IReadOnlyList<ContainerStatus> mains)
    {
        if (phase == PodPhase.Succeeded)
            return new PodCondition { Type = ContainersReady, Status = "False", Reason = "PodCompleted" };
        if (phase == PodPhase.Failed)
            return new PodCondition { Type = ContainersReady, Status = "False", Reason = "PodFailed" };
        var unready = new List<string>();
        foreach (var spec in pod.InitContainers().Where(c => c.IsRestartable()))
            if (inits.FirstOrDefault(s => s.Name == spec.Name)?.Ready != true)
                unready.Add(spec.Name!);
        foreach (var spec in pod.MainContainers())
            if (mains.FirstOrDefault(s => s.Name == spec.Name)?.Ready != true)
                unready.Add(spec.Name!);
        return unready.Count == 0
            ? new PodCondition { Type = ContainersReady, Status = "True" }
            : new PodCondition
            {
                Type = ContainersReady,
                Status = "False",
                Reason = "ContainersNotReady",
                Message = $"containers with unready status: [{string.Join(' ', unready)}]",
            };
    }

    private static PodCondition ReadyCondition(Pod pod, PodCondition containersReady)
    {
        if (containersReady.Status != "True")
            return new PodCondition { Type = Ready, Status = "False", Reason = containersReady.Reason, Message = containersReady.Message };
        var messages = new List<string>();
        foreach (var gate in pod.Spec?.ReadinessGates ?? [])
        {
            var found = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == gate.ConditionType);
            if (found is null)
                messages.Add($"corresponding condition of pod readiness gate \"{gate.ConditionType}\" does not exist.");
            else if (found.Status != "True")
                messages.Add($"the status of pod readiness gate \"{gate.ConditionType}\" is not \"True\", but {found.Status}");
        }

        return messages.Count == 0
            ? new PodCondition { Type = Ready, Status = "True" }
            : new PodCondition { Type = Ready, Status = "False", Reason = "ReadinessGatesNotReady", Message = string.Join(", ", messages) };
    }
}
