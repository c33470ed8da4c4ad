using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Probes;

/// <summary>Makes one try of a probe against a container.</summary>
internal interface IProber
{
    Task<ProbeOutcome> TryAsync(Probe probe, Container container, string containerId, string podIP, CancellationToken ct);
}

/// <summary>Every try succeeds: simulated containers are always well.</summary>
internal sealed class HollowProber : IProber
{
    public Task<ProbeOutcome> TryAsync(Probe probe, Container container, string containerId, string podIP, CancellationToken ct) =>
        Task.FromResult(ProbeOutcome.Success());
}
