using Mesh.Api;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>What the factory needs of an informer without knowing its kind.</summary>
internal interface IRunnableInformer
{
    Task Synced { get; }

    Task RunAsync(CancellationToken ct);
}

/// <summary>
/// Keeps an <see cref="ObjectStore{T}"/> true and tells the handlers the differences.
/// </summary>
/// <remarks>
/// 1. No revision known: watch with sendInitialEvents and collect until the bookmark that ends them; a server that refuses
///    that gets a list, then a watch. Either way the full set replaces the cache and the differences are handed out.
/// 2. Then every event changes the cache and goes to the handlers; its revision is remembered.
/// 3. The watch ended: again from the remembered revision. 410: forget the revision, back to 1. Other failures: wait, then again.
/// Lock order: _dispatch, then the store's. Handlers run under _dispatch, so a late handler sees a consistent start.
/// </remarks>
internal sealed class Informer<T> : IInformer<T>, IRunnableInformer
    where T : class, IKubeObject<T>
{
    private readonly IKubeClient _client;
    private readonly ListQuery _scope;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Backoff _backoff;
    private readonly ObjectStore<T> _store = new();
    private readonly Lock _dispatch = new();
    private readonly List<Action<T?, T?>> _handlers = [];
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _revision;
    private bool _listInstead;

    internal Informer(IKubeClient client, ListQuery scope, TimeProvider time, Random random, ILogger logger)
    {
        (_client, _scope, _time, _logger) = (client, scope, time, logger);
        _backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), random);
    }

    public ILister<T> Lister => _store;

    public Task Synced => _synced.Task;

    public void AddIndex(string name, Func<T, IEnumerable<string>> values) => _store.AddIndex(name, values);

    public void AddHandler(Action<T?, T?> handler)
    {
        lock (_dispatch)
        {
            foreach (var obj in _store.List()) Call(handler, null, obj);
            _handlers.Add(handler);
        }
    }

    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await OnceAsync(ct).ConfigureAwait(false);
                _backoff.Reset();
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException e) when (e.Status.Code == 410)
            {
                ClientLog.WatchExpired(_logger, T.Resource.Plural, _revision ?? "");
                if (_revision is null) await WaitAsync(e, ct).ConfigureAwait(false); // a server that expires lists must not spin us
                _revision = null;
            }
            catch (ApiException e) when (_revision is null && !_listInstead && e.Status.Code is 400 or 422)
            {
                _listInstead = true;
            }
            catch (Exception e)
            {
                await WaitAsync(e, ct).ConfigureAwait(false);
            }
        }
    }

    private async Task WaitAsync(Exception error, CancellationToken ct)
    {
        var delay = _backoff.Next();
        ClientLog.WatchBroke(_logger, T.Resource.Plural, delay, error.Message);
        await Task.Delay(delay, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task OnceAsync(CancellationToken ct)
    {
        if (_revision is null && _listInstead) await ListAsync(ct).ConfigureAwait(false);
        var initial = _revision is null ? new Dictionary<ObjectKey, T>() : null;
        await foreach (var e in _client.WatchAsync<T>(_scope with { ResourceVersion = _revision, OmitManagedFields = true }, initial is not null, ct).ConfigureAwait(false))
        {
            _backoff.Reset();
            if (initial is not null)
            {
                if (e.Object is { } obj && e.Type is not WatchEventType.Bookmark)
                {
                    if (e.Type == WatchEventType.Deleted) initial.Remove(ObjectKey.Of(obj));
                    else initial[ObjectKey.Of(obj)] = Lean(obj);
                }

                if (!e.InitialEventsEnd) continue;
                Replace(initial, e.ResourceVersion);
                initial = null;
                continue;
            }

            Apply(e);
        }
    }

    private async Task ListAsync(CancellationToken ct)
    {
        var all = new Dictionary<ObjectKey, T>();
        var query = _scope with { Limit = 500, OmitManagedFields = true };
        while (true)
        {
            var page = await _client.ListAsync<T>(query, ct).ConfigureAwait(false);
            foreach (var obj in page.Items) all[ObjectKey.Of(obj)] = Lean(obj);
            if (string.IsNullOrEmpty(page.Continue))
            {
                Replace(all, page.ResourceVersion);
                return;
            }

            query = query with { Continue = page.Continue };
        }
    }

    private void Replace(Dictionary<ObjectKey, T> all, string revision)
    {
        lock (_dispatch)
        {
            foreach (var old in _store.List())
            {
                if (all.TryGetValue(ObjectKey.Of(old), out var now) && now.Metadata.Uid == old.Metadata.Uid) continue;
                _store.Remove(old.Metadata.Namespace, old.Metadata.Name!);
                Notify(old, null);
            }

            foreach (var obj in all.Values)
            {
                var old = _store.Get(obj.Metadata.Namespace, obj.Metadata.Name!);
                if (old is not null && old.Metadata.ResourceVersion == obj.Metadata.ResourceVersion) continue;
                _store.Set(obj);
                Notify(old, obj);
            }

            _revision = revision;
        }

        ClientLog.CacheSynced(_logger, T.Resource.Plural, all.Count, revision);
        _synced.TrySetResult();
    }

    private void Apply(WatchEvent<T> e)
    {
        lock (_dispatch)
        {
            switch (e)
            {
                case { Type: WatchEventType.Added or WatchEventType.Modified, Object: { } obj }:
                    Notify(_store.Set(Lean(obj)), obj);
                    break;
                case { Type: WatchEventType.Deleted, Object: { } obj }:
                    // The event carries the last state, which may be newer than the cache's.
                    if (_store.Remove(obj.Metadata.Namespace, obj.Metadata.Name!) is not null) Notify(Lean(obj), null);
                    break;
            }

            if (!string.IsNullOrEmpty(e.ResourceVersion)) _revision = e.ResourceVersion;
        }
    }

    private void Notify(T? old, T? now)
    {
        foreach (var handler in _handlers) Call(handler, old, now);
    }

    private void Call(Action<T?, T?> handler, T? old, T? now)
    {
        try
        {
            handler(old, now);
        }
        catch (Exception e)
        {
            // One broken handler must not blind the others, nor end the watch.
            ClientLog.HandlerFailed(_logger, e, T.Resource.Plural);
        }
    }

    /// <summary>Drops what no reader of a cache uses and is often half of an object; an update without managedFields keeps the server's.</summary>
    private static T Lean(T obj)
    {
        obj.Metadata.ManagedFields = null;
        if (obj.Metadata.Namespace is { Length: > 0 } ns) obj.Metadata.Namespace = string.Intern(ns);
        return obj;
    }
}
