using System.Diagnostics.Metrics;
using Mesh.Api;
using Mesh.Api.Discovery.V1;
using Mesh.Telemetry;

namespace Mesh.ServiceProxy;

/// <summary>kube-proxy's metric names.</summary>
internal sealed class ProxyMetrics
{
    private const string TriggerTime = "endpoints.kubernetes.io/last-change-trigger-time";
    private readonly Histogram<double> sync;
    private readonly Histogram<double> programming;
    private readonly Counter<long> changes;
    private readonly TimeProvider time;
    private readonly DateTime started;
    private double lastSync;

    /// <summary>Makes the instruments on the metrics of the service.</summary>
    public ProxyMetrics(IMeterFactory meters, TimeProvider time)
    {
        this.time = time;
        started = time.GetUtcNow().UtcDateTime;
        var meter = meters.Create(new MeterOptions("Mesh.ServiceProxy"));
        sync = meter.CreateHistogram(
            "kubeproxy_sync_proxy_rules_duration_seconds", null, "Time to compile and apply one batch of changes.", null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = HistogramBuckets.Scheduling });
        programming = meter.CreateHistogram(
            "kubeproxy_network_programming_duration_seconds", null, "From the change of endpoints to its being in the kernel.", null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.25, 0.5, .. HistogramBuckets.Linear(1, 1, 59), .. HistogramBuckets.Linear(60, 5, 12), .. HistogramBuckets.Linear(120, 30, 7)] });
        changes = meter.CreateCounter<long>("kubeproxy_sync_proxy_rules_service_changes_total", description: "Service port changes applied.");
        meter.CreateObservableGauge("kubeproxy_sync_proxy_rules_last_timestamp_seconds", () => lastSync, description: "When a batch was last applied.");
    }

    /// <summary>A batch, or everything at the begin, is in the kernel.</summary>
    public void Synced(TimeSpan took, int count)
    {
        sync.Record(took.TotalSeconds);
        changes.Add(count);
        lastSync = time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
    }

    /// <summary>When the change that a slice tells of began; null when it does not say, or that was before we were there.</summary>
    public DateTime? Trigger(EndpointSlice slice) =>
        slice.Metadata.Annotations?.GetValueOrDefault(TriggerTime) is { } text && KubeTime.TryParse(text, out var at) && at >= started ? at : null;

    /// <summary>A change that began then is in the kernel now.</summary>
    public void Programmed(DateTime trigger) => programming.Record(Math.Max(0, (time.GetUtcNow().UtcDateTime - trigger).TotalSeconds));
}
