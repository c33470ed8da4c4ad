namespace Mesh.Events;

/// <summary>A member of a group on the embedded bus: a position in each partition it owns.</summary>
internal sealed class EmbeddedConsumer(EmbeddedEventBus bus, ConsumerGroup group, EventSubscription subscription) : IEventConsumer
{
    private readonly Dictionary<TopicPartition, long> _positions = [];
    private readonly SemaphoreSlim _wake = new(0, 1);
    private volatile bool _closed;
    private int _turn;

    public EventSubscription Subscription => subscription;

    public IReadOnlyCollection<TopicPartition> Assignment
    {
        get
        {
            lock (bus.Sync) return [.. _positions.Keys];
        }
    }

    public async ValueTask<IReadOnlyList<EventRecord>> ReadAsync(int max, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_closed, this);
            var (records, gaps) = Take(max);
            foreach (var gap in gaps) subscription.Gap?.Invoke(gap);
            if (records.Count > 0) return records;
            await _wake.WaitAsync(cancellationToken);
        }
    }

    public ValueTask<bool> CommitAsync(EventPosition done, CancellationToken cancellationToken = default)
    {
        lock (bus.Sync) return new ValueTask<bool>(group.Commit(this, done));
    }

    public async ValueTask DisposeAsync()
    {
        if (_closed) return;
        await group.LeaveAsync(this);
        _closed = true;
        lock (bus.Sync) Wake();
    }

    /// <summary>Lets a waiting read look again; the bus lock is held.</summary>
    public void Wake()
    {
        if (_wake.CurrentCount == 0) _wake.Release();
    }

    /// <summary>The bus lock is held.</summary>
    public void StartReading(TopicPartition partition, long offset) => _positions[partition] = offset;

    /// <summary>The bus lock is held.</summary>
    public void StopReading(IEnumerable<TopicPartition> partitions)
    {
        foreach (var partition in partitions) _positions.Remove(partition);
    }

    private (List<EventRecord> Records, List<EventGap> Gaps) Take(int max)
    {
        var records = new List<EventRecord>();
        var gaps = new List<EventGap>();
        lock (bus.Sync)
        {
            // Each read begins with another partition, so that a busy one cannot starve the rest.
            var partitions = _positions.Keys.ToArray();
            _turn++;
            for (var i = 0; i < partitions.Length && records.Count < max; i++)
            {
                var partition = partitions[(i + _turn) % partitions.Length];
                var log = bus.Log(partition);
                var offset = _positions[partition];
                if (offset < log.First)
                {
                    gaps.Add(new EventGap(partition, offset, log.First));
                    offset = log.First;
                }
                for (; offset < log.Next && records.Count < max; offset++)
                {
                    var (key, value) = log[offset];
                    records.Add(new EventRecord(new EventPosition(partition, offset), key, value));
                }
                _positions[partition] = offset;
            }
        }
        return (records, gaps);
    }
}
