using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods.Planning;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods.Status;

/// <summary>The whole PodStatus from spec, runtime state and facts. Pure.</summary>
internal static class PodStatusBuilder
{
    public static PodStatus Build(Pod pod, PodState observed, StatusFacts facts)
    {
        var sandbox = observed.Sandboxes.Count > 0 ? observed.Sandboxes[0] : null;
        var builder = new ContainerStatusBuilder(pod, observed, facts);
        var waitsForInit = WaitsForInit(pod, observed, facts);
        var inits = InitStatuses(pod, observed, builder);
        var mains = pod.MainContainers().Select(c => builder.Build(c, ContainerRole.Main, waitsForInit)).OrderBy(s => s.Name, StringComparer.Ordinal).ToList();
        var ephemerals = pod.EphemeralContainers().Select(c => builder.Build(c, ContainerRole.Ephemeral, false)).ToList();
        var phase = facts.FailReason is not null ? PodPhase.Failed : PodPhase.Of(pod, inits, mains, facts.PodOver && !observed.AnyRunning);
        if (pod.IsTerminal())
            phase = pod.Status!.Phase!;
        var ips = PodIPs(pod, sandbox, facts);
        var sandboxReady = sandbox is { Ready: true } && (sandbox.HostNetwork || sandbox.IPs.Count > 0);
        return new PodStatus
        {
            Phase = phase,
            ObservedGeneration = pod.Metadata.Generation,
            Conditions = PodConditions.Build(pod, phase, sandboxReady, inits, mains, facts.Resize, facts.Now),
            Message = facts.FailMessage ?? (facts.FailReason is null ? pod.Status?.Message : null),
            Reason = facts.FailReason ?? pod.Status?.Reason,
            HostIP = facts.HostIPs.Count > 0 ? facts.HostIPs[0] : null,
            HostIPs = facts.HostIPs.Count > 0 ? [.. facts.HostIPs.Select(ip => new HostIP { Ip = ip })] : null,
            PodIP = ips.Count > 0 ? ips[0] : null,
            PodIPs = ips.Count > 0 ? [.. ips.Select(ip => new PodIP { Ip = ip })] : null,
            StartTime = pod.Status?.StartTime ?? facts.Now,
            InitContainerStatuses = inits.Count > 0 ? inits : null,
            ContainerStatuses = mains,
            EphemeralContainerStatuses = ephemerals.Count > 0 ? ephemerals : null,
            QosClass = pod.Status?.QosClass ?? QosClass.Of(pod),
            NominatedNodeName = pod.Status?.NominatedNodeName,
            Resources = facts.PodLevel?.Clone(),
            AllocatedResources = facts.PodLevel?.Requests is { Count: > 0 } given ? new(given) : null,
        };
    }

    private static List<ContainerStatus> InitStatuses(Pod pod, PodState observed, ContainerStatusBuilder builder)
    {
        var result = new List<ContainerStatus>();
        var before = true;
        foreach (var spec in pod.InitContainers())
        {
            var status = builder.Build(spec, ContainerRole.Init, waitsForInit: result.Count > 0 || observed.Sandboxes.Count == 0 || !before);
            result.Add(status);
            before &= spec.IsRestartable() ? status.Started == true : status.Ready == true;
        }

        return result;
    }

    private static bool WaitsForInit(Pod pod, PodState observed, StatusFacts facts)
    {
        foreach (var spec in pod.InitContainers())
        {
            var newest = observed.Newest(spec.Name!);
            var done = spec.IsRestartable()
                ? newest is { Phase: ContainerPhase.Running } && facts.Started(newest.Id)
                : newest is { Phase: ContainerPhase.Exited, ExitCode: 0 };
            if (!done)
                return true;
        }

        return false;
    }

    /// <summary>Addresses stay visible after the sandbox has ended, as with Kubernetes, while the pod object lives.</summary>
    private static IReadOnlyList<string> PodIPs(Pod pod, SandboxRecord? sandbox, StatusFacts facts)
    {
        if (pod.HostNetwork())
            return sandbox is null ? [] : facts.HostIPs;
        if (sandbox is { IPs.Count: > 0 })
            return sandbox.IPs;
        return pod.Status?.PodIPs?.Select(p => p.Ip!).ToList() ?? [];
    }
}
