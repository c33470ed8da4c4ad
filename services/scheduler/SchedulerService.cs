using Mesh.Client;
using Mesh.Events;
using Mesh.Hosting;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Queue;
using Mesh.Scheduler.Sharding;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Scheduler;

/// <summary>The scheduler: a shard that places its part of the pending pods.</summary>
public sealed class SchedulerService : IMeshService
{
    /// <inheritdoc/>
    public string Name => "scheduler";

    /// <inheritdoc/>
    public void Configure(MeshServiceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Bind<SchedulerOptions>();
        if (options.Shards < 1 || options.Shard < 0 || options.Shard >= options.Shards)
            throw new SettingsException($"scheduler: --shard {options.Shard} of --shards {options.Shards} is not a shard");
        if (options.Engine is not ("auto" or "native" or "managed"))
            throw new SettingsException($"scheduler: --engine {options.Engine} is not one of auto, native, managed");
        builder.AddKubeClient(options, options.SchedulerName);
        builder.Services.AddSingleton(s => CreateShards(options, s));
        builder.Services.AddSingleton(s => CreateEngine(options, s.GetRequiredService<ILogger<SchedulerService>>()));
        builder.Services.AddSingleton(s => new ClusterState(s.GetRequiredService<IPlacementEngine>(), () => (uint)Random.Shared.NextInt64()));
        builder.Services.AddSingleton<SchedulingQueue>();
        builder.Services.AddSingleton<SchedulerMetrics>();
        builder.Services.AddSingleton<ClusterFeed>();
        builder.Services.AddSingleton<SchedulingLoop>();
        builder.AddWorker<Worker>();
        if (options.Health.Length > 0)
            builder.Listen(options.Health);
    }

    /// <summary>The engine the options ask for; "auto" falls back to the managed one, with the reason in the log.</summary>
    internal static IPlacementEngine CreateEngine(SchedulerOptions options, ILogger logger)
    {
        IPlacementEngine? engine = null;
        if (options.Engine != "managed")
        {
            engine = NativeEngine.TryCreate(out var reason);
            if (engine is null && options.Engine == "native") throw new SettingsException($"scheduler: --engine native: {reason}");
            if (engine is null) Log.NoNativeEngine(logger, reason ?? "");
        }

        engine ??= new ManagedEngine();
        Log.Started(logger, engine.Name);
        return engine;
    }

    // A bus that the host shares, or Kafka, divides the pods among whoever is there; without one the options do.
    private static IShardOwnership CreateShards(SchedulerOptions options, IServiceProvider services)
    {
        var bus = services.GetService<IEventBus>() ?? (options.Kafka.Length > 0 ? new KafkaEventBus(new KafkaEventBusOptions { Brokers = options.Kafka, ClientId = "mesh-scheduler" }) : null);
        return bus is null || options.Shards > 1
            ? new FixedShards(options.Shard, options.Shards)
            : new BusShards(
                bus, options.Topic, options.Partitions, options.SchedulerName, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<SchedulerService>>());
    }

    private sealed class Worker : BackgroundService
    {
        private readonly IInformerFactory _informers;
        private readonly ClusterFeed _feed;
        private readonly SchedulingLoop _loop;

        public Worker(IInformerFactory informers, ClusterFeed feed, SchedulingLoop loop)
        {
            _informers = informers;
            _feed = feed;
            _loop = loop;
            feed.Attach(informers);
        }

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            // Placing before all bound pods are known would fill nodes that are full.
            await _informers.WaitForSyncAsync(stoppingToken);
            await Task.WhenAll(_feed.FollowOwnershipAsync(stoppingToken), _loop.RunAsync(stoppingToken));
        }
    }
}
