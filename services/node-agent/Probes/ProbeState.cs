using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Probes;

/// <summary>What a probe is for.</summary>
internal enum ProbeKind
{
    Startup,
    Liveness,
    Readiness,
}

/// <summary>One try of a probe. Errors of the try itself (not of the container) change nothing.</summary>
internal enum ProbeResult
{
    Success,
    Failure,
    Error,
}

/// <summary>A try's result and what it said.</summary>
internal readonly record struct ProbeOutcome(ProbeResult Result, string Output)
{
    public static ProbeOutcome Success(string output = "") => new(ProbeResult.Success, output);

    public static ProbeOutcome Failure(string output) => new(ProbeResult.Failure, output);
}

/// <summary>Thresholds of one probe with Kubernetes' defaults. Times in seconds.</summary>
internal sealed record ProbeTiming(int InitialDelay, int Period, int Timeout, int SuccessThreshold, int FailureThreshold)
{
    public static ProbeTiming Of(Probe probe) => new(
        probe.InitialDelaySeconds ?? 0,
        AtLeastOne(probe.PeriodSeconds, 10),
        AtLeastOne(probe.TimeoutSeconds, 1),
        AtLeastOne(probe.SuccessThreshold, 1),
        AtLeastOne(probe.FailureThreshold, 3));

    private static int AtLeastOne(int? value, int whenAbsent) => value is > 0 ? value.Value : whenAbsent;
}

/// <summary>Counts equal results in a row and says what the probe's verdict is. Pure; belongs to one container's probe.</summary>
internal sealed class ProbeState(ProbeKind kind, ProbeTiming timing, bool? initially = null)
{
    private ProbeResult? last;
    private int run;

    /// <summary>The verdict: a liveness probe starts out good, the others do not.</summary>
    public bool Good { get; private set; } = initially ?? kind == ProbeKind.Liveness;

    /// <summary>The container must be restarted: the verdict turned bad and cannot turn back.</summary>
    public bool Fatal { get; private set; }

    /// <summary>Takes a try's result; true when the verdict changed.</summary>
    public bool Take(ProbeResult result)
    {
        if (result == ProbeResult.Error || Fatal)
            return false;
        run = last == result ? run + 1 : 1;
        last = result;
        var threshold = result == ProbeResult.Success ? timing.SuccessThreshold : timing.FailureThreshold;
        if (run < threshold)
            return false;
        var good = result == ProbeResult.Success;
        if (!good && kind != ProbeKind.Readiness)
        {
            Good = false;
            Fatal = true;
            return true;
        }

        var changed = Good != good;
        Good = good;
        return changed;
    }
}
