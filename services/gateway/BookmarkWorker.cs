using Mesh.Gateway.Storage;
using Microsoft.Extensions.Hosting;

namespace Mesh.Gateway;

/// <summary>Keeps quiet watches current with bookmarks, once a minute, while anybody watches.</summary>
internal sealed class BookmarkWorker(CacheSet caches) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken) =>
        await caches.RunBookmarksAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
