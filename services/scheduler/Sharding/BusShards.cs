using Mesh.Client;
using Mesh.Events;
using Microsoft.Extensions.Logging;

namespace Mesh.Scheduler.Sharding;

/// <summary>
/// Shards are the members of a consumer group: whoever owns a partition of the topic places the pods whose keys fall into it. Members
/// come and go, the bus divides anew. The events themselves say nothing that the informer does not.
/// </summary>
internal sealed class BusShards(IEventBus bus, string topic, int partitions, string group, TimeProvider time, ILogger logger) : IShardOwnership
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private volatile bool[] _owned = new bool[partitions];

    /// <inheritdoc/>
    public bool Owns(ObjectKey key)
    {
        var owned = _owned;
        return owned[EventPartitioner.PartitionOf(key.ToString(), owned.Length)];
    }

    /// <inheritdoc/>
    public async Task RunAsync(Action changed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await bus.EnsureTopicAsync(topic, partitions, ct);
                await using var consumer = await bus.SubscribeAsync(
                    new EventSubscription
                    {
                        Group = group,
                        Topics = [topic],
                        Start = EventStart.Latest,
                        Assigned = p => Set(p, true, changed),
                        Revoked = p => Set(p, false, changed),
                    },
                    ct);
                while (true)
                {
                    var events = await consumer.ReadAsync(1024, ct);
                    foreach (var last in events.GroupBy(e => e.Position.Partition).Select(g => g.Last())) await consumer.CommitAsync(last.Position, ct);
                }
            }
            catch (EventBusException e)
            {
                Log.BusLost(logger, e.Message);
                Set([.. Enumerable.Range(0, partitions).Select(i => new TopicPartition(topic, i))], false, changed);
                await Task.Delay(RetryAfter, time, ct);
            }
        }
    }

    private void Set(IReadOnlyList<TopicPartition> changedPartitions, bool own, Action changed)
    {
        lock (_lock)
        {
            var owned = (bool[])_owned.Clone();
            foreach (var partition in changedPartitions) owned[partition.Partition] = own;
            _owned = owned;
            Log.Owned(logger, owned.Count(o => o), owned.Length);
        }

        changed();
    }
}
