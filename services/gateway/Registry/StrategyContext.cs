using Mesh.Gateway.Storage;
using Mesh.Security;

namespace Mesh.Gateway.Registry;

/// <summary>What a strategy may know about the request besides the objects.</summary>
/// <param name="User">Who asks.</param>
/// <param name="Namespace">Namespace of the request, null for cluster-scoped kinds.</param>
/// <param name="DryRun">Nothing will be stored: take nothing for good.</param>
/// <param name="Time">The server's clock.</param>
/// <param name="Objects">Other objects, from the watch cache.</param>
/// <param name="Reservations">Cluster-wide unique values.</param>
internal sealed record StrategyContext(
    UserInfo User,
    string? Namespace,
    bool DryRun,
    TimeProvider Time,
    IObjectReader Objects,
    IReservationStore Reservations)
{
    /// <summary>Extra warnings for the client.</summary>
    public List<string> Warnings { get; } = [];
}
