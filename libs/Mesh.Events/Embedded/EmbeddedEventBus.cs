namespace Mesh.Events;

/// <summary>Bounds of the embedded bus.</summary>
public sealed record EmbeddedEventBusOptions
{
    /// <summary>Events kept per partition; older ones are dropped and a reader that needed them is told of the gap.</summary>
    public int EventsPerPartition { get; init; } = 4096;
}

/// <summary>
/// The bus in the memory of one process: the default, for standalone and for tests. Partitions are rings, groups live as long as the bus.
/// Locks: a group's rebalance gate is taken before the bus lock, never the other way; callbacks run under the gate and outside the bus lock.
/// </summary>
public sealed class EmbeddedEventBus(EmbeddedEventBusOptions? options = null) : IEventBus
{
    private readonly int _capacity = (options ?? new EmbeddedEventBusOptions()).EventsPerPartition;
    private readonly Dictionary<string, PartitionLog[]> _topics = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConsumerGroup> _groups = new(StringComparer.Ordinal);

    internal Lock Sync { get; } = new();

    /// <inheritdoc/>
    public ValueTask EnsureTopicAsync(string topic, int partitions, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        lock (Sync)
        {
            if (_topics.TryGetValue(topic, out var have))
            {
                return have.Length == partitions
                    ? default
                    : throw new EventBusException($"topic {topic} has {have.Length} partitions, not {partitions}");
            }
            _topics[topic] = [.. Enumerable.Range(0, partitions).Select(_ => new PartitionLog(_capacity))];
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<int> GetPartitionCountAsync(string topic, CancellationToken cancellationToken = default)
    {
        lock (Sync) return new ValueTask<int>(Topic(topic).Length);
    }

    /// <inheritdoc/>
    public ValueTask<EventPosition> PublishAsync(string topic, string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default)
    {
        // The caller may reuse its buffer: the log keeps a copy.
        var bytes = value.ToArray();
        lock (Sync)
        {
            var logs = Topic(topic);
            var partition = new TopicPartition(topic, EventPartitioner.PartitionOf(key, logs.Length));
            var offset = logs[partition.Partition].Append(key, bytes);
            foreach (var group in _groups.Values) group.Owner(partition)?.Wake();
            return new ValueTask<EventPosition>(new EventPosition(partition, offset));
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IEventConsumer> SubscribeAsync(EventSubscription subscription, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        ConsumerGroup? group;
        lock (Sync)
        {
            foreach (var topic in subscription.Topics) Topic(topic);
            if (!_groups.TryGetValue(subscription.Group, out group)) _groups.Add(subscription.Group, group = new ConsumerGroup(this));
        }
        var consumer = new EmbeddedConsumer(this, group, subscription);
        await group.JoinAsync(consumer, cancellationToken);
        return consumer;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        ConsumerGroup[] groups;
        lock (Sync) groups = [.. _groups.Values];
        foreach (var group in groups)
        {
            await group.CloseAsync();
            group.Dispose();
        }
    }

    internal PartitionLog[] Topic(string topic) =>
        _topics.TryGetValue(topic, out var logs) ? logs : throw new EventBusException($"there is no topic {topic}");

    internal PartitionLog Log(TopicPartition partition) => _topics[partition.Topic][partition.Partition];
}
