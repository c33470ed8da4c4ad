using System.Text;
using Confluent.Kafka;

namespace Mesh.Events;

/// <summary>
/// A Kafka group member. librdkafka wants to be polled, and calls back from inside the poll: one thread of this class does nothing else. It fills
/// a bounded queue (pausing the fetch when the reader is behind) and drops what is queued of partitions that are taken away.
/// </summary>
internal sealed class KafkaConsumer : IEventConsumer
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(200);

    private readonly EventSubscription _subscription;
    private readonly KafkaEventBusOptions _options;
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly Lock _lock = new();
    private readonly Queue<EventRecord> _queue = new();
    private readonly List<EventGap> _gaps = [];
    // Owned partitions and the offset expected next; -1 while it is not known.
    private readonly Dictionary<TopicPartition, long> _owned = [];
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _closing;
    private volatile EventBusException? _failure;
    private bool _paused;

    public KafkaConsumer(ConsumerConfig config, EventSubscription subscription, KafkaEventBusOptions options)
    {
        _subscription = subscription;
        _options = options;
        _consumer = new ConsumerBuilder<byte[], byte[]>(config)
            .SetLogHandler(static (_, _) => { })
            .SetPartitionsAssignedHandler((_, partitions) => OnAssigned(partitions))
            .SetPartitionsRevokedHandler((_, partitions) => OnRevoked([.. partitions.Select(p => Ours(p.TopicPartition))]))
            .SetPartitionsLostHandler((_, partitions) => OnRevoked([.. partitions.Select(p => Ours(p.TopicPartition))]))
            .SetErrorHandler((_, error) =>
            {
                if (error.IsFatal) Fail(error.Reason);
            })
            .Build();
        _consumer.Subscribe(subscription.Topics);
        new Thread(Poll) { IsBackground = true, Name = "kafka-" + subscription.Group }.Start();
    }

    public IReadOnlyCollection<TopicPartition> Assignment
    {
        get
        {
            lock (_lock) return [.. _owned.Keys];
        }
    }

    public async ValueTask<IReadOnlyList<EventRecord>> ReadAsync(int max, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_closing, this);
            var records = new List<EventRecord>();
            EventGap[] gaps;
            lock (_lock)
            {
                gaps = [.. _gaps];
                _gaps.Clear();
                while (records.Count < max && _queue.TryDequeue(out var record)) records.Add(record);
            }
            foreach (var gap in gaps) _subscription.Gap?.Invoke(gap);
            if (records.Count > 0) return records;
            if (_failure is { } failure) throw failure;
            await _wake.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask<bool> CommitAsync(EventPosition done, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (!_owned.ContainsKey(done.Partition)) return false;
        }
        var next = new TopicPartitionOffset(done.Partition.Topic, done.Partition.Partition, done.Offset + 1);
        try
        {
            await Task.Run(() => _consumer.Commit([next]), cancellationToken);
            return true;
        }
        catch (KafkaException e) when (e.Error.Code is ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId or ErrorCode.RebalanceInProgress
            or ErrorCode.Local_State or ErrorCode.Local_AssignmentLost)
        {
            // The group has moved on without us.
            return false;
        }
        catch (KafkaException e)
        {
            throw new EventBusException($"commit of {done.Partition}: {e.Message}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_closing) return;
        _closing = true;
        Wake();
        await _ended.Task;
    }

    private static TopicPartition Ours(Confluent.Kafka.TopicPartition partition) => new(partition.Topic, partition.Partition.Value);

    private void Poll()
    {
        while (!_closing)
        {
            try
            {
                if (_consumer.Consume(s_poll) is { Message: not null } result) Enqueue(result);
                Pace();
            }
            catch (ConsumeException e) when (e.Error.IsFatal)
            {
                Fail(e.Error.Reason);
            }
            catch (KafkaException)
            {
                // Brokers come and go; librdkafka reconnects by itself.
            }
        }
        try
        {
            // Leaves the group at once, and calls back for the partitions that go.
            _consumer.Close();
        }
        catch (KafkaException)
        {
            // Nobody to say goodbye to: the session runs out.
        }
        _consumer.Dispose();
        Wake();
        _ended.SetResult();
    }

    private void Enqueue(ConsumeResult<byte[], byte[]> result)
    {
        var partition = Ours(result.TopicPartition);
        var offset = result.Offset.Value;
        lock (_lock)
        {
            if (!_owned.TryGetValue(partition, out var expected)) return;
            if (expected >= 0 && offset > expected) _gaps.Add(new EventGap(partition, expected, offset));
            _owned[partition] = offset + 1;
            _queue.Enqueue(new EventRecord(
                new EventPosition(partition, offset), result.Message.Key is { } key ? Encoding.UTF8.GetString(key) : "", result.Message.Value ?? []));
        }
        Wake();
    }

    /// <summary>Stops fetching while the reader is behind; polling goes on, or the group would give us up.</summary>
    private void Pace()
    {
        int waiting;
        lock (_lock) waiting = _queue.Count;
        if (!_paused && waiting >= _options.MaxBufferedEvents)
        {
            _consumer.Pause(_consumer.Assignment);
            _paused = true;
        }
        else if (_paused && waiting <= _options.MaxBufferedEvents / 2)
        {
            _consumer.Resume(_consumer.Assignment);
            _paused = false;
        }
    }

    private void OnAssigned(List<Confluent.Kafka.TopicPartition> partitions)
    {
        _paused = false;
        var starts = Committed(partitions);
        TopicPartition[] ours = [.. partitions.Select(Ours)];
        _subscription.Assigned?.Invoke(ours);
        lock (_lock)
        {
            foreach (var partition in ours) _owned[partition] = starts.GetValueOrDefault(partition, -1);
        }
    }

    private void OnRevoked(TopicPartition[] partitions)
    {
        if (partitions.Length == 0) return;
        lock (_lock)
        {
            for (var i = _queue.Count; i > 0; i--)
            {
                var record = _queue.Dequeue();
                if (!partitions.Contains(record.Position.Partition)) _queue.Enqueue(record);
            }
        }
        _subscription.Revoked?.Invoke(partitions);
        lock (_lock)
        {
            foreach (var partition in partitions) _owned.Remove(partition);
        }
    }

    /// <summary>Where the group left off, to notice when retention has passed it; not knowing only costs that notice.</summary>
    private Dictionary<TopicPartition, long> Committed(List<Confluent.Kafka.TopicPartition> partitions)
    {
        try
        {
            return _consumer.Committed(partitions, TimeSpan.FromSeconds(5)).Where(static o => o.Offset.Value >= 0)
                .ToDictionary(static o => Ours(o.TopicPartition), static o => o.Offset.Value);
        }
        catch (KafkaException)
        {
            return [];
        }
    }

    private void Fail(string reason)
    {
        _failure = new EventBusException("Kafka consumer failed: " + reason);
        Wake();
    }

    private void Wake()
    {
        lock (_lock)
        {
            if (_wake.CurrentCount == 0) _wake.Release();
        }
    }
}
