using System.Collections.Immutable;

namespace Mesh.Telemetry;

/// <summary>The health endpoints a check takes part in.</summary>
[Flags]
public enum HealthEndpoints
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary><c>/healthz</c>, the old one.</summary>
    Healthz = 1,
    /// <summary><c>/livez</c>: failing means restart me.</summary>
    Livez = 2,
    /// <summary><c>/readyz</c>: failing means send me nothing now.</summary>
    Readyz = 4,
    /// <summary>All three.</summary>
    All = Healthz | Livez | Readyz,
}

/// <summary>One named check.</summary>
/// <param name="Name">Name in the verbose answer.</param>
/// <param name="Endpoints">Where it is asked.</param>
/// <param name="Check">Null when well, else what is wrong (logged, never shown to callers).</param>
public sealed record HealthCheck(string Name, HealthEndpoints Endpoints, Func<CancellationToken, ValueTask<string?>> Check);

/// <summary>What a check said.</summary>
/// <param name="Name">Name of the check.</param>
/// <param name="Failure">Null when well.</param>
/// <param name="Excluded">Left out at the caller's wish.</param>
public readonly record struct HealthResult(string Name, string? Failure, bool Excluded = false);

/// <summary>The checks of one service, in the order they were added; <c>ping</c> is always the first.</summary>
public sealed class HealthRegistry
{
    private ImmutableArray<HealthCheck> _checks = [new HealthCheck("ping", HealthEndpoints.All, static _ => default)];

    /// <summary>The checks.</summary>
    public IReadOnlyList<HealthCheck> Checks => _checks;

    /// <summary>Adds a check, or replaces the one of the same name.</summary>
    public void Add(string name, Func<CancellationToken, ValueTask<string?>> check, HealthEndpoints endpoints = HealthEndpoints.All) =>
        ImmutableInterlocked.Update(ref _checks, static (old, added) => [.. old.Where(c => c.Name != added.Name), added], new HealthCheck(name, endpoints, check));

    /// <summary>Adds a check on a condition.</summary>
    public void Add(string name, Func<bool> isWell, HealthEndpoints endpoints = HealthEndpoints.All) =>
        Add(name, _ => new ValueTask<string?>(isWell() ? null : "not ready"), endpoints);

    /// <summary>Runs the checks of an endpoint, one after the other; a check that throws has failed.</summary>
    public async Task<IReadOnlyList<HealthResult>> RunAsync(HealthEndpoints endpoint, IReadOnlyCollection<string> excluded, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(excluded);
        var results = new List<HealthResult>();
        foreach (var check in _checks)
        {
            if ((check.Endpoints & endpoint) == 0) continue;
            results.Add(excluded.Contains(check.Name) ? new HealthResult(check.Name, null, Excluded: true) : await RunOneAsync(check, cancellationToken));
        }
        return results;
    }

    private static async ValueTask<HealthResult> RunOneAsync(HealthCheck check, CancellationToken cancellationToken)
    {
        try
        {
            return new HealthResult(check.Name, await check.Check(cancellationToken));
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return new HealthResult(check.Name, e.Message);
        }
    }
}
