using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Mesh.Events;

/// <summary>The bus on Apache Kafka: an idempotent producer, consumer groups with Kafka's own rebalancing, offsets committed to the brokers.</summary>
public sealed class KafkaEventBus : IEventBus
{
    private readonly KafkaEventBusOptions _options;
    private readonly Lazy<IProducer<byte[], byte[]>> _producer;
    private readonly ConcurrentDictionary<string, int> _partitions = new(StringComparer.Ordinal);

    /// <summary>Makes the bus; nothing is connected until it is used.</summary>
    /// <exception cref="EventBusException">librdkafka is missing.</exception>
    public KafkaEventBus(KafkaEventBusOptions options)
    {
        _options = options ?? throw new ArgumentNullException(nameof(options));
        KafkaNative.EnsureLoaded();
        _producer = new Lazy<IProducer<byte[], byte[]>>(() => new ProducerBuilder<byte[], byte[]>(new ProducerConfig(Common())
        {
            EnableIdempotence = true,
            LingerMs = 1,
            MessageTimeoutMs = (int)_options.RequestTimeout.TotalMilliseconds,
        }).SetLogHandler(static (_, _) => { }).Build());
    }

    /// <inheritdoc/>
    public async ValueTask EnsureTopicAsync(string topic, int partitions, CancellationToken cancellationToken = default)
    {
        using var admin = Admin();
        if (await CountAsync(admin, topic, cancellationToken) is not { } have)
        {
            try
            {
                await admin.CreateTopicsAsync(
                    [new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = _options.ReplicationFactor }],
                    new CreateTopicsOptions { OperationTimeout = _options.RequestTimeout, RequestTimeout = _options.RequestTimeout });
                have = partitions;
            }
            catch (CreateTopicsException e) when (e.Results.All(static r => r.Error.Code is ErrorCode.TopicAlreadyExists or ErrorCode.NoError))
            {
                // Another process made it a moment ago.
                have = await CountAsync(admin, topic, cancellationToken) ?? partitions;
            }
            catch (KafkaException e)
            {
                throw new EventBusException($"topic {topic} cannot be made: {e.Message}", e);
            }
        }
        if (have != partitions) throw new EventBusException($"topic {topic} has {have} partitions, not {partitions}");
        _partitions[topic] = have;
    }

    /// <inheritdoc/>
    public async ValueTask<int> GetPartitionCountAsync(string topic, CancellationToken cancellationToken = default)
    {
        if (_partitions.TryGetValue(topic, out var known)) return known;
        using var admin = Admin();
        var count = await CountAsync(admin, topic, cancellationToken) ?? throw new EventBusException($"there is no topic {topic}");
        _partitions[topic] = count;
        return count;
    }

    /// <inheritdoc/>
    public async ValueTask<EventPosition> PublishAsync(string topic, string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default)
    {
        var count = await GetPartitionCountAsync(topic, cancellationToken);
        var partition = new TopicPartition(topic, EventPartitioner.PartitionOf(key, count));
        try
        {
            var result = await _producer.Value.ProduceAsync(
                new Confluent.Kafka.TopicPartition(topic, partition.Partition),
                new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(key), Value = value.ToArray() },
                cancellationToken);
            return new EventPosition(partition, result.Offset.Value);
        }
        catch (KafkaException e)
        {
            throw new EventBusException($"publish to {partition}: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IEventConsumer> SubscribeAsync(EventSubscription subscription, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        var config = new ConsumerConfig(Common())
        {
            GroupId = subscription.Group,
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = subscription.Start == EventStart.Earliest ? AutoOffsetReset.Earliest : AutoOffsetReset.Latest,
            SessionTimeoutMs = (int)_options.SessionTimeout.TotalMilliseconds,
            HeartbeatIntervalMs = (int)(_options.SessionTimeout.TotalMilliseconds / 10),
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.Range,
            FetchWaitMaxMs = 250,
            // A topic made a moment ago is found soon.
            TopicMetadataRefreshIntervalMs = 60_000,
        };
        return new ValueTask<IEventConsumer>(new KafkaConsumer(config, subscription, _options));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_producer.IsValueCreated) return;
        // Flush blocks; what is still under way after the timeout is reported to its publisher as failed.
        await Task.Run(() => _producer.Value.Flush(_options.RequestTimeout));
        _producer.Value.Dispose();
    }

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig(Common())).SetLogHandler(static (_, _) => { }).Build();

    private async ValueTask<int?> CountAsync(IAdminClient admin, string topic, CancellationToken cancellationToken)
    {
        try
        {
            var metadata = await Task.Run(() => admin.GetMetadata(topic, _options.RequestTimeout), cancellationToken);
            var found = metadata.Topics.SingleOrDefault(t => t.Topic == topic);
            return found is null || found.Error.IsError || found.Partitions.Count == 0 ? null : found.Partitions.Count;
        }
        catch (KafkaException e)
        {
            throw new EventBusException($"topic {topic}: {e.Message}", e);
        }
    }

    private ClientConfig Common()
    {
        var config = new ClientConfig { BootstrapServers = _options.Brokers, ClientId = _options.ClientId, SocketTimeoutMs = (int)_options.RequestTimeout.TotalMilliseconds };
        config.Set("reconnect.backoff.max.ms", 2000.ToString(CultureInfo.InvariantCulture));
        foreach (var (name, value) in _options.Properties) config.Set(name, value);
        return config;
    }
}
