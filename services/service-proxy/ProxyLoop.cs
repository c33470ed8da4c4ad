using System.Threading.Channels;
using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.Client;
using Mesh.ServiceProxy.Compile;
using Mesh.ServiceProxy.Model;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.ServiceProxy;

/// <summary>
/// Keeps the data plane true:
///   1. informer handlers note the key of a service that changed, or whose slices did
///   2. the loop compiles the noted services and compares with what is applied
///   3. the differences go to the driver in one batch; what is noted meanwhile is the next batch
/// A failed batch leads to a reset of everything, with a growing pause.
/// </summary>
internal sealed class ProxyLoop(IInformerFactory informers, IForwardingDriver driver, ProxyOptions options, ProxyMetrics metrics, TimeProvider time, ILogger<ProxyLoop> logger)
    : BackgroundService
{
    private const string BySlice = "service";
    private const string ServiceNameLabel = "kubernetes.io/service-name";
    private readonly Channel<(string Namespace, string Name, DateTime? Trigger)> dirty =
        Channel.CreateUnbounded<(string, string, DateTime?)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Dictionary<(string Namespace, string Name), IReadOnlyList<VirtualPort>> applied = [];

    /// <summary>True once the first full state is in the kernel.</summary>
    public bool Synced { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var services = informers.For<Service>();
        var slices = informers.For<EndpointSlice>();
        slices.AddIndex(BySlice, s => ServiceKey(s) is { } key ? [key] : []);
        services.AddHandler((old, now) => Note((now ?? old)!.Metadata.Namespace, (now ?? old)!.Metadata.Name));
        slices.AddHandler((old, now) =>
        {
            NoteSlice(old, null);
            NoteSlice(now, now is null ? null : metrics.Trigger(now));
        });
        await services.Synced.WaitAsync(stoppingToken);
        await slices.Synced.WaitAsync(stoppingToken);

        var pause = TimeSpan.FromMilliseconds(100);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ResetAsync(services.Lister, slices.Lister, stoppingToken);
                pause = TimeSpan.FromMilliseconds(100);
                await FollowAsync(services.Lister, slices.Lister, stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.ApplyFailed(logger, e);
                await Task.Delay(pause, time, stoppingToken);
                pause = TimeSpan.FromSeconds(Math.Min(pause.TotalSeconds * 2, 30));
            }
        }
    }

    private async Task ResetAsync(ILister<Service> services, ILister<EndpointSlice> slices, CancellationToken ct)
    {
        applied.Clear();
        foreach (var service in services.List())
        {
            var ports = Compile(service, slices);
            if (ports.Count > 0)
                applied[(service.Metadata.Namespace!, service.Metadata.Name!)] = ports;
        }

        var started = time.GetTimestamp();
        await driver.ResetAsync([.. applied.Values.SelectMany(p => p)], ct);
        metrics.Synced(time.GetElapsedTime(started), applied.Values.Sum(p => p.Count));
        Log.Started(logger, driver.Name, applied.Values.Sum(p => p.Count));
        Synced = true;
    }

    private async Task FollowAsync(ILister<Service> services, ILister<EndpointSlice> slices, CancellationToken ct)
    {
        var keys = new HashSet<(string Namespace, string Name)>();
        var changes = new List<VirtualPortChange>();
        var triggers = new HashSet<(string, string, DateTime)>();
        while (await dirty.Reader.WaitToReadAsync(ct))
        {
            keys.Clear();
            changes.Clear();
            triggers.Clear();
            while (dirty.Reader.TryRead(out var note))
            {
                keys.Add((note.Namespace, note.Name));
                if (note.Trigger is { } trigger)
                    triggers.Add((note.Namespace, note.Name, trigger));
            }

            var started = time.GetTimestamp();
            foreach (var key in keys)
            {
                var now = services.Get(key.Namespace, key.Name) is { } service ? Compile(service, slices) : [];
                ServiceDiff.Append(applied.GetValueOrDefault(key) ?? [], now, changes);
                if (now.Count > 0)
                    applied[key] = now;
                else
                    applied.Remove(key);
            }

            if (changes.Count == 0)
                continue;
            await driver.ApplyAsync(changes, ct);
            metrics.Synced(time.GetElapsedTime(started), changes.Count);
            foreach (var (_, _, trigger) in triggers)
                metrics.Programmed(trigger);
        }
    }

    private IReadOnlyList<VirtualPort> Compile(Service service, ILister<EndpointSlice> slices) =>
        service.Metadata.Labels?.ContainsKey("service.kubernetes.io/service-proxy-name") == true
            ? []
            : ServiceCompiler.Compile(service, slices.ByIndex(BySlice, $"{service.Metadata.Namespace}/{service.Metadata.Name}"), options.NodeName);

    private static string? ServiceKey(EndpointSlice slice) =>
        slice.Metadata.Labels?.GetValueOrDefault(ServiceNameLabel) is { } name ? $"{slice.Metadata.Namespace}/{name}" : null;

    private void NoteSlice(EndpointSlice? slice, DateTime? trigger)
    {
        if (slice?.Metadata.Labels?.GetValueOrDefault(ServiceNameLabel) is { } name)
            Note(slice.Metadata.Namespace, name, trigger);
    }

    private void Note(string? ns, string? name, DateTime? trigger = null) => dirty.Writer.TryWrite((ns ?? "", name ?? "", trigger));
}
