using Mesh.Api;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>What a watch sends next: events, then perhaps a bookmark at the revision.</summary>
/// <param name="Events">Events in order; the list is reused by the next batch.</param>
/// <param name="Bookmark">Revision of a bookmark to send after them, or 0.</param>
/// <param name="InitialEventsEnd">The bookmark ends the initial events.</param>
/// <param name="Error">The watch ends with this Status.</param>
internal readonly record struct WatchBatch(
    IReadOnlyList<(ChangeType Type, CacheEntry Entry)> Events, long Bookmark = 0, bool InitialEventsEnd = false, Mesh.Api.Meta.V1.Status? Error = null);

/// <summary>Opens watches and turns them into batches, with Kubernetes' rules of where a watch begins.</summary>
internal sealed class Watcher(CacheSet caches, TimeProvider time)
{
    private const int BatchSize = 256;
    private static readonly TimeSpan BookmarkInterval = TimeSpan.FromSeconds(55);
    private static readonly TimeSpan LastBookmarkBefore = TimeSpan.FromSeconds(2);

    /// <summary>Opens a watch; refusals come before the first batch is asked for.</summary>
    public async ValueTask<IAsyncEnumerable<WatchBatch>> OpenAsync(ApiResource resource, string? ns, ListOptions options, CancellationToken ct)
    {
        Check(options);
        var feed = await caches.GetAsync(resource, ct);
        var filter = Lister.Compile(feed.Cache.Layout, ns, options);
        var fromNow = options.ResourceVersion is "" or "0";
        var wantsState = options.SendInitialEvents ?? fromNow;
        if (wantsState || (fromNow && options.SendInitialEvents == false))
        {
            // "" is as new as the store; a number is waited for; "0" is whatever is at hand.
            await Lister.FreshEnoughAsync(feed, options.ResourceVersion, ct);
            var (watch, state) = feed.Cache.WatchNow(filter) ?? throw new ApiException(Statuses.ServiceUnavailable("storage is (re)initializing"));
            return RunAsync(watch, wantsState ? state : null, options, ct);
        }

        var after = Lister.Revision(options.ResourceVersion);
        // A revision that is not there yet is not waited for: the watch begins now and keeps silent up to it.
        // Once a watch is allowed its errors come as events, as from kube-apiserver.
        return feed.Cache.WatchAfter(after, filter) is { } resumed
            ? RunAsync(resumed, null, options, ct, after)
            : FailedAsync(Statuses.Expired($"too old resource version: {after} ({feed.Cache.State.Start})"));
    }

    private static async IAsyncEnumerable<WatchBatch> FailedAsync(Mesh.Api.Meta.V1.Status error)
    {
        await Task.CompletedTask;
        yield return new WatchBatch([], Error: error);
    }

    private static void Check(ListOptions options)
    {
        var match = options.ResourceVersionMatch;
        var error = options.SendInitialEvents is null
            ? match.Length > 0 ? FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided") : null
            : match != "NotOlderThan" ? FieldError.Forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
            : null;
        if (error is not null) throw new ApiException(Statuses.Invalid("meta.k8s.io", "ListOptions", "", [error]));
    }

    private async IAsyncEnumerable<WatchBatch> RunAsync(
        CacheWatch watch, CacheState? initial, ListOptions options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct, long after = 0)
    {
        using (watch)
        {
            var events = new List<(ChangeType Type, CacheEntry Entry)>();
            if (initial is not null)
            {
                var (from, to) = initial.Range(StorageKeys.Prefix(watch.Layout.Resource, watch.Filter.Namespace));
                foreach (var entry in initial.Slice(from, to))
                {
                    if (!watch.Filter.Matches(entry)) continue;
                    events.Add((ChangeType.Added, entry));
                    if (events.Count < BatchSize) continue;
                    yield return new WatchBatch(events);
                    events.Clear();
                }

                var ends = options.SendInitialEvents == true && options.AllowBookmarks;
                if (ends || events.Count > 0) yield return new WatchBatch(events, ends ? initial.Revision : 0, ends);
            }

            // A watch that is about to end says how far it is, so that the next one begins there.
            var began = time.GetTimestamp();
            var last = options.AllowBookmarks && options.Lifetime > LastBookmarkBefore ? options.Lifetime - LastBookmarkBefore : null;
            await using var alarm = last is { } late ? time.CreateTimer(static w => ((CacheWatch)w!).Wake(), watch, late, Timeout.InfiniteTimeSpan) : null;
            // Once for the watch, not once for each wait.
            await using var cancelled = ct.UnsafeRegister(static w => ((CacheWatch)w!).Wake(), watch);
            var bookmarked = began;
            var told = initial?.Revision ?? after;
            while (true)
            {
                await watch.WaitAsync();
                ct.ThrowIfCancellationRequested();
                events.Clear();
                var (state, revision) = watch.Drain(events, BatchSize);
                if (state == WatchState.Closed) yield break;
                if (state == WatchState.Expired)
                {
                    yield return new WatchBatch([], Error: Statuses.Expired("The resourceVersion for the provided watch is too old."));
                    yield break;
                }

                var mark = 0L;
                if (revision < after || (events.Count > 0 && events[0].Entry.Revision <= after)) events.RemoveAll(e => e.Entry.Revision <= after);
                var ending = last is { } when && time.GetElapsedTime(began) >= when;
                if (options.AllowBookmarks && revision > told && (ending || time.GetElapsedTime(bookmarked) >= BookmarkInterval))
                {
                    bookmarked = time.GetTimestamp();
                    mark = revision;
                }

                if (ending) last = null;
                if (events.Count > 0 || mark > 0) yield return new WatchBatch(events, mark);
                told = mark > 0 ? mark : events.Count > 0 ? events[^1].Entry.Revision : told;
            }
        }
    }
}
