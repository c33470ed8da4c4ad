using System.Collections.Concurrent;
using System.Net;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;

namespace Mesh.NodeAgent.Objects;

/// <summary>
/// ConfigMaps and Secrets by name. Many pods of a node read the same ones at the same moment (every pod mounts the root CA), so an answer
/// is shared for a moment; callers say how old it may be.
/// </summary>
internal sealed class ObjectSource(IKubeClient client, TimeProvider time)
{
    private const int SweepAbove = 1000;
    private readonly ConcurrentDictionary<(Type, string, string), Entry> entries = new();

    public Task<ConfigMap?> ConfigMapAsync(string ns, string name, TimeSpan maxAge, CancellationToken ct) => GetAsync<ConfigMap>(ns, name, maxAge, ct);

    public Task<Secret?> SecretAsync(string ns, string name, TimeSpan maxAge, CancellationToken ct) => GetAsync<Secret>(ns, name, maxAge, ct);

    /// <summary>The object, or null when the API says that there is none.</summary>
    public async Task<T?> GetAsync<T>(string? ns, string name, TimeSpan maxAge, CancellationToken ct)
        where T : class, IKubeObject<T>
    {
        var key = (typeof(T), ns ?? "", name);
        var now = time.GetUtcNow();
        if (entries.TryGetValue(key, out var entry) && now - entry.Asked <= maxAge && !entry.Answer.IsFaulted && !entry.Answer.IsCanceled)
            return (T?)await entry.Answer.WaitAsync(ct);
        if (entries.Count > SweepAbove)
            Sweep(now);
        // Shared by several callers: one caller's cancellation must not end it for the others.
        var fresh = new Entry(now, AskAsync<T>(ns, name));
        entries[key] = fresh;
        return (T?)await fresh.Answer.WaitAsync(ct);
    }

    private async Task<object?> AskAsync<T>(string? ns, string name)
        where T : class, IKubeObject<T>
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            return await client.GetAsync<T>(ns, name, limit.Token);
        }
        catch (ApiException e) when (e.Status.Code == (int)HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private void Sweep(DateTimeOffset now)
    {
        foreach (var (key, entry) in entries)
            if (now - entry.Asked > TimeSpan.FromMinutes(2))
                entries.TryRemove(key, out _);
    }

    private sealed record Entry(DateTimeOffset Asked, Task<object?> Answer);
}
