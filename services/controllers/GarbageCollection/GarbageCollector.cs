using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Namespaces;
using Microsoft.Extensions.Logging;

namespace Mesh.Controllers.GarbageCollection;

/// <summary>
/// Deletes objects whose owners are gone, and carries out foreground and orphaning deletions. Feeds of every resource keep an
/// <see cref="OwnerGraph"/>; every object that a change concerns is decided on by <see cref="CollectionDecision"/>, after a fresh
/// read: the graph may lag, and deleting on a stale view would lose data.
/// </summary>
internal sealed class GarbageCollector : IController, IDisposable
{
    private readonly ControllerContext _context;
    private readonly ILogger _logger;
    private readonly OwnerGraph _graph = new();
    private readonly Lock _gate = new();
    private readonly WorkQueue<string> _queue;
    private readonly ReconcileLoop<string> _loop;
    private readonly List<ResourceFeed> _feeds;

    internal GarbageCollector(ControllerContext context, IEnumerable<ApiResource>? resources = null)
    {
        _context = context;
        _logger = context.Loggers.CreateLogger("Mesh.Controllers." + Name);
        _queue = new WorkQueue<string>("garbage_collector_attempt_to_delete", context.Time, metrics: context.Metrics);
        _loop = new ReconcileLoop<string>(_queue, LookAsync, context.Options.Concurrency, _logger);
        var watched = (resources ?? NamespaceContents.Stored(ResourceTable.All))
            .Where(r => r.HasVerb("delete") && r.HasVerb("list") && r.HasVerb("watch") && r is not { Plural: "events" });
        _feeds = [.. watched.Select(r => new ResourceFeed(r, context.Client, (m, gone) => OnChange(r, m, gone), seen => OnReplaced(r, seen), context.Time, _logger))];
    }

    public string Name => "garbage-collector-controller";

    public async Task RunAsync(CancellationToken ct)
    {
        var feeds = _feeds.Select(f => f.RunAsync(ct)).ToList();
        await SyncedAsync(ct).ConfigureAwait(false);
        await _loop.RunAsync(ct).ConfigureAwait(false);
        await Task.WhenAll(feeds).ConfigureAwait(false);
    }

    public void Dispose() => _queue.Dispose();

    /// <summary>Completes when every resource was listed: before that a missing owner may only be unread.</summary>
    internal Task SyncedAsync(CancellationToken ct) => Task.WhenAll(_feeds.Select(f => f.Synced)).WaitAsync(ct);

    private void OnChange(ApiResource resource, ObjectMeta meta, bool gone)
    {
        lock (_gate) Enqueue(gone ? _graph.Remove(meta.Uid ?? "") : _graph.Set(resource, meta));
    }

    private void OnReplaced(ApiResource resource, IReadOnlySet<string> seen)
    {
        lock (_gate)
        {
            foreach (var lost in _graph.Of(resource).Where(n => !seen.Contains(n.Uid)).ToList()) Enqueue(_graph.Remove(lost.Uid));
        }
    }

    private void Enqueue(IEnumerable<GraphNode> nodes)
    {
        foreach (var node in nodes)
        {
            if (_context.Ownership.Owns(new ObjectKey(node.Namespace, node.Name))) _queue.Add(node.Uid);
        }
    }

    private async Task<ReconcileResult> LookAsync(string uid, CancellationToken ct)
    {
        ApiResource resource;
        List<OwnerReference> unknown;
        string? ns;
        string name;
        lock (_gate)
        {
            if (_graph.Find(uid) is not { Exists: true } node) return ReconcileResult.Done;
            (resource, ns, name) = (node.Resource!, node.Namespace, node.Name);
            // The common case after start: every owner is there, nothing waits; no read needed.
            if (!node.WaitsForDependents && !node.Orphans && node.Owners.All(o => _graph.Find(o.Uid!) is { Exists: true, WaitsForDependents: false })) return ReconcileResult.Done;
            unknown = [.. node.Owners.Where(o => _graph.Find(o.Uid!) is not { Exists: true })];
        }

        // Fresh reads outside the lock: the object itself, and owners that the graph does not have.
        var live = await ReadAsync(resource, ns, name, ct).ConfigureAwait(false);
        if (live is null || live.Uid != uid)
        {
            lock (_gate) Enqueue(_graph.Remove(uid));
            return ReconcileResult.Done;
        }

        var dangling = new HashSet<string>(StringComparer.Ordinal);
        foreach (var owner in unknown)
        {
            if (!await OwnerLivesAsync(owner, ns, ct).ConfigureAwait(false)) dangling.Add(owner.Uid!);
        }

        CollectionAction action;
        lock (_gate)
        {
            Enqueue(_graph.Set(resource, live).Where(n => n.Uid != uid));
            if (_graph.Find(uid) is not { Exists: true } node) return ReconcileResult.Done;
            action = CollectionDecision.Decide(node, live.Finalizers, owner => State(owner, dangling));
        }

        if (action is not CollectionAction.None) GcLog.Acting(_logger, resource.QualifiedName, ns, name, action.GetType().Name);
        await ActAsync(resource, live, action, ct).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    private OwnerState State(OwnerReference owner, HashSet<string> dangling)
    {
        if (_graph.Find(owner.Uid!) is { Exists: true } node) return node.WaitsForDependents ? OwnerState.Waiting : OwnerState.Solid;
        return dangling.Contains(owner.Uid!) ? OwnerState.Dangling : OwnerState.Solid;
    }

    private async Task ActAsync(ApiResource resource, ObjectMeta live, CollectionAction action, CancellationToken ct)
    {
        try
        {
            switch (action)
            {
                case CollectionAction.Delete delete:
                    await DeleteAsync(resource, live, delete.Policy, ct).ConfigureAwait(false);
                    break;
                case CollectionAction.BreakCircle:
                    await DeleteAsync(resource, await UnblockOwnersAsync(resource, live, ct).ConfigureAwait(false), "Foreground", ct).ConfigureAwait(false);
                    break;
                case CollectionAction.RemoveOwners remove:
                    await RemoveOwnersAsync(resource, live.Namespace, live.Name!, live.Uid!, remove.Uids, ct).ConfigureAwait(false);
                    break;
                case CollectionAction.FinishForeground:
                    await RemoveFinalizerAsync(resource, live, OwnerGraph.Foreground, ct).ConfigureAwait(false);
                    break;
                case CollectionAction.LookAt look:
                    lock (_gate) Enqueue(look.Dependents);
                    break;
                case CollectionAction.OrphanDependents orphan:
                    foreach (var d in orphan.Dependents.Where(d => d.Exists))
                        await RemoveOwnersAsync(d.Resource!, d.Namespace, d.Name, d.Uid, [live.Uid!], ct).ConfigureAwait(false);
                    await RemoveFinalizerAsync(resource, live, OwnerGraph.Orphan, ct).ConfigureAwait(false);
                    break;
            }
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // gone already
        }
    }

    private Task DeleteAsync(ApiResource resource, ObjectMeta live, string policy, CancellationToken ct)
    {
        var options = new DeleteOptions { PropagationPolicy = policy, Preconditions = new Preconditions { Uid = live.Uid, ResourceVersion = live.ResourceVersion } };
        return _context.Client.DeleteRawAsync(resource, live.Namespace, live.Name!, options, ct);
    }

    private async Task<ObjectMeta> UnblockOwnersAsync(ApiResource resource, ObjectMeta live, CancellationToken ct)
    {
        var blocking = (live.OwnerReferences ?? []).Where(static o => o.BlockOwnerDeletion == true).Select(static o => (JsonNode)new JsonObject { ["uid"] = o.Uid, ["blockOwnerDeletion"] = false });
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = live.Uid, ["ownerReferences"] = new JsonArray([.. blocking]) } };
        var patched = await _context.Client.PatchRawAsync(resource, live.Namespace, live.Name!, PatchType.Strategic, Json.Bytes(patch), ct).ConfigureAwait(false);
        return KubeJson.Deserialize<PartialObjectMetadata>(patched).Metadata;
    }

    private async Task RemoveOwnersAsync(ApiResource resource, string? ns, string name, string uid, IReadOnlyList<string> owners, CancellationToken ct)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["uid"] = uid,
                ["ownerReferences"] = new JsonArray([.. owners.Select(o => (JsonNode)new JsonObject { ["$patch"] = "delete", ["uid"] = o })]),
            },
        };
        try
        {
            await _context.Client.PatchRawAsync(resource, ns, name, PatchType.Strategic, Json.Bytes(patch), ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // gone: it has no owners any more
        }
    }

    private Task RemoveFinalizerAsync(ApiResource resource, ObjectMeta live, string finalizer, CancellationToken ct)
    {
        if (live.Finalizers?.Contains(finalizer) != true) return Task.CompletedTask;
        var rest = live.Finalizers.Where(f => f != finalizer).Select(f => (JsonNode)f);
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = live.ResourceVersion, ["finalizers"] = new JsonArray([.. rest]) } };
        return _context.Client.PatchRawAsync(resource, live.Namespace, live.Name!, PatchType.Merge, Json.Bytes(patch), ct);
    }

    private async Task<bool> OwnerLivesAsync(OwnerReference owner, string? ns, CancellationToken ct)
    {
        var parts = (owner.ApiVersion ?? "").Split('/');
        var (group, version) = parts.Length == 2 ? (parts[0], parts[1]) : ("", parts[0]);
        // Of a kind we do not know we cannot say that it is gone.
        if (ResourceTable.FindKind(group, version, owner.Kind ?? "") is not { } resource) return true;
        if (resource.Namespaced && ns is null) return false; // a cluster-scoped object cannot have an owner inside a namespace
        var live = await ReadAsync(resource, resource.Namespaced ? ns : null, owner.Name ?? "", ct).ConfigureAwait(false);
        return live?.Uid == owner.Uid;
    }

    private async Task<ObjectMeta?> ReadAsync(ApiResource resource, string? ns, string name, CancellationToken ct)
    {
        var list = await _context.Client.ListRawAsync(resource, new ListQuery(ns, FieldSelector: "metadata.name=" + name), ct).ConfigureAwait(false);
        return list.Items.Count == 0 ? null : KubeJson.Deserialize<PartialObjectMetadata>(list.Items[0].Span).Metadata;
    }
}
