using Mesh.Client;
using Mesh.Events;

namespace Mesh.Controllers.Framework;

/// <summary>
/// Key ownership by partitions of a consumer group: several workers join the same group, the bus gives each partition to one of
/// them, and a key belongs to whoever has its partition. The key's partition is that of its namespace (its name, for
/// cluster-scoped kinds): what is decided together (a service and its pods) is seen by one worker.
/// </summary>
public sealed class BusOwnership : IKeyOwnership, IAsyncDisposable
{
    /// <summary>The topic whose partitions are owned; its events only keep the group alive.</summary>
    public const string Topic = "mesh.controllers";

    private readonly int _partitions;
    private readonly Lock _gate = new();
    private volatile bool[] _owned;
    private IEventConsumer? _consumer;

    private BusOwnership(int partitions) => (_partitions, _owned) = (partitions, new bool[partitions]);

    /// <inheritdoc />
    public event Action? Changed;

    /// <summary>Joins the group.</summary>
    public static async Task<BusOwnership> JoinAsync(IEventBus bus, string group, int partitions, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(bus);
        await bus.EnsureTopicAsync(Topic, partitions, ct).ConfigureAwait(false);
        var ownership = new BusOwnership(partitions);
        var consumer = await bus.SubscribeAsync(
            new EventSubscription
            {
                Group = group,
                Topics = [Topic],
                Start = EventStart.Latest,
                Assigned = ownership.OnAssigned,
                Revoked = ownership.OnRevoked,
            },
            ct).ConfigureAwait(false);
        ownership._consumer = consumer;
        return ownership;
    }

    /// <inheritdoc />
    public bool Owns(ObjectKey key) => _owned[EventPartitioner.PartitionOf(key.Namespace ?? key.Name, _partitions)];

    /// <summary>Reads the topic, which is what keeps a member in the group, until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (!ct.IsCancellationRequested)
            {
                // Every event only says "look again"; the look is cheap and the keys that are not ours are dropped.
                foreach (var last in (await _consumer!.ReadAsync(100, ct).ConfigureAwait(false)).GroupBy(e => e.Position.Partition))
                    await _consumer.CommitAsync(last.Last().Position, ct).ConfigureAwait(false);
                Changed?.Invoke();
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // asked to stop
        }
    }

    /// <summary>Leaves the group; its partitions go to the others at once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_consumer is not null) await _consumer.DisposeAsync().ConfigureAwait(false);
    }

    private void OnAssigned(IReadOnlyList<TopicPartition> partitions)
    {
        Mark(partitions, true);
        Changed?.Invoke(); // what changed while it was another's was dropped here: look at all of it
    }

    private void OnRevoked(IReadOnlyList<TopicPartition> partitions) => Mark(partitions, false);

    private void Mark(IReadOnlyList<TopicPartition> partitions, bool ours)
    {
        lock (_gate)
        {
            var next = (bool[])_owned.Clone();
            foreach (var p in partitions) next[p.Partition] = ours;
            _owned = next;
        }
    }
}
