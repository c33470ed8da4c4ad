using System.Collections.Concurrent;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Pods.Planning;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Probes;

/// <summary>
/// Runs the probes of one pod's containers and holds their verdicts. A container's probes live as long as the container: a new
/// container id starts afresh. Whatever changes a verdict calls the worker.
/// </summary>
internal sealed class PodProbes(IProber prober, TimeProvider time, Action<string, bool, string, string> report, Action changed) : IProbeVerdicts, IDisposable
{
    private readonly ConcurrentDictionary<string, ContainerProbes> containers = new();
    private readonly CancellationTokenSource stop = new();

    /// <summary>Starts probing what runs and stops probing what does not. Terminating pods keep only their readiness probes.</summary>
    public void Sync(Pod pod, PodState observed, string podIP, bool terminating)
    {
        var alive = new HashSet<string>();
        foreach (var spec in pod.InitContainers().Where(c => c.IsRestartable()).Concat(pod.MainContainers()))
        {
            if (spec.StartupProbe is null && spec.LivenessProbe is null && spec.ReadinessProbe is null)
                continue;
            if (observed.Newest(spec.Name!) is not { Phase: ContainerPhase.Running } running)
                continue;
            alive.Add(running.Id);
            if (podIP.Length > 0 && !containers.ContainsKey(running.Id) && !terminating)
                Start(pod, spec, running, podIP);
        }

        foreach (var (id, probes) in containers)
        {
            if (!alive.Contains(id) && containers.TryRemove(id, out _))
                probes.Stop.Cancel();
            else if (terminating)
                probes.Terminating = true;
        }
    }

    public bool MustRestart(string containerId, out string message)
    {
        message = "";
        if (!containers.TryGetValue(containerId, out var probes))
            return false;
        if (probes.Startup is { Fatal: true })
            message = $"Container {probes.Name} failed startup probe";
        else if (probes.Liveness is { Fatal: true })
            message = $"Container {probes.Name} failed liveness probe";
        return message.Length > 0;
    }

    public bool Started(string containerId) => !containers.TryGetValue(containerId, out var probes) || probes.Startup?.Good != false;

    public bool Ready(string containerId) => containers.TryGetValue(containerId, out var probes) && (probes.Readiness?.Good ?? true);

    /// <summary>Whether the probes of a container are being run (a container that has some but is not probed yet is not ready).</summary>
    public bool Knows(string containerId) => containers.ContainsKey(containerId);

    public void Dispose()
    {
        stop.Cancel();
        stop.Dispose();
    }

    private void Start(Pod pod, Container spec, ContainerRecord running, string podIP)
    {
        // A restarted agent finds containers that were ready: they stay so until a probe says otherwise.
        var before = (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? [])
            .FirstOrDefault(s => s.Name == spec.Name && s.ContainerID?.EndsWith("/" + running.Id, StringComparison.Ordinal) == true);
        var probes = new ContainerProbes(spec.Name!, CancellationTokenSource.CreateLinkedTokenSource(stop.Token));
        if (spec.StartupProbe is { } startup)
            probes.Startup = new ProbeState(ProbeKind.Startup, ProbeTiming.Of(startup), before?.Started == true);
        if (spec.LivenessProbe is { } liveness)
            probes.Liveness = new ProbeState(ProbeKind.Liveness, ProbeTiming.Of(liveness));
        if (spec.ReadinessProbe is { } readiness)
            probes.Readiness = new ProbeState(ProbeKind.Readiness, ProbeTiming.Of(readiness), before?.Ready == true);
        if (!containers.TryAdd(running.Id, probes))
            return;
        if (probes.Startup is not null)
            _ = LoopAsync(probes, ProbeKind.Startup, spec.StartupProbe!, probes.Startup, spec, running, podIP);
        if (probes.Liveness is not null)
            _ = LoopAsync(probes, ProbeKind.Liveness, spec.LivenessProbe!, probes.Liveness, spec, running, podIP);
        if (probes.Readiness is not null)
            _ = LoopAsync(probes, ProbeKind.Readiness, spec.ReadinessProbe!, probes.Readiness, spec, running, podIP);
    }

    private async Task LoopAsync(ContainerProbes probes, ProbeKind kind, Probe probe, ProbeState state, Container spec, ContainerRecord running, string podIP)
    {
        var timing = ProbeTiming.Of(probe);
        var ct = probes.Stop.Token;
        try
        {
            var first = running.StartedAt.AddSeconds(timing.InitialDelay) - time.GetUtcNow().UtcDateTime;
            if (first > TimeSpan.Zero)
                await Task.Delay(first, time, ct);
            while (!ct.IsCancellationRequested)
            {
                if (kind != ProbeKind.Startup && probes.Startup is { Good: false })
                {
                    await probes.StartupPassed.Task.WaitAsync(ct);
                    continue;
                }

                if ((kind == ProbeKind.Startup && state.Good) || state.Fatal || (probes.Terminating && kind != ProbeKind.Readiness))
                    return;
                await TryOnceAsync(probes, kind, probe, state, spec, running, podIP, ct);
                await Task.Delay(TimeSpan.FromSeconds(timing.Period), time, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // The container is gone.
        }
    }

    private async Task TryOnceAsync(
        ContainerProbes probes,
        ProbeKind kind,
        Probe probe,
        ProbeState state,
        Container spec,
        ContainerRecord running,
        string podIP,
        CancellationToken ct)
    {
        ProbeOutcome outcome;
        try
        {
            outcome = await prober.TryAsync(probe, spec, running.Id, podIP, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            outcome = new ProbeOutcome(ProbeResult.Error, e.Message);
        }

        if (ct.IsCancellationRequested)
            return;
        if (outcome.Result == ProbeResult.Failure)
            report(spec.Name!, true, "Unhealthy", $"{kind} probe failed: {outcome.Output}");
        else if (outcome.Result == ProbeResult.Error)
            report(spec.Name!, true, "ProbeWarning", $"{kind} probe errored: {outcome.Output}");
        if (!state.Take(outcome.Result))
            return;
        if (kind == ProbeKind.Startup && state.Good)
            probes.StartupPassed.TrySetResult();
        changed();
    }

    private sealed class ContainerProbes(string name, CancellationTokenSource stop)
    {
        public string Name { get; } = name;

        public CancellationTokenSource Stop { get; } = stop;

        public ProbeState? Startup { get; set; }

        public ProbeState? Liveness { get; set; }

        public ProbeState? Readiness { get; set; }

        public bool Terminating { get; set; }

        public TaskCompletionSource StartupPassed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
