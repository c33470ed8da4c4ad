using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods.Planning;

/// <summary>
/// Decides what to do next with a pod that shall run: spec and observation in, actions out. Knows nothing of time: whether a
/// start is put off by back-off is the worker's business, for the pod's state does not depend on it.
/// </summary>
internal static class PodPlanner
{
    public static PodPlan Decide(Pod pod, PodState observed, IProbeVerdicts probes)
    {
        var sandbox = observed.Sandboxes.Count > 0 ? observed.Sandboxes[0] : null;
        return SandboxUsable(pod, observed) ? InSandbox(pod, observed, sandbox!, probes) : NewSandbox(pod, observed, sandbox);
    }

    /// <summary>Whether an exited (or never started) container shall run again.</summary>
    public static bool ShouldRun(Pod pod, Container spec, ContainerRecord? last)
    {
        if (last is null || last.Phase is ContainerPhase.Created or ContainerPhase.Unknown)
            return true;
        if (last.Phase == ContainerPhase.Running)
            return false;
        return EffectivePolicy(pod, spec) switch
        {
            "Never" => false,
            "OnFailure" => last.ExitCode != 0,
            _ => true,
        };
    }

    /// <summary>Restart policy that holds for a container: its own where it has one, else the pod's; init containers end once.</summary>
    public static string EffectivePolicy(Pod pod, Container spec)
    {
        if (spec.RestartPolicy is { Length: > 0 } own)
            return own;
        return pod.RestartPolicy();
    }

    private static bool SandboxUsable(Pod pod, PodState observed)
    {
        if (observed.Sandboxes.Count == 0 || !observed.Sandboxes[0].Ready)
            return false;
        var sandbox = observed.Sandboxes[0];
        if (observed.Sandboxes.Count(s => s.Ready) > 1 || sandbox.HostNetwork != pod.HostNetwork())
            return false;
        return sandbox.HostNetwork || sandbox.IPs.Count > 0;
    }

    /// <summary>No usable sandbox: everything ends, and what still has work to do starts in a new one.</summary>
    private static PodPlan NewSandbox(Pod pod, PodState observed, SandboxRecord? old)
    {
        var attempt = old is null ? 0 : old.Attempt + 1;
        var mains = pod.MainContainers();
        var anythingRan = observed.Containers.Count > 0;

        // A pod that may not restart and has run once does not come back with its sandbox.
        if (anythingRan && pod.RestartPolicy() == "Never" && old is not null && mains.Any(c => observed.Newest(c.Name!) is not null))
            return new PodPlan { KillPod = true, Sandbox = old, Initialized = true };
        var work = mains.Where(c => observed.Newest(c.Name!) is not { Phase: ContainerPhase.Exited } last || ShouldRun(pod, c, last)).ToList();
        if (work.Count == 0)
            return new PodPlan { KillPod = true, Sandbox = old, Initialized = true };

        // Init containers run again in a new sandbox, from the first.
        IReadOnlyList<ContainerStart> starts = pod.InitContainers() is { Count: > 0 } inits
            ? [StartOf(inits[0], ContainerRole.Init, observed)]
            : [.. work.Select(c => StartOf(c, ContainerRole.Main, observed))];
        return new PodPlan { KillPod = old is not null || observed.AnyRunning, NewSandboxAttempt = attempt, Starts = starts, Sandbox = null };
    }

    private static PodPlan InSandbox(Pod pod, PodState observed, SandboxRecord sandbox, IProbeVerdicts probes)
    {
        var kills = new List<ContainerKill>();
        var starts = new List<ContainerStart>();
        var current = Within(observed, sandbox);
        var initialized = PlanInit(pod, observed, current, probes, starts, kills, out var failed);
        if (failed)
            return new PodPlan { KillPod = true, Sandbox = sandbox };
        foreach (var spec in pod.EphemeralContainers())
            if (observed.Newest(spec.Name!) is null)
                starts.Add(StartOf(spec, ContainerRole.Ephemeral, observed));
        if (!initialized)
            return new PodPlan { Sandbox = sandbox, Starts = starts, Kills = kills };

        var kept = 0;
        foreach (var spec in pod.MainContainers())
        {
            var last = observed.Newest(spec.Name!);
            if (last is null || last.Phase != ContainerPhase.Running)
            {
                if (last?.Phase == ContainerPhase.Unknown)
                    kills.Add(new ContainerKill(last, spec, "ContainerUnknown", $"Container {spec.Name} is in unknown state, try killing it before restart"));
                if (ShouldRun(pod, spec, last))
                    starts.Add(StartOf(spec, ContainerRole.Main, observed));
                continue;
            }

            if (KillReason(pod, spec, last, probes) is { } kill)
            {
                kills.Add(kill.Kill);
                if (kill.Restart)
                    starts.Add(StartOf(spec, ContainerRole.Main, observed));
                continue;
            }

            kept++;
        }

        if (kept == 0 && !starts.Any(s => s.Role == ContainerRole.Main) && kills.Count == 0)
            return new PodPlan { KillPod = true, Sandbox = sandbox, Initialized = true };
        return new PodPlan { Sandbox = sandbox, Starts = starts, Kills = kills, Initialized = true };
    }

    /// <summary>
    /// Init containers one after the other; restartable ones stay and only have to have started. Once a main container was made in
    /// this sandbox the sequence is over for good. Returns whether the main containers may run; failed means that the pod is over.
    /// </summary>
    private static bool PlanInit(
        Pod pod,
        PodState observed,
        PodState current,
        IProbeVerdicts probes,
        List<ContainerStart> starts,
        List<ContainerKill> kills,
        out bool failed)
    {
        failed = false;
        var inits = pod.InitContainers();
        var over = pod.MainContainers().Any(c => current.Newest(c.Name!) is not null);
        foreach (var spec in inits)
        {
            var last = current.Newest(spec.Name!);
            if (spec.IsRestartable())
            {
                if (last is { Phase: ContainerPhase.Running })
                {
                    if (KillReason(pod, spec, last, probes) is { } kill)
                    {
                        kills.Add(kill.Kill);
                        starts.Add(StartOf(spec, ContainerRole.Init, observed));
                    }

                    if (!over && !probes.Started(last.Id))
                        return false;
                    continue;
                }

                starts.Add(StartOf(spec, ContainerRole.Init, observed));
                if (!over)
                    return false;
                continue;
            }

            if (over)
                continue;
            switch (last?.Phase)
            {
                case null or ContainerPhase.Created or ContainerPhase.Unknown:
                    starts.Add(StartOf(spec, ContainerRole.Init, observed));
                    return false;
                case ContainerPhase.Running:
                    return false;
                case ContainerPhase.Exited when last!.ExitCode != 0:
                    if (EffectivePolicy(pod, spec) == "Never")
                    {
                        failed = true;
                        return false;
                    }

                    starts.Add(StartOf(spec, ContainerRole.Init, observed));
                    return false;
            }
        }

        return true;
    }

    private static (ContainerKill Kill, bool Restart)? KillReason(Pod pod, Container spec, ContainerRecord running, IProbeVerdicts probes)
    {
        if (running.SpecHash.Length > 0 && running.SpecHash != spec.SpecHash())
            return (new ContainerKill(running, spec, "Killing", $"Container {spec.Name} definition changed, will be restarted"), true);
        if (!probes.MustRestart(running.Id, out var message))
            return null;
        var restart = spec.IsRestartable() || EffectivePolicy(pod, spec) != "Never";
        return (new ContainerKill(running, spec, "Unhealthy", restart ? message + ", will be restarted" : message), restart);
    }

    private static ContainerStart StartOf(Container spec, ContainerRole role, PodState observed)
    {
        var last = observed.Newest(spec.Name!);
        return new ContainerStart(spec, role, last is null ? 0 : last.RestartCount + 1, last);
    }

    private static PodState Within(PodState observed, SandboxRecord sandbox) =>
        observed with { Containers = [.. observed.Containers.Where(c => c.SandboxId == sandbox.Id)] };
}
