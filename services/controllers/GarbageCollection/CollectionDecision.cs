using Mesh.Api.Meta.V1;

namespace Mesh.Controllers.GarbageCollection;

/// <summary>How an owner reference stands.</summary>
internal enum OwnerState
{
    /// <summary>The owner lives.</summary>
    Solid,

    /// <summary>The owner is being deleted in the foreground and waits for this object.</summary>
    Waiting,

    /// <summary>There is no such owner.</summary>
    Dangling,
}

/// <summary>What to do with an object.</summary>
internal abstract record CollectionAction
{
    /// <summary>Leave it alone.</summary>
    internal sealed record None : CollectionAction;

    /// <summary>Delete it, its own dependents by this policy.</summary>
    internal sealed record Delete(string Policy) : CollectionAction;

    /// <summary>Its owner waits for it and it would wait for its owner: it lets its owners go first, and is then deleted in the foreground.</summary>
    internal sealed record BreakCircle : CollectionAction;

    /// <summary>It has a living owner: take the others off.</summary>
    internal sealed record RemoveOwners(IReadOnlyList<string> Uids) : CollectionAction;

    /// <summary>Its deletion in the foreground waited for nothing more: let it go.</summary>
    internal sealed record FinishForeground : CollectionAction;

    /// <summary>Its deletion in the foreground waits for these.</summary>
    internal sealed record LookAt(IReadOnlyList<GraphNode> Dependents) : CollectionAction;

    /// <summary>Take it off its dependents, then let it go.</summary>
    internal sealed record OrphanDependents(IReadOnlyList<GraphNode> Dependents) : CollectionAction;
}

/// <summary>The garbage collector's decision about one object.</summary>
internal static class CollectionDecision
{
    internal static CollectionAction Decide(GraphNode node, IReadOnlyList<string>? finalizers, Func<OwnerReference, OwnerState> state)
    {
        if (node.Orphans) return new CollectionAction.OrphanDependents([.. node.Dependents]);
        if (node.WaitsForDependents)
        {
            var blocking = node.Dependents.Where(d => d.Owners.Any(o => o.Uid == node.Uid && o.BlockOwnerDeletion == true)).ToList();
            return blocking.Count == 0 ? new CollectionAction.FinishForeground() : new CollectionAction.LookAt([.. node.Dependents]);
        }

        if (node.BeingDeleted || node.Owners.Count == 0) return new CollectionAction.None();
        var states = node.Owners.Select(o => (o.Uid, State: state(o))).ToList();
        if (states.Exists(s => s.State == OwnerState.Solid))
        {
            var others = states.Where(s => s.State != OwnerState.Solid).Select(s => s.Uid!).ToList();
            return others.Count == 0 ? new CollectionAction.None() : new CollectionAction.RemoveOwners(others);
        }

        // An owner waits for this object, so this object's own dependents must go first too.
        if (states.Exists(s => s.State == OwnerState.Waiting) && node.Dependents.Count > 0)
            return node.Dependents.Any(static d => d.WaitsForDependents) ? new CollectionAction.BreakCircle() : new CollectionAction.Delete("Foreground");
        if (finalizers?.Contains(OwnerGraph.Orphan) == true) return new CollectionAction.Delete("Orphan");
        if (finalizers?.Contains(OwnerGraph.Foreground) == true) return new CollectionAction.Delete("Foreground");
        return new CollectionAction.Delete("Background");
    }
}
