using Mesh.Client;

namespace Mesh.Scheduler.Sharding;

/// <summary>Which pending pods this shard places. Every shard sees all nodes and all bound pods; the gateway checks room when they bind.</summary>
internal interface IShardOwnership
{
    /// <summary>Whether the shard places this pod.</summary>
    bool Owns(ObjectKey key);

    /// <summary>Follows the ownership until cancelled; changed is called after each change, and has returned before others take over what was lost.</summary>
    Task RunAsync(Action changed, CancellationToken ct);
}
