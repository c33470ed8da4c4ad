using System.ComponentModel;
using Mesh.Client;

namespace Mesh.Scheduler;

/// <summary>How the scheduler runs.</summary>
public sealed class SchedulerOptions : GatewayConnectionOptions
{
    /// <summary>Pods with this spec.schedulerName are placed.</summary>
    [Description("spec.schedulerName of the pods to place")]
    public string SchedulerName { get; set; } = "default-scheduler";

    /// <summary>How many shards share the pending pods.</summary>
    [Description("number of shards that share the pending pods")]
    public int Shards { get; set; } = 1;

    /// <summary>Which of the shards this one is, from 0.</summary>
    [Description("number of this shard, from 0")]
    public int Shard { get; set; }

    /// <summary>Kafka brokers; the shards are then the members of a consumer group.</summary>
    [Description("Kafka brokers (host:port,...): shards share the pods as members of a consumer group")]
    public string Kafka { get; set; } = "";

    /// <summary>Topic whose partitions are divided among shards.</summary>
    [Description("topic whose partitions are divided among the shards")]
    public string Topic { get; set; } = "mesh.pods";

    /// <summary>Partitions of the topic: no more shards than these share the work.</summary>
    [Description("partitions of the topic")]
    public int Partitions { get; set; } = 16;

    /// <summary>"native", "managed", or "auto": native where the library is there.</summary>
    [Description("placement engine: auto, native or managed")]
    public string Engine { get; set; } = "auto";

    /// <summary>Most pods placed and bound in one call.</summary>
    [Description("most pods bound in one call")]
    public int BatchSize { get; set; } = 256;

    /// <summary>Address of health checks and metrics; empty for none.</summary>
    [Description("address of /healthz and /metrics; empty for none")]
    public string Health { get; set; } = "http://127.0.0.1:10259";
}
