using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Mesh.Api;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Storage;

/// <summary>
/// The watch caches of all resources: each starts when first asked for and runs until the set is disposed. Also the
/// <see cref="IObjectReader"/> of admission, authorization and strategies.
/// </summary>
internal sealed class CacheSet(ObjectStorage storage, Func<ApiResource, CacheLayout> layouts, TimeProvider time, ILogger<CacheSet> logger) : IObjectReader, IAsyncDisposable
{
    private static readonly TimeSpan BookmarkInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StartWait = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<ApiResource, Lazy<(CacheFeed Feed, Task Running)>> feeds = new();
    private readonly CancellationTokenSource stopping = new();

    /// <summary>The feed of a resource, ready: its first list is in the cache.</summary>
    /// <exception cref="ApiException">503 when the store cannot be reached.</exception>
    public async ValueTask<CacheFeed> GetAsync(ApiResource resource, CancellationToken ct)
    {
        var feed = feeds.GetOrAdd(resource, static (r, set) => new Lazy<(CacheFeed, Task)>(() => set.Start(r)), this).Value.Feed;
        if (!feed.Cache.State.IsReady)
        {
            try
            {
                await feed.Cache.WaitForAsync(1).WaitAsync(StartWait, time, ct);
            }
            catch (TimeoutException)
            {
                throw new ApiException(Statuses.ServiceUnavailable("storage is (re)initializing"));
            }
        }

        return feed;
    }

    /// <inheritdoc/>
    public async ValueTask<JsonObject?> GetAsync(ApiResource resource, string? ns, string name, CancellationToken ct) =>
        (await FindAsync(resource, ns, name, ct))?.Parsed;

    /// <inheritdoc/>
    public async ValueTask<JsonObject?> GetFreshAsync(ApiResource resource, string? ns, string name, CancellationToken ct)
    {
        var stored = await storage.GetAsync(StorageKeys.Key(resource, resource.Namespaced ? ns : null, name), ct);
        return stored is null ? null : CacheEntry.Create(layouts(resource), stored).Parsed;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<JsonObject>> ListAsync(ApiResource resource, string? ns, CancellationToken ct)
    {
        var state = (await GetAsync(resource, ct)).Cache.State;
        var (from, to) = state.Range(StorageKeys.Prefix(resource, ns));
        return [.. state.Slice(from, to).Select(static e => e.Parsed)];
    }

    /// <inheritdoc/>
    public async ValueTask<T?> GetAsync<T>(string? ns, string name, CancellationToken ct)
        where T : class, IKubeObject<T> =>
        (await FindAsync(T.Resource, ns, name, ct))?.Typed<T>();

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<T>> ListAsync<T>(string? ns, CancellationToken ct)
        where T : class, IKubeObject<T>
    {
        var state = (await GetAsync(T.Resource, ct)).Cache.State;
        var (from, to) = state.Range(StorageKeys.Prefix(T.Resource, ns));
        return [.. state.Slice(from, to).Select(static e => e.Typed<T>())];
    }

    /// <inheritdoc/>
    public async ValueTask<long> ChangedAtAsync(ApiResource resource, CancellationToken ct) => (await GetAsync(resource, ct)).Cache.State.ChangedAt;

    /// <summary>Ends every open watch, so that a stopping server need not wait for its watchers.</summary>
    public void CloseWatches()
    {
        foreach (var feed in feeds.Values)
        {
            if (feed.IsValueCreated) feed.Value.Feed.Cache.Close();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The container holds this under two names and disposes it for each.
        if (stopping.IsCancellationRequested) return;
        await stopping.CancelAsync();
        foreach (var feed in feeds.Values)
        {
            if (feed.IsValueCreated) await feed.Value.Running;
        }
    }

    /// <summary>Once a minute, while somebody watches, the store is asked how far it is and the watches may send bookmarks; old events go.</summary>
    public async Task RunBookmarksAsync(CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(BookmarkInterval, time, ct);
            foreach (var feed in feeds.Values)
            {
                if (!feed.IsValueCreated) continue;
                feed.Value.Feed.Cache.Trim();
                if (feed.Value.Feed.Cache.WatchCount == 0) continue;
                await feed.Value.Feed.RequestProgressAsync(ct);
                feed.Value.Feed.Cache.WakeAll();
            }
        }
    }

    private (CacheFeed Feed, Task Running) Start(ApiResource resource)
    {
        var feed = new CacheFeed(storage, new ResourceCache(layouts(resource), time), logger);
        return (feed, Task.Run(() => feed.RunAsync(stopping.Token), CancellationToken.None));
    }

    private async ValueTask<CacheEntry?> FindAsync(ApiResource resource, string? ns, string name, CancellationToken ct) =>
        (await GetAsync(resource, ct)).Cache.State.Find(StorageKeys.Key(resource, resource.Namespaced ? ns : null, name));
}
