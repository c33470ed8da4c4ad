using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Meta.V1;


namespace Mesh.Client.Testing;

/// <summary>One write the fake saw: "create", "update", "update/status", "patch", "delete", "bind" and what it was about.</summary>
public sealed record FakeAction(string Verb, string Resource, string? Namespace, string Name);

/// <summary>
/// A model of the API in memory: resourceVersions and conflicts, generateName, generation, spec and status isolation,
/// finalizers and deletionTimestamp, selectors, merge and JSON patches, watches that replay, 410 after <see cref="Compact"/>.
/// It does not default, validate, authorize or collect garbage. Failures are injected by <see cref="Refuse"/>.
/// </summary>
public sealed class FakeKubeClient(TimeProvider? time = null) : IKubeClient
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly FakeObjects _objects = new(time ?? TimeProvider.System);
    private readonly List<FakeAction> _actions = [];
    private int _generated;

    /// <summary>Asked before every call; a Status refuses it.</summary>
    public Func<FakeAction, Status?>? Refuse { get; set; }

    /// <summary>Whether watches answer sendInitialEvents, or refuse it as an old server does.</summary>
    public bool StreamingLists { get; set; } = true;

    /// <summary>All writes that succeeded so far.</summary>
    public IReadOnlyList<FakeAction> Actions
    {
        get
        {
            lock (_objects.Gate) return [.. _actions];
        }
    }

    /// <summary>Open watches are ended as a lost connection ends them.</summary>
    public void BreakWatches() => _objects.BreakWatches();

    /// <summary>Old revisions are gone: watches from them answer 410.</summary>
    public void Compact()
    {
        lock (_objects.Gate) _objects.Compact();
    }

    /// <summary>Puts an object there as it is, status included: the start of a test.</summary>
    public T Seed<T>(T obj)
        where T : class, IKubeObject<T>
    {
        lock (_objects.Gate)
        {
            var json = FakeObjects.Json(obj);
            var old = _objects.Find(T.Resource, obj.Metadata.Namespace, obj.Metadata.Name!);
            if (old is null) return FakeObjects.Typed<T>(_objects.Insert(T.Resource, json));
            foreach (var kept in (string[])["uid", "creationTimestamp", "generation"]) FakeObjects.Meta(json)[kept] ??= FakeObjects.Meta(old)[kept]?.DeepClone();
            return FakeObjects.Typed<T>(_objects.Put(T.Resource, old, json));
        }
    }

    /// <summary>The object now, or null.</summary>
    public T? Find<T>(string? ns, string name)
        where T : class, IKubeObject<T>
    {
        lock (_objects.Gate) return _objects.Find(T.Resource, ns, name) is { } obj ? FakeObjects.Typed<T>(obj) : null;
    }

    /// <summary>All objects of the kind now.</summary>
    public IReadOnlyList<T> All<T>(string? ns = null)
        where T : class, IKubeObject<T>
    {
        lock (_objects.Gate)
        {
            var query = new ListQuery(ns);
            return [.. _objects.Of(T.Resource).Where(o => FakeObjects.Matches(o, query)).Select(FakeObjects.Typed<T>)];
        }
    }

    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken ct = default)
        where T : class, IKubeObject<T> => Run("get", T.Resource, ns, name, () => FakeObjects.Typed<T>(Need(T.Resource, ns, name)), ct);

    public Task<KubeList<T>> ListAsync<T>(ListQuery query, CancellationToken ct = default)
        where T : class, IKubeObject<T> => Run("list", T.Resource, query.Namespace, "", () => List(T.Resource, query, FakeObjects.Typed<T>), ct);

    public Task<KubeList<ReadOnlyMemory<byte>>> ListRawAsync(ApiResource resource, ListQuery query, CancellationToken ct = default) =>
        Run("list", resource, query.Namespace, "", () => List(resource, query, o => (ReadOnlyMemory<byte>)FakeObjects.Bytes(o)), ct);

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(ListQuery query, bool sendInitialEvents, CancellationToken ct = default)
        where T : class, IKubeObject<T> => WatchCoreAsync(T.Resource, query, sendInitialEvents, FakeObjects.Typed<T>, ct);

    public IAsyncEnumerable<WatchEvent<byte[]>> WatchRawAsync(ApiResource resource, ListQuery query, bool sendInitialEvents, CancellationToken ct = default) =>
        WatchCoreAsync(resource, query, sendInitialEvents, FakeObjects.Bytes, ct);

    private async IAsyncEnumerable<WatchEvent<T>> WatchCoreAsync<T>(
        ApiResource resource, ListQuery query, bool sendInitialEvents, Func<JsonObject, T> read, [EnumeratorCancellation] CancellationToken ct)
    {
        if (sendInitialEvents && !StreamingLists) throw Statuses.BadRequest("sendInitialEvents is forbidden for watch").ToException();
        Check("watch", resource, query.Namespace, "");
        List<WatchEvent<T>> initial = [];
        System.Threading.Channels.Channel<FakeChange> changes;
        lock (_objects.Gate)
        {
            var from = sendInitialEvents || string.IsNullOrEmpty(query.ResourceVersion) ? _objects.Revision : long.Parse(query.ResourceVersion);
            if (from < _objects.CompactedTo) throw Statuses.Expired($"too old resource version: {from} ({_objects.CompactedTo})").ToException();
            if (sendInitialEvents)
            {
                initial.AddRange(_objects.Of(resource).Where(o => FakeObjects.Matches(o, query)).Select(o => Event(WatchEventType.Added, o, read)));
                initial.Add(new WatchEvent<T>(WatchEventType.Bookmark, default, _objects.Revision.ToString(), true));
            }

            changes = _objects.Subscribe(from);
        }

        try
        {
            foreach (var e in initial) yield return e;
            await foreach (var change in changes.Reader.ReadAllAsync(ct).ConfigureAwait(false))
            {
                if (change.Resource.Plural != resource.Plural || change.Resource.Group != resource.Group) continue;
                var was = change.Old is { } old && FakeObjects.Matches(old, query);
                var now = change.Now is { } obj && FakeObjects.Matches(obj, query);
                if (now) yield return Event(was ? WatchEventType.Modified : WatchEventType.Added, change.Now!, read);
                else if (was) yield return Event(WatchEventType.Deleted, change.Old!, read) with { ResourceVersion = change.Revision.ToString() };
            }
        }
        finally
        {
            _objects.Unsubscribe(changes);
        }
    }

    public Task<T> CreateAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T>
    {
        var json = FakeObjects.Json(obj);
        var meta = FakeObjects.Meta(json);
        if (string.IsNullOrEmpty(obj.Metadata.Name) && obj.Metadata.GenerateName is { } prefix)
            meta["name"] = prefix + Interlocked.Increment(ref _generated).ToString("00000");
        var name = meta["name"]?.ToString() ?? "";
        return Run("create", T.Resource, obj.Metadata.Namespace, name, () =>
        {
            if (_objects.Find(T.Resource, obj.Metadata.Namespace, name) is not null) throw Statuses.AlreadyExists(T.Resource, name).ToException();
            return FakeObjects.Typed<T>(_objects.Insert(T.Resource, json));
        }, ct);
    }

    public Task<T> UpdateAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T> => Run(
            "update", T.Resource, obj.Metadata.Namespace, obj.Metadata.Name!, () => FakeObjects.Typed<T>(Replace(T.Resource, FakeObjects.Json(obj), status: false)), ct);

    public Task<T> UpdateStatusAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T> => Run(
            "update/status", T.Resource, obj.Metadata.Namespace, obj.Metadata.Name!, () => FakeObjects.Typed<T>(Replace(T.Resource, FakeObjects.Json(obj), status: true)), ct);

    public Task<byte[]> CreateSubresourceAsync<T>(string? ns, string name, string subresource, ReadOnlyMemory<byte> body, CancellationToken ct = default)
        where T : class, IKubeObject<T> => Run("create/" + subresource, T.Resource, ns, name, () =>
        {
            var obj = Need(T.Resource, ns, name);
            if (subresource == "eviction") DeleteLocked(T.Resource, obj, null);
            return body.ToArray();
        }, ct);

    public Task<byte[]> UpdateSubresourceAsync<T>(string? ns, string name, string subresource, ReadOnlyMemory<byte> body, CancellationToken ct = default)
        where T : class, IKubeObject<T> => Run("update/" + subresource, T.Resource, ns, name, () =>
        {
            var old = Need(T.Resource, ns, name);
            if (subresource == "scale")
            {
                var scaled = old.DeepClone().AsObject();
                scaled["spec"]!["replicas"] = FakeObjects.Parse(body.Span)["spec"]?["replicas"]?.DeepClone();
                return FakeObjects.Bytes(Store(T.Resource, old, scaled));
            }

            var next = FakeObjects.Parse(body.Span);
            if (subresource == "finalize" && FakeObjects.Meta(old)["deletionTimestamp"] is not null
                && next["spec"]?["finalizers"] is not JsonArray { Count: > 0 })
            {
                _objects.Remove(T.Resource, old);
                return FakeObjects.Bytes(next);
            }

            return FakeObjects.Bytes(Store(T.Resource, old, next));
        }, ct);

    public Task<T> PatchAsync<T>(string? ns, string name, PatchType type, ReadOnlyMemory<byte> patch, string? subresource = null, CancellationToken ct = default)
        where T : class, IKubeObject<T> => Run(
            subresource is null ? "patch" : "patch/" + subresource, T.Resource, ns, name, () => FakeObjects.Typed<T>(Patch(T.Resource, ns, name, type, patch)), ct);

    public Task<byte[]> PatchRawAsync(
        ApiResource resource, string? ns, string name, PatchType type, ReadOnlyMemory<byte> patch, CancellationToken ct = default) =>
        Run("patch", resource, ns, name, () => FakeObjects.Bytes(Patch(resource, ns, name, type, patch)), ct);

    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options = null, CancellationToken ct = default)
        where T : class, IKubeObject<T> => DeleteRawAsync(T.Resource, ns, name, options, ct);

    public Task DeleteRawAsync(ApiResource resource, string? ns, string name, DeleteOptions? options = null, CancellationToken ct = default) =>
        Run("delete", resource, ns, name, () =>
        {
            DeleteLocked(resource, Need(resource, ns, name), options);
            return true;
        }, ct);

    public Task<IReadOnlyList<Status?>> BindAsync(IReadOnlyList<PodBinding> bindings, CancellationToken ct = default) =>
        Task.FromResult<IReadOnlyList<Status?>>([.. bindings.Select(BindOne)]);

    private Status? BindOne(PodBinding b)
    {
        var pods = ResourceTable.Find("", "v1", "pods")!;
        try
        {
            Check("bind", pods, b.Namespace, b.Pod);
            lock (_objects.Gate)
            {
                var old = Need(pods, b.Namespace, b.Pod);
                if (!string.IsNullOrEmpty(b.Uid) && FakeObjects.Meta(old)["uid"]?.ToString() != b.Uid) return Statuses.Conflict(pods, b.Pod);
                if (old["spec"]?["nodeName"]?.ToString() is { Length: > 0 } node) return Statuses.Conflict(pods, b.Pod, $"pod {b.Pod} is already assigned to node \"{node}\"");
                var next = old.DeepClone().AsObject();
                next["spec"] ??= new JsonObject();
                next["spec"]!["nodeName"] = b.Node;
                _objects.Put(pods, old, next);
                _actions.Add(new FakeAction("bind", "pods", b.Namespace, b.Pod));
                return null;
            }
        }
        catch (ApiException e)
        {
            return e.Status;
        }
    }

    private Task<TResult> Run<TResult>(string verb, ApiResource resource, string? ns, string name, Func<TResult> act, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        try
        {
            Check(verb, resource, ns, name);
            lock (_objects.Gate)
            {
                var result = act();
                if (verb is not ("get" or "list")) _actions.Add(new FakeAction(verb, resource.Plural, ns, name));
                return Task.FromResult(result);
            }
        }
        catch (ApiException e)
        {
            return Task.FromException<TResult>(e);
        }
    }

    private void Check(string verb, ApiResource resource, string? ns, string name)
    {
        if (Refuse?.Invoke(new FakeAction(verb, resource.Plural, ns, name)) is { } status) throw status.ToException();
    }

    private JsonObject Need(ApiResource r, string? ns, string name) => _objects.Find(r, ns, name) ?? throw Statuses.NotFound(r, name).ToException();

    private KubeList<TItem> List<TItem>(ApiResource r, ListQuery query, Func<JsonObject, TItem> read)
    {
        var all = _objects.Of(r).Where(o => FakeObjects.Matches(o, query)).Select(read).ToList();
        var start = query.Continue is { } token ? int.Parse(token) : 0;
        var end = query.Limit > 0 ? Math.Min(all.Count, start + (int)query.Limit) : all.Count;
        return new KubeList<TItem>(all[start..end], _objects.Revision.ToString(), end < all.Count ? end.ToString() : null);
    }

    private JsonObject Replace(ApiResource r, JsonObject sent, bool status)
    {
        var meta = FakeObjects.Meta(sent);
        var old = Need(r, meta["namespace"]?.ToString(), meta["name"]!.ToString());
        var version = meta["resourceVersion"]?.ToString();
        if (!string.IsNullOrEmpty(version) && version != FakeObjects.Meta(old)["resourceVersion"]?.ToString())
            throw Statuses.Conflict(r, meta["name"]!.ToString()).ToException();
        JsonObject next;
        if (status)
        {
            next = old.DeepClone().AsObject();
            next["status"] = sent["status"]?.DeepClone();
        }
        else
        {
            next = sent;
            if (r.Subresources.Any(s => s.Name == "status"))
            {
                next.Remove("status");
                if (old["status"] is { } kept) next["status"] = kept.DeepClone();
            }
        }

        return Store(r, old, next);
    }

    private JsonObject Patch(ApiResource r, string? ns, string name, PatchType type, ReadOnlyMemory<byte> patch)
    {
        var old = Need(r, ns, name);
        var body = JsonNode.Parse(patch.Span);
        if (type != PatchType.Json && body?["metadata"]?["resourceVersion"]?.ToString() is { } version
            && version != FakeObjects.Meta(old)["resourceVersion"]?.ToString()) throw Statuses.Conflict(r, name).ToException();
        if (body?["metadata"]?["uid"]?.ToString() is { } uid && uid != FakeObjects.Meta(old)["uid"]?.ToString())
            throw Statuses.Conflict(r, name, "the UID in the precondition does not match").ToException();
        var next = FakePatches.Apply(old.DeepClone().AsObject(), type, patch.Span);
        return Store(r, old, next);
    }

    private JsonObject Store(ApiResource r, JsonObject old, JsonObject next)
    {
        var (was, meta) = (FakeObjects.Meta(old), FakeObjects.Meta(next));
        foreach (var kept in (string[])["uid", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion"])
        {
            meta.Remove(kept);
            if (was[kept] is { } value) meta[kept] = value.DeepClone();
        }

        if (JsonNode.DeepEquals(old, next)) return old;
        if (!JsonNode.DeepEquals(old["spec"], next["spec"])) meta["generation"] = (was["generation"]?.GetValue<long>() ?? 0) + 1;
        if (meta["deletionTimestamp"] is not null && meta["finalizers"] is not JsonArray { Count: > 0 } && next["spec"]?["finalizers"] is not JsonArray { Count: > 0 }
            && meta["deletionGracePeriodSeconds"]?.GetValue<long>() is null or 0)
        {
            _objects.Remove(r, next);
            return next;
        }

        return _objects.Put(r, old, next);
    }

    private void DeleteLocked(ApiResource r, JsonObject old, DeleteOptions? options)
    {
        var meta = FakeObjects.Meta(old);
        var name = meta["name"]!.ToString();
        if (options?.Preconditions?.Uid is { } uid && uid != meta["uid"]?.ToString())
            throw Statuses.Conflict(r, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta["uid"]}").ToException();
        if (options?.Preconditions?.ResourceVersion is { } version && version != meta["resourceVersion"]?.ToString())
            throw Statuses.Conflict(r, name, $"Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {meta["resourceVersion"]}").ToException();
        var next = old.DeepClone().AsObject();
        var finalizers = FakeObjects.Meta(next)["finalizers"] as JsonArray ?? [];
        if (options?.PropagationPolicy is "Foreground" or "Orphan")
        {
            var finalizer = options.PropagationPolicy == "Foreground" ? "foregroundDeletion" : "orphan";
            if (!finalizers.Any(f => f!.ToString() == finalizer)) finalizers.Add(finalizer);
            FakeObjects.Meta(next)["finalizers"] = finalizers.DeepClone();
        }

        // A pod on a node stays until its node agent has stopped it, unless the grace period is zero.
        var grace = r is { Group: "", Plural: "pods" } && !string.IsNullOrEmpty(old["spec"]?["nodeName"]?.ToString())
            && old["status"]?["phase"]?.ToString() is not ("Succeeded" or "Failed")
            ? options?.GracePeriodSeconds ?? 30 : 0;
        var held = finalizers.Count > 0 || (r is { Group: "", Plural: "namespaces" } && next["spec"]?["finalizers"] is JsonArray { Count: > 0 });
        if (!held && grace == 0)
        {
            _objects.Remove(r, old);
            return;
        }

        if (FakeObjects.Meta(next)["deletionTimestamp"] is not null && JsonNode.DeepEquals(old, next)) return;
        FakeObjects.Meta(next)["deletionTimestamp"] ??= KubeTime.Format(_time.GetUtcNow().UtcDateTime.AddSeconds(grace));
        if (r is { Group: "", Plural: "pods" }) FakeObjects.Meta(next)["deletionGracePeriodSeconds"] = grace;
        if (r is { Group: "", Plural: "namespaces" })
        {
            next["status"] ??= new JsonObject();
            next["status"]!["phase"] = "Terminating";
        }

        _objects.Put(r, old, next);
    }

    private static WatchEvent<T> Event<T>(WatchEventType type, JsonObject obj, Func<JsonObject, T> read) =>
        new(type, read(obj), FakeObjects.Meta(obj)["resourceVersion"]!.ToString(), false);
}
