using System.Globalization;
using Mesh.Api;
using Mesh.Api.Selectors;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>
/// Lists from the watch cache, at the freshness that was asked for: "" waits until the cache is as new as the store, "0" takes it as it
/// is, a number waits for it (three seconds, then 504). Pages are all of the first page's revision: from the cache's memory of it, else
/// from the store, else 410.
/// </summary>
internal sealed class Lister(CacheSet caches, ObjectStorage storage)
{
    private const int MaxStorePage = 1000; // objects of one answer of the store

    /// <summary>One page.</summary>
    public async ValueTask<ListPage> ListAsync(ApiResource resource, string? ns, ListOptions options, CancellationToken ct)
    {
        var feed = await caches.GetAsync(resource, ct);
        var filter = Compile(feed.Cache.Layout, ns, options);
        Check(options);
        if (options.Continue.Length > 0)
        {
            var token = ContinueToken.Decode(options.Continue);
            if (options.ResourceVersion is not ("" or "0")) throw new ApiException(Statuses.BadRequest("specifying resource version is not allowed when using continue"));
            if (token.Revision < 0) return Page(feed.Cache.Layout, await feed.FreshAsync(ct), filter, options.Limit, token.Start);
            // Another gateway may be ahead of this one; nobody is ahead of the store.
            if (token.Revision > feed.Cache.State.Revision && token.Revision > (await feed.FreshAsync(ct)).Revision)
                throw new ApiException(Statuses.Unclassified("etcdserver: mvcc: required revision is a future revision"));
            if (feed.Cache.StateAt(token.Revision) is { } past && past.IsReady)
                return Page(feed.Cache.Layout, past, filter, options.Limit, token.Start);
            return await FromStoreAsync(feed.Cache.Layout, filter, options.Limit, token, ct);
        }

        if (options.ResourceVersion.Length > 0) ListRevision(options.ResourceVersion);
        var state = await FreshEnoughAsync(feed, options.ResourceVersion, ct);
        if (options.ResourceVersionMatch == "Exact")
        {
            var exact = Revision(options.ResourceVersion);
            if (feed.Cache.StateAt(exact) is { } past) return Page(feed.Cache.Layout, past, filter, options.Limit, "");
            return await FromStoreAsync(feed.Cache.Layout, filter, options.Limit, new ContinueToken(exact, ""), ct);
        }

        return Page(feed.Cache.Layout, state, filter, options.Limit, "");
    }

    /// <summary>The cache's state, as fresh as a resourceVersion asks.</summary>
    public static async ValueTask<CacheState> FreshEnoughAsync(CacheFeed feed, string resourceVersion, CancellationToken ct)
    {
        if (resourceVersion.Length == 0) return await feed.FreshAsync(ct);
        var revision = Revision(resourceVersion);
        return revision <= feed.Cache.State.Revision ? feed.Cache.State : await feed.ReachAsync(revision, askProgress: true, ct);
    }

    /// <summary>Selectors, compiled for a cache.</summary>
    /// <exception cref="ApiException">400 when they cannot be read.</exception>
    public static EntryFilter Compile(CacheLayout layout, string? ns, ListOptions options)
    {
        Selector labels;
        FieldSelector fields;
        try
        {
            labels = Selector.Parse(options.LabelSelector);
        }
        catch (FormatException e)
        {
            throw new ApiException(Statuses.BadRequest(e.Message), e);
        }

        try
        {
            fields = FieldSelector.Parse(options.FieldSelector);
        }
        catch (FormatException e)
        {
            throw new ApiException(Statuses.BadRequest(e.Message), e);
        }

        return EntryFilter.Compile(layout, ns, labels, fields);
    }

    /// <summary>A resourceVersion as a number.</summary>
    /// <exception cref="ApiException">500 when it is none: Kubernetes has no class for this one, but where it lists.</exception>
    public static long Revision(string resourceVersion) =>
        TryRevision(resourceVersion, out var revision) ? revision : throw new ApiException(Statuses.Unclassified(NoRevision(resourceVersion)));

    private static long ListRevision(string resourceVersion) =>
        TryRevision(resourceVersion, out var revision) ? revision : throw new ApiException(Statuses.BadRequest("invalid resource version: " + NoRevision(resourceVersion)));

    private static bool TryRevision(string text, out long revision) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out revision);

    private static string NoRevision(string text) =>
        $"resourceVersion: Invalid value: {GoText.Quote(text)}: strconv.ParseUint: parsing {GoText.Quote(text)}: {NotANumber(text)}";

    /// <summary>The resourceVersion of an object that is written.</summary>
    /// <exception cref="ApiException">500 when it is no number: Kubernetes has no class for this one.</exception>
    public static ulong Unsigned(string resourceVersion) =>
        ulong.TryParse(resourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
            ? revision
            : throw new ApiException(Statuses.Unclassified($"strconv.ParseUint: parsing {GoText.Quote(resourceVersion)}: {NotANumber(resourceVersion)}"));

    /// <summary>What Go says of a text that is no unsigned number of 64 bits.</summary>
    private static string NotANumber(string text) => text.Length > 0 && text.All(char.IsAsciiDigit) ? "value out of range" : "invalid syntax";

    private static void Check(ListOptions options)
    {
        if (options.ResourceVersionMatch.Length == 0 && options.SendInitialEvents is null) return;

        var errors = new List<FieldError>();
        if (options.ResourceVersionMatch.Length > 0) CheckMatch(options, errors);
        if (options.SendInitialEvents is not null) errors.Add(FieldError.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        if (errors.Count > 0) throw new ApiException(Statuses.Invalid("meta.k8s.io", "ListOptions", "", errors));
    }

    private static void CheckMatch(ListOptions options, List<FieldError> errors)
    {
        FieldPath path = "resourceVersionMatch";
        if (options.ResourceVersion.Length == 0) errors.Add(FieldError.Forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
        if (options.Continue.Length > 0) errors.Add(FieldError.Forbidden(path, "resourceVersionMatch is forbidden when continue is provided"));
        if (options.ResourceVersionMatch is not ("Exact" or "NotOlderThan")) errors.Add(FieldError.NotSupported(path, options.ResourceVersionMatch, "Exact", "NotOlderThan", ""));
        if (options is { ResourceVersion: "0", ResourceVersionMatch: "Exact" }) errors.Add(FieldError.Forbidden(path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
    }

    private static ListPage Page(CacheLayout layout, CacheState state, EntryFilter filter, long limit, string start)
    {
        var prefix = StorageKeys.Prefix(layout.Resource, filter.Namespace);
        if (filter.Name is { } only && (filter.Namespace is not null || !layout.Resource.Namespaced))
        {
            var found = state.Find(prefix + only);
            return new ListPage(found is not null && filter.Matches(found) ? [found] : [], state.Revision, null, null);
        }

        var (from, to) = state.Range(prefix);
        if (start.Length > 0)
        {
            var at = state.IndexOf(prefix + start);
            from = Math.Max(from, at < 0 ? ~at : at);
        }

        var items = new List<CacheEntry>(limit > 0 ? (int)Math.Min(limit, to - from) : filter.IsSelective ? 4 : Math.Max(0, to - from));
        var next = from;
        foreach (var entry in state.Slice(from, to))
        {
            if (limit > 0 && items.Count == limit) break;
            next++;
            if (filter.Matches(entry)) items.Add(entry);
        }

        if (next >= to) return new ListPage(items, state.Revision, null, null);
        var token = new ContinueToken(state.Revision, state.Entries[next].Key[prefix.Length..]).Encode();
        return new ListPage(items, state.Revision, token, filter.IsSelective || filter.Name is not null ? null : to - next);
    }

    private async ValueTask<ListPage> FromStoreAsync(CacheLayout layout, EntryFilter filter, long limit, ContinueToken token, CancellationToken ct)
    {
        var prefix = StorageKeys.Prefix(layout.Resource, filter.Namespace);
        var items = new List<CacheEntry>();
        var start = prefix + token.Start;
        try
        {
            while (true)
            {
                var page = await storage.ListAsync(prefix, start, limit > 0 ? Math.Min(limit - items.Count, MaxStorePage) : MaxStorePage, token.Revision, ct);
                foreach (var stored in page.Items)
                {
                    var entry = CacheEntry.Create(layout, stored);
                    if (!filter.Matches(entry)) continue;
                    // No cache keeps these: a long page holds them as small as one would.
                    if (items.Count >= WarmEntries.Size) entry.Cool();
                    items.Add(entry);
                }

                if (!page.More) return new ListPage(items, token.Revision, null, null);
                start = page.Items[^1].Key + "\0";
                if (limit == 0 || items.Count < limit) continue;
                long? remaining = filter.IsSelective ? null : page.Count - page.Items.Count;
                return new ListPage(items, token.Revision, new ContinueToken(token.Revision, start[prefix.Length..]).Encode(), remaining);
            }
        }
        catch (RevisionGoneException)
        {
            throw new ApiException(token.Start.Length > 0 ? TooOld(token) : Statuses.Expired("The resourceVersion for the provided list is too old."));
        }
    }

    /// <summary>The Status for a token whose revision is gone; it has another, that goes on with what is there now.</summary>
    private static Mesh.Api.Meta.V1.Status TooOld(ContinueToken token)
    {
        var status = Statuses.Expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in "
            + "this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, "
            + "or deleted between the time the first chunk was returned and now may show up in the list.");
        status.Metadata = new() { Continue = (token with { Revision = ContinueToken.Now }).Encode() };
        return status;
    }
}
