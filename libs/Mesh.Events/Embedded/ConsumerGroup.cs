namespace Mesh.Events;

/// <summary>
/// A consumer group: its members in the order they joined, who owns what, what is committed. A rebalance first takes partitions away from
/// members (their callback returns before anything else happens), then gives them to others: no partition ever has two owners.
/// </summary>
internal sealed class ConsumerGroup(EmbeddedEventBus bus) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly List<EmbeddedConsumer> _members = [];
    private readonly Dictionary<TopicPartition, EmbeddedConsumer> _owners = [];
    private readonly Dictionary<TopicPartition, long> _committed = [];

    /// <summary>The owner of a partition; the bus lock is held.</summary>
    public EmbeddedConsumer? Owner(TopicPartition partition) => _owners.GetValueOrDefault(partition);

    /// <summary>Takes a commit from the owner; the bus lock is held.</summary>
    public bool Commit(EmbeddedConsumer member, EventPosition done)
    {
        if (Owner(done.Partition) != member) return false;
        _committed[done.Partition] = done.Offset + 1;
        return true;
    }

    public async Task JoinAsync(EmbeddedConsumer member, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            lock (bus.Sync) _members.Add(member);
            Rebalance();
        }
        finally
        {
            _gate.Release();
        }
    }

    public async Task LeaveAsync(EmbeddedConsumer member)
    {
        await _gate.WaitAsync();
        try
        {
            lock (bus.Sync)
            {
                if (!_members.Remove(member)) return;
            }
            Revoke(member, member.Assignment);
            Rebalance();
        }
        finally
        {
            _gate.Release();
        }
    }

    public async Task CloseAsync()
    {
        EmbeddedConsumer[] members;
        lock (bus.Sync) members = [.. _members];
        foreach (var member in members) await member.DisposeAsync();
    }

    public void Dispose() => _gate.Dispose();

    private void Rebalance()
    {
        Dictionary<EmbeddedConsumer, HashSet<TopicPartition>> target;
        lock (bus.Sync)
            target = PartitionAssignor.Assign([.. _members.Select(m => (m, m.Subscription.Topics))], topic => bus.Topic(topic).Length);
        foreach (var (member, wanted) in target)
            Revoke(member, [.. member.Assignment.Where(p => !wanted.Contains(p))]);
        foreach (var (member, wanted) in target)
        {
            var have = member.Assignment;
            Assign(member, [.. wanted.Where(p => !have.Contains(p)).OrderBy(p => p.Topic, StringComparer.Ordinal).ThenBy(p => p.Partition)]);
        }
    }

    private void Revoke(EmbeddedConsumer member, IReadOnlyCollection<TopicPartition> partitions)
    {
        if (partitions.Count == 0) return;
        // Reading stops first, committing last: the callback may still commit what is done.
        lock (bus.Sync) member.StopReading(partitions);
        member.Subscription.Revoked?.Invoke([.. partitions]);
        lock (bus.Sync)
        {
            foreach (var partition in partitions) _owners.Remove(partition);
        }
    }

    private void Assign(EmbeddedConsumer member, IReadOnlyList<TopicPartition> partitions)
    {
        if (partitions.Count == 0) return;
        member.Subscription.Assigned?.Invoke(partitions);
        lock (bus.Sync)
        {
            foreach (var partition in partitions)
            {
                var log = bus.Log(partition);
                _owners[partition] = member;
                // The first owner's start is the group's: the next owner must not skip what came in between.
                if (!_committed.TryGetValue(partition, out var next))
                    _committed[partition] = next = member.Subscription.Start == EventStart.Earliest ? log.First : log.Next;
                member.StartReading(partition, next);
            }
            member.Wake();
        }
    }
}
