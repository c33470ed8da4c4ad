namespace Mesh.ServiceProxy.Model;

/// <summary>One port that came (Old null), changed, or went (New null).</summary>
internal readonly record struct VirtualPortChange(VirtualPort? Old, VirtualPort? New);

/// <summary>
/// A way to make connections to virtual addresses end at backends. The first call of <see cref="ResetAsync"/> replaces whatever an earlier
/// process left, in one step; later calls of <see cref="ApplyAsync"/> carry differences only.
/// </summary>
internal interface IForwardingDriver : IAsyncDisposable
{
    /// <summary>The name that selects the driver: nftables, userspace.</summary>
    string Name { get; }

    /// <summary>Makes the given ports, and no others, the state of the data plane.</summary>
    ValueTask ResetAsync(IReadOnlyCollection<VirtualPort> ports, CancellationToken ct);

    /// <summary>Applies differences. On failure nothing of the batch is applied and the caller resets.</summary>
    ValueTask ApplyAsync(IReadOnlyList<VirtualPortChange> changes, CancellationToken ct);
}
