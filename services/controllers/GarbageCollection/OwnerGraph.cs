using Mesh.Api;
using Mesh.Api.Meta.V1;

namespace Mesh.Controllers.GarbageCollection;

/// <summary>One object in the owner graph: only what collection asks for.</summary>
internal sealed class GraphNode(string uid)
{
    internal string Uid { get; } = uid;

    /// <summary>Null while the object is known only as somebody's owner.</summary>
    internal ApiResource? Resource { get; set; }

    internal string? Namespace { get; set; }

    internal string Name { get; set; } = "";

    internal IReadOnlyList<OwnerReference> Owners { get; set; } = [];

    internal HashSet<GraphNode> Dependents { get; } = [];

    internal bool BeingDeleted { get; set; }

    internal bool WaitsForDependents { get; set; }

    internal bool Orphans { get; set; }

    internal bool Exists => Resource is not null;
}

/// <summary>
/// Who owns whom, kept by events of every resource. Not thread-safe: the collector holds its lock around every call.
/// Each change answers with the objects that deserve a look.
/// </summary>
internal sealed class OwnerGraph
{
    internal const string Foreground = "foregroundDeletion";
    internal const string Orphan = "orphan";
    private readonly Dictionary<string, GraphNode> _nodes = new(StringComparer.Ordinal);

    internal int Count => _nodes.Count;

    internal GraphNode? Find(string uid) => _nodes.GetValueOrDefault(uid);

    /// <summary>The object is there, as the metadata says.</summary>
    internal IEnumerable<GraphNode> Set(ApiResource resource, ObjectMeta meta)
    {
        if (meta.Uid is not { Length: > 0 } uid) return [];
        var look = new List<GraphNode>();
        var node = Node(uid);
        var isNew = !node.Exists;
        (node.Resource, node.Namespace, node.Name) = (resource, meta.Namespace, meta.Name ?? "");

        var owners = meta.OwnerReferences ?? [];
        if (isNew || !SameOwners(node.Owners, owners))
        {
            foreach (var owner in node.Owners) Unlink(owner.Uid!, node, look);
            node.Owners = [.. owners.Where(o => !string.IsNullOrEmpty(o.Uid))];
            foreach (var owner in node.Owners) Node(owner.Uid!).Dependents.Add(node);
            if (node.Owners.Count > 0 && (!isNew || node.Owners.Any(o => Find(o.Uid!) is not { Exists: true, BeingDeleted: false }))) look.Add(node);
        }

        var deleting = meta.DeletionTimestamp is not null;
        var waits = deleting && meta.Finalizers?.Contains(Foreground) == true;
        var orphans = deleting && meta.Finalizers?.Contains(Orphan) == true;
        if (waits && !node.WaitsForDependents)
        {
            look.Add(node);
            look.AddRange(node.Dependents);
        }

        if (orphans && !node.Orphans) look.Add(node);
        (node.BeingDeleted, node.WaitsForDependents, node.Orphans) = (deleting, waits, orphans);
        return look;
    }

    /// <summary>The object is gone: its dependents may be garbage, and owners that wait for it may go on.</summary>
    internal IEnumerable<GraphNode> Remove(string uid)
    {
        if (Find(uid) is not { } node) return [];
        var look = new List<GraphNode>(node.Dependents);
        foreach (var owner in node.Owners) Unlink(owner.Uid!, node, look);
        node.Resource = null;
        node.Owners = [];
        (node.BeingDeleted, node.WaitsForDependents, node.Orphans) = (false, false, false);
        if (node.Dependents.Count == 0) _nodes.Remove(uid);
        return look;
    }

    /// <summary>Every object of a resource; what a fresh list no longer shows is compared with it.</summary>
    internal IEnumerable<GraphNode> Of(ApiResource resource) => _nodes.Values.Where(n => n.Resource == resource);

    private GraphNode Node(string uid)
    {
        if (!_nodes.TryGetValue(uid, out var node)) _nodes[uid] = node = new GraphNode(uid);
        return node;
    }

    private void Unlink(string ownerUid, GraphNode node, List<GraphNode> look)
    {
        if (Find(ownerUid) is not { } owner) return;
        owner.Dependents.Remove(node);
        if (owner.WaitsForDependents) look.Add(owner);
        if (!owner.Exists && owner.Dependents.Count == 0) _nodes.Remove(ownerUid);
    }

    private static bool SameOwners(IReadOnlyList<OwnerReference> a, List<OwnerReference> b) =>
        a.Count == b.Count && a.Zip(b).All(p => p.First.Uid == p.Second.Uid && p.First.BlockOwnerDeletion == p.Second.BlockOwnerDeletion);
}
