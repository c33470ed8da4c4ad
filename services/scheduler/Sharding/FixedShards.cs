using Mesh.Client;
using Mesh.Events;

namespace Mesh.Scheduler.Sharding;

/// <summary>Shards set by configuration: the hash of the key modulo their number, the hash that the event bus partitions keys with.</summary>
internal sealed class FixedShards(int shard, int count) : IShardOwnership
{
    /// <inheritdoc/>
    public bool Owns(ObjectKey key) => count <= 1 || EventPartitioner.PartitionOf(key.ToString(), count) == shard;

    /// <inheritdoc/>
    public Task RunAsync(Action changed, CancellationToken ct) => Task.CompletedTask;
}
