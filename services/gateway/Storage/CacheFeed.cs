using System.Runtime.InteropServices;
using Grpc.Core;
using Mesh.Api;
using Mesh.Rpc;
using Mesh.Rpc.Etcd;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Storage;

/// <summary>
/// Keeps one <see cref="ResourceCache"/> true: lists the prefix, watches it from there, resumes after a lost connection without
/// a gap, and starts over when the place is compacted away. Also proves freshness: a reader that needs "now" asks the store for its
/// revision and waits until the watch has reached it.
/// </summary>
internal sealed class CacheFeed(ObjectStorage storage, ResourceCache cache, ILogger logger)
{
    private const int PageSize = 500; // an answer is one array: not of many megabytes
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FreshnessWait = TimeSpan.FromSeconds(3);
    private readonly Lock roundGate = new();
    private volatile LeanStream? following;
    private readonly List<CacheChange> changes = []; // of one answer of the store
    private Task<long>? round;
    private Task<long>? nextRound;
    private volatile bool inOrder;
    private readonly HashSet<string> unreadable = new(StringComparer.Ordinal);
    private volatile int unreadableCount;

    /// <summary>The cache that is fed.</summary>
    public ResourceCache Cache => cache;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var resume = 0L;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (resume == 0) resume = await FillAsync(ct);
                await FollowAsync(resume, ct);
                resume = 0;
            }
            catch (Exception e) when (ct.IsCancellationRequested && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
            {
                break;
            }
            catch (RevisionGoneException)
            {
                resume = 0;
            }
            catch (Exception e) when (e is RpcException or IOException or OperationCanceledException or InvalidOperationException or FormatException or System.Text.Json.JsonException)
            {
                Log.FeedLost(logger, cache.Layout.Resource.ToString(), e is RpcException { Status: var status } ? status.Detail : e.Message);
                resume = cache.State.IsReady ? cache.State.Revision : 0;
                await Task.Delay(RetryDelay, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        cache.Close();
    }

    /// <summary>
    /// Waits until the cache holds everything that was in the store when the call began; gives the revision proven. Calls that
    /// come together share the store's answer.
    /// </summary>
    /// <exception cref="ApiException">504 when the watch does not get there in time.</exception>
    public async Task<CacheState> FreshAsync(CancellationToken ct)
    {
        var revision = await NextRound().WaitAsync(ct);
        return await ReachAsync(revision, askProgress: true, ct);
    }

    /// <summary>Waits at most three seconds until the cache has reached a revision.</summary>
    /// <exception cref="ApiException">504: Too large resource version.</exception>
    public async Task<CacheState> ReachAsync(long revision, bool askProgress, CancellationToken ct)
    {
        var reached = cache.WaitForAsync(revision);
        if (!reached.IsCompleted)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(FreshnessWait);
            if (askProgress && inOrder) await RequestProgressAsync(ct);
            else if (askProgress) await ProveAsync(revision, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await reached.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            if (!reached.IsCompleted)
                throw new ApiException(Statuses.TooLargeResourceVersion((ulong)revision, (ulong)cache.State.Revision, 1));
        }

        return cache.State;
    }

    /// <summary>
    /// Where progress cannot be believed, the cache is as new as the store when no key there was written after what the cache has,
    /// and there are as many: then nothing was deleted either. Else the changes are awaited, and it is looked at again.
    /// </summary>
    private async Task ProveAsync(long revision, CancellationToken ct)
    {
        while (cache.State is var state && state.Revision < revision)
        {
            var more = cache.WaitForAsync(state.Revision + 1);
            var (written, count, at) = await storage.WrittenSinceAsync(cache.Layout.Prefix, state.Revision, ct);
            if (!written && count == state.Entries.Count + unreadableCount)
            {
                cache.Progress(at);
                return;
            }

            await more.WaitAsync(ct);
        }
    }

    /// <summary>Asks the store to say on the watch stream how far it is; where its word cannot be believed it is not asked.</summary>
    public async Task RequestProgressAsync(CancellationToken ct)
    {
        if (!inOrder) return;
        try
        {
            if (following is { } stream) await stream.WriteAsync(default(WatchProgressCall), ct);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException)
        {
            // The stream just ended: the feed opens another, and the waiter's own time limit holds.
            Log.ProgressNotAsked(logger, cache.Layout.Resource.ToString(), e);
        }
    }

    /// <summary>A question to the store that begins after this call: shared by all who ask while another is under way.</summary>
    private Task<long> NextRound()
    {
        lock (roundGate)
        {
            if (round is null or { IsCompleted: true }) return round = storage.RevisionAsync(CancellationToken.None).AsTask();
            return nextRound is null or { IsCompleted: true } ? nextRound = AfterAsync(round) : nextRound;
        }
    }

    private async Task<long> AfterAsync(Task<long> before)
    {
        await ((Task)before).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Task<long> mine;
        lock (roundGate)
        {
            nextRound = null;
            mine = round = storage.RevisionAsync(CancellationToken.None).AsTask();
        }

        return await mine;
    }

    private async Task<long> FillAsync(CancellationToken ct)
    {
        var entries = new List<CacheEntry>();
        unreadable.Clear();
        unreadableCount = 0;
        var page = await storage.ListAsync(cache.Layout.Prefix, null, PageSize, 0, ct);
        Take(page.Items, entries);
        while (page.More)
        {
            page = await storage.ListAsync(cache.Layout.Prefix, page.Items[^1].Key + "\0", PageSize, page.Revision, ct);
            Take(page.Items, entries);
        }

        cache.Reset(entries, page.Revision);
        return page.Revision;
    }

    private async Task FollowAsync(long after, CancellationToken ct)
    {
        changes.Clear(); // of an answer that broke off: all after the revision reached comes again
        var (stream, endpoint) = await storage.Client.WatchAsync(ct);
        using (stream)
        {
            try
            {
                await stream.WriteAsync(new WatchCreateCall(cache.Layout.Prefix, ObjectStorage.PrefixEnd(cache.Layout.Prefix), after + 1, ProgressNotify: true), ct);
                inOrder = await storage.Client.TellsProgressInOrderAsync(ct);
                following = stream;
                while (await stream.ReadAsync()) Apply(WatchAnswer.Read(stream.Message));
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
            {
                storage.Client.MoveOn(endpoint);
                throw;
            }
            finally
            {
                following = null;
            }
        }

        throw new IOException("the store ended the watch");
    }

    private void Apply(in WatchAnswer reply)
    {
        if (reply.Canceled)
        {
            if (reply.CompactRevision > 0) throw new RevisionGoneException();
            throw new IOException("the store cancelled the watch: " + reply.CancelReason);
        }

        foreach (var change in reply)
        {
            var key = System.Text.Encoding.UTF8.GetString(change.Item.Key.Span);
            if (change.IsDelete) changes.Add(new CacheChange(key, change.Item.ModRevision, null));
            else Take(new StoredObject(key, change.Item.Value, change.Item.ModRevision));
        }

        Apply();

        // Answers to progress requests and periodic notices carry no events: all up to the header's revision has been sent.
        // A response with events proves their revision only (a fragment may follow).
        if (!reply.HasEvents && !reply.Created) cache.Progress(reply.Revision);
    }

    private void Take(StoredObject stored)
    {
        try
        {
            changes.Add(new CacheChange(stored.Key, stored.Revision, CacheEntry.Create(cache.Layout, stored)));
        }
        catch (System.Text.Json.JsonException e)
        {
            Apply(); // what came before comes before
            Unreadable(stored.Key, e);
        }
    }

    /// <summary>Gives the cache what was collected.</summary>
    private void Apply()
    {
        if (changes.Count == 0) return;
        cache.Apply(CollectionsMarshal.AsSpan(changes));
        if (unreadable.Count > 0)
        {
            foreach (var change in changes) unreadable.Remove(change.Key);
            unreadableCount = unreadable.Count;
        }

        changes.Clear();
    }

    private void Unreadable(string key, Exception e)
    {
        unreadable.Add(key);
        unreadableCount = unreadable.Count;
        Log.Unreadable(logger, key, e);
    }

    private void Take(IReadOnlyList<StoredObject> items, List<CacheEntry> into)
    {
        foreach (var item in items)
        {
            try
            {
                var entry = CacheEntry.Create(cache.Layout, item);
                entry.Keep();
                into.Add(entry);
            }
            catch (System.Text.Json.JsonException e)
            {
                Unreadable(item.Key, e);
            }
        }
    }
}
