using Mesh.Client;
using Mesh.Events;

namespace Mesh.Scheduler;

/// <summary>Which pending pods are this shard's. Every shard sees all nodes and all bound pods.</summary>
internal sealed class Shards(int shard, int count)
{
    /// <summary>Whether the shard places this pod: by the hash that the event bus partitions keys with.</summary>
    public bool Owns(ObjectKey key) => count <= 1 || EventPartitioner.PartitionOf(key.ToString(), count) == shard;
}
