using System.Collections.Concurrent;
using Mesh.Api;
using Mesh.Client;
using Mesh.Controllers.GarbageCollection;
using Microsoft.Extensions.Logging;

namespace Mesh.Controllers.Quotas;

/// <summary>
/// How many objects of any resource there are by namespace, for quotas like count/deployments.apps: a feed of metadata per resource, begun when the first quota
/// names it.
/// </summary>
internal sealed class ResourceCounts(IKubeClient client, Action<string> gone, TimeProvider time, ILogger logger, CancellationToken ct)
{
    private readonly ConcurrentDictionary<ApiResource, Lazy<Counted>> _counted = new();

    /// <summary>The number in a namespace; waits for the first list.</summary>
    public async Task<int> CountAsync(ApiResource resource, string ns, CancellationToken token)
    {
        var counted = _counted.GetOrAdd(resource, r => new Lazy<Counted>(() => Start(r))).Value;
        await counted.Synced.WaitAsync(token).ConfigureAwait(false);
        return counted.Namespaces.Values.Count(n => n == ns);
    }

    private Counted Start(ApiResource resource)
    {
        var namespaces = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var feed = new ResourceFeed(
            resource,
            client,
            (head, deleted) =>
            {
                if (head is not { Uid: { } uid, Namespace: { } ns }) return;
                if (!deleted) namespaces[uid] = ns;
                else if (namespaces.TryRemove(uid, out _)) gone(ns);
            },
            seen =>
            {
                foreach (var (uid, ns) in namespaces)
                {
                    if (!seen.Contains(uid) && namespaces.TryRemove(uid, out _)) gone(ns);
                }
            },
            time,
            logger);
        _ = feed.RunAsync(ct);
        return new Counted(namespaces, feed.Synced);
    }

    private sealed record Counted(ConcurrentDictionary<string, string> Namespaces, Task Synced);
}
