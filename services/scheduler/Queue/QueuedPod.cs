using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Queue;

/// <summary>A pod that waits for a node.</summary>
internal sealed class QueuedPod(Pod pod, DateTimeOffset now)
{
    /// <summary>The pod as last seen.</summary>
    public Pod Pod { get; private set; } = pod;

    /// <summary>What decides its place.</summary>
    public PodBlueprint Blueprint { get; private set; } = new(pod);

    /// <summary>Its key.</summary>
    public ObjectKey Key { get; } = ObjectKey.Of(pod);

    /// <summary>Its uid.</summary>
    public string Uid { get; } = pod.Metadata.Uid ?? "";

    /// <summary>When it first came into the queue.</summary>
    public DateTimeOffset Added { get; } = now;

    /// <summary>When it last came into the queue; among equal priorities the earlier goes first.</summary>
    public DateTimeOffset Since { get; set; } = now;

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; set; }

    /// <summary>Which part of the queue it is in.</summary>
    public QueuePart Part { get; set; }

    /// <summary>The earliest next try.</summary>
    public DateTimeOffset BackoffUntil { get; set; }

    /// <summary>Count of moves seen when it was taken out: a later one means the cluster changed during the try.</summary>
    public long MovesAtPop { get; set; }

    /// <summary>While it was tried, a pod that its constraints heed came, changed or went.</summary>
    public bool Disturbed { get; set; }

    /// <summary>Takes a newer version of the pod; true when it may now fit where it did not.</summary>
    public bool Update(Pod pod)
    {
        Pod = pod;
        var blueprint = new PodBlueprint(pod);
        var changed = blueprint.Signature != Blueprint.Signature || !blueprint.Identity.Same(Blueprint.Identity);
        if (changed) Blueprint = blueprint;
        return changed;
    }
}

/// <summary>Parts of the scheduling queue.</summary>
internal enum QueuePart
{
    /// <summary>Out of the queue, being tried.</summary>
    InFlight,

    /// <summary>Ready to be tried.</summary>
    Active,

    /// <summary>Waits for its back-off to end.</summary>
    Backoff,

    /// <summary>Waits for the cluster to change.</summary>
    Unschedulable,

    /// <summary>Held by its scheduling gates.</summary>
    Gated,
}
