using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods.Planning;

namespace Mesh.NodeAgent.Pods.Status;

/// <summary>A pod's phase from its container statuses, by kubelet's rules.</summary>
internal static class PodPhase
{
    public const string Pending = "Pending";
    public const string Running = "Running";
    public const string Succeeded = "Succeeded";
    public const string Failed = "Failed";

    public static string Of(Pod pod, IReadOnlyList<ContainerStatus> inits, IReadOnlyList<ContainerStatus> mains, bool podOver)
    {
        var never = pod.RestartPolicy() == "Never";
        var anyMainStarted = mains.Any(s => s.State?.Running is not null || s.State?.Terminated is not null || s.LastState?.Terminated is not null);
        int pendingInit = 0, failedInit = 0;
        foreach (var spec in pod.InitContainers())
        {
            var status = Find(inits, spec.Name!);
            if (spec.IsRestartable())
            {
                if (!anyMainStarted && status?.Started != true)
                    pendingInit++;
                continue;
            }

            var terminated = status?.State?.Terminated ?? (status?.State?.Waiting is not null ? status.LastState?.Terminated : null);
            if (terminated is null)
                pendingInit += anyMainStarted ? 0 : 1;
            else if (terminated.ExitCode != 0)
                (failedInit, pendingInit) = PodPlanner.EffectivePolicy(pod, spec) == "Never" ? (failedInit + 1, pendingInit) : (failedInit, pendingInit + 1);
        }

        int waiting = 0, running = 0, stopped = 0, succeeded = 0, unknown = 0;
        foreach (var spec in pod.MainContainers())
        {
            var status = Find(mains, spec.Name!);
            if (status?.State?.Running is not null)
                running++;
            else if (status?.State?.Terminated is { } ended)
                (stopped, succeeded) = (stopped + 1, succeeded + (ended.ExitCode == 0 ? 1 : 0));
            else if (status?.State?.Waiting is not null)
                (stopped, waiting) = status.LastState?.Terminated is not null ? (stopped + 1, waiting) : (stopped, waiting + 1);
            else
                unknown++;
        }

        if (failedInit > 0)
            return Failed;
        if (pendingInit > 0)
            return podOver ? Failed : Pending;
        if (waiting > 0 && !(podOver && running == 0))
            return Pending;
        if (running > 0 && unknown == 0)
            return Running;
        if (running == 0 && stopped > 0 && unknown == 0)
            return AllStopped(pod, stopped == succeeded && waiting == 0, podOver, never);
        return podOver ? Failed : Pending;
    }

    private static string AllStopped(Pod pod, bool allSucceeded, bool podOver, bool never)
    {
        if (podOver)
            return allSucceeded ? Succeeded : Failed;
        if (pod.RestartPolicy() == "Always")
            return Running;
        if (allSucceeded)
            return Succeeded;
        return never ? Failed : Running;
    }

    private static ContainerStatus? Find(IReadOnlyList<ContainerStatus> list, string name)
    {
        foreach (var status in list)
            if (status.Name == name)
                return status;
        return null;
    }
}
