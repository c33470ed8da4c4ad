namespace Mesh.Events;

/// <summary>
/// A log of keyed events in topics with partitions, read by consumer groups. Within one group each partition belongs to one consumer at a time:
/// that ownership is how shards divide the keys. Events of one key keep their order. Delivery is at least once; an event only says that a
/// key is worth a look. Drivers: <see cref="EmbeddedEventBus"/> (one process, bounded memory) and <see cref="KafkaEventBus"/>.
/// </summary>
public interface IEventBus : IAsyncDisposable
{
    /// <summary>Makes a topic unless it is there.</summary>
    /// <exception cref="EventBusException">The topic has another number of partitions, or the bus cannot be reached.</exception>
    ValueTask EnsureTopicAsync(string topic, int partitions, CancellationToken cancellationToken = default);

    /// <summary>Number of partitions of a topic.</summary>
    /// <exception cref="EventBusException">There is no such topic, or the bus cannot be reached.</exception>
    ValueTask<int> GetPartitionCountAsync(string topic, CancellationToken cancellationToken = default);

    /// <summary>Appends an event to the partition of its key (<see cref="EventPartitioner"/>); complete when the bus has taken it.</summary>
    /// <returns>Where it is.</returns>
    /// <exception cref="EventBusException">The bus did not take it; it may be there all the same.</exception>
    ValueTask<EventPosition> PublishAsync(string topic, string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default);

    /// <summary>Joins a consumer group. Partitions are assigned some time after, see <see cref="EventSubscription.Assigned"/>.</summary>
    ValueTask<IEventConsumer> SubscribeAsync(EventSubscription subscription, CancellationToken cancellationToken = default);
}

/// <summary>A member of a consumer group. Reads are by one caller at a time; disposing leaves the group and frees its partitions at once.</summary>
public interface IEventConsumer : IAsyncDisposable
{
    /// <summary>The partitions this member owns now.</summary>
    IReadOnlyCollection<TopicPartition> Assignment { get; }

    /// <summary>Waits for events of owned partitions.</summary>
    /// <returns>At least one event, at most <paramref name="max"/>; of each partition in order.</returns>
    /// <exception cref="EventBusException">The bus is lost for good.</exception>
    ValueTask<IReadOnlyList<EventRecord>> ReadAsync(int max, CancellationToken cancellationToken = default);

    /// <summary>Says that a partition's events up to and including this one are done; the group goes on after it.</summary>
    /// <returns>False when the partition belongs to another member by now (the commit is not taken).</returns>
    ValueTask<bool> CommitAsync(EventPosition done, CancellationToken cancellationToken = default);
}

/// <summary>How a consumer joins.</summary>
public sealed record EventSubscription
{
    /// <summary>Name of the consumer group.</summary>
    public required string Group { get; init; }

    /// <summary>The topics; topics with the same number of partitions are assigned alike (partition 3 of one goes where partition 3 of the other goes).</summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary>Where a partition without a commit starts.</summary>
    public EventStart Start { get; init; } = EventStart.Earliest;

    /// <summary>Called when partitions come, before their first event is read. Short; never concurrently with itself or <see cref="Revoked"/>.</summary>
    public Action<IReadOnlyList<TopicPartition>>? Assigned { get; init; }

    /// <summary>Called when partitions go; another member gets them only after this has returned (unless this one was lost: silent past its session).</summary>
    public Action<IReadOnlyList<TopicPartition>>? Revoked { get; init; }

    /// <summary>Called when events were dropped before this consumer came to them: look at everything in the partition.</summary>
    public Action<EventGap>? Gap { get; init; }
}

/// <summary>Where reading starts.</summary>
public enum EventStart
{
    /// <summary>At the oldest event there is.</summary>
    Earliest,
    /// <summary>At the events published from now on.</summary>
    Latest,
}

/// <summary>A partition of a topic.</summary>
public readonly record struct TopicPartition(string Topic, int Partition)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Topic}/{Partition}";
}

/// <summary>Place of an event: offsets of a partition grow from 0.</summary>
public readonly record struct EventPosition(TopicPartition Partition, long Offset);

/// <summary>An event.</summary>
/// <param name="Position">Where it is.</param>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its bytes.</param>
public readonly record struct EventRecord(EventPosition Position, string Key, ReadOnlyMemory<byte> Value);

/// <summary>Events that are gone: offsets from <paramref name="From"/> up to and not including <paramref name="To"/>.</summary>
public readonly record struct EventGap(TopicPartition Partition, long From, long To);

/// <summary>The bus failed or refused.</summary>
public sealed class EventBusException : Exception
{
    /// <summary>Says what failed.</summary>
    public EventBusException(string message)
        : base(message)
    {
    }

    /// <summary>Says what failed and why.</summary>
    public EventBusException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
