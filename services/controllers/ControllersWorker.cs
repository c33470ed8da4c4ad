using System.Diagnostics.Metrics;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Events;
using Mesh.Security.Pki;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Controllers;

/// <summary>Runs the controllers from start to stop: at once, or while holding the Lease. Each term starts with caches of its own.</summary>
internal sealed class ControllersWorker(
    ControllersOptions options, IKubeClient client, TimeProvider time, ILoggerFactory loggers, IMeterFactory meters, KubeConfig? kubeconfig = null,
    IEventBus? bus = null) : BackgroundService
{
    private readonly WorkQueueMetrics _metrics = new(meters.Create("Mesh.Controllers"));

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Shards > 1) return ShareAsync(stoppingToken);
        if (!options.LeaderElect) return LeadAsync(new WholeOwnership(), stoppingToken);
        var identity = options.Identity ?? $"{Environment.MachineName}_{Guid.NewGuid()}";
        var leaseLock = new LeaseLock(client, "kube-system", "kube-controller-manager", identity);
        var elector = new LeaderElector(leaseLock, LeaderElectionTimings.Default, loggers.CreateLogger<LeaderElector>(), time);
        return elector.RunAsync(ct => LeadAsync(new WholeOwnership(), ct), stoppingToken);
    }

    /// <summary>Several workers at once, each on the keys of the partitions it owns; no leader is needed then.</summary>
    private async Task ShareAsync(CancellationToken ct)
    {
        if (bus is null) throw new InvalidOperationException("controllers: --shards needs an event bus: --kafka, or one that the host shares");
        await using var ownership = await BusOwnership.JoinAsync(bus, "mesh.controllers", options.Shards, ct).ConfigureAwait(false);
        using var together = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var reading = ownership.RunAsync(together.Token);
        await LeadAsync(ownership, together.Token).ConfigureAwait(false);
        await together.CancelAsync().ConfigureAwait(false);
        await reading.ConfigureAwait(false);
    }

    private async Task LeadAsync(IKeyOwnership ownership, CancellationToken ct)
    {
        var logger = loggers.CreateLogger<ControllersWorker>();
        var informers = new InformerFactory(client, loggers, time);
        var recorders = new List<EventRecorder>();
        var context = new ControllerContext(client, informers, loggers, options, time, _metrics)
        {
            Ownership = ownership,
            RecorderFactory = component =>
            {
                var recorder = new EventRecorder(client, component, loggers.CreateLogger<EventRecorder>(), time);
                recorders.Add(recorder);
                return recorder;
            },
        };
        var rootCa = options.RootCaFile is { } file ? await File.ReadAllTextAsync(file, ct).ConfigureAwait(false) : kubeconfig?.AuthorityPem;
        var controllers = ControllerSet.Create(context, rootCa);
        ControllersLog.Starting(logger, controllers.Count, string.Join(", ", controllers.Select(c => c.Name)));
        try
        {
            // One that fails takes the others down with it: the process restarts whole rather than limping on unseen.
            using var together = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var running = controllers.Select(c => c.RunAsync(together.Token)).Append(informers.RunAsync(together.Token)).ToList();
            var first = await Task.WhenAny(running).ConfigureAwait(false);
            await together.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ct.IsCancellationRequested) await first.ConfigureAwait(false);
        }
        finally
        {
            foreach (var controller in controllers.OfType<IDisposable>()) controller.Dispose();
            foreach (var recorder in recorders) await recorder.DisposeAsync().ConfigureAwait(false);
        }
    }
}

/// <summary>Log messages of the service.</summary>
internal static partial class ControllersLog
{
    [LoggerMessage(1, LogLevel.Information, "Starting {Count} controllers: {Names}")]
    internal static partial void Starting(ILogger logger, int count, string names);
}
