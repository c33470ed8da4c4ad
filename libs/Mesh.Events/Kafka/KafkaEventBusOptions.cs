namespace Mesh.Events;

/// <summary>How Kafka is reached and used.</summary>
public sealed record KafkaEventBusOptions
{
    /// <summary>Bootstrap brokers, <c>host:port,host:port</c>.</summary>
    public required string Brokers { get; init; }

    /// <summary>Name shown in the brokers' logs.</summary>
    public string ClientId { get; init; } = "mesh";

    /// <summary>Copies of each partition of topics this bus makes; -1 for the cluster's default.</summary>
    public short ReplicationFactor { get; init; } = -1;

    /// <summary>A member silent for so long is given up and its partitions go to others.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a publish, a commit or a metadata request may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Events fetched ahead of the reader; beyond, fetching pauses.</summary>
    public int MaxBufferedEvents { get; init; } = 10_000;

    /// <summary>Anything else librdkafka takes, by its own names (<c>security.protocol</c>, <c>ssl.ca.location</c>, <c>sasl.username</c>, …).</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}
