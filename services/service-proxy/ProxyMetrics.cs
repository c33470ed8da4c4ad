using System.Diagnostics.Metrics;

namespace Mesh.ServiceProxy;

/// <summary>kube-proxy's metric names.</summary>
internal sealed class ProxyMetrics : IDisposable
{
    private readonly Meter meter = new("Mesh.ServiceProxy");
    private readonly Histogram<double> sync;
    private readonly Counter<long> changes;
    private readonly TimeProvider time;
    private double lastSync;

    public ProxyMetrics(TimeProvider time)
    {
        this.time = time;
        sync = meter.CreateHistogram<double>("kubeproxy_sync_proxy_rules_duration_seconds", "s", "Time to compile and apply one batch of changes.");
        changes = meter.CreateCounter<long>("kubeproxy_sync_proxy_rules_service_changes_total", description: "Service port changes applied.");
        meter.CreateObservableGauge("kubeproxy_sync_proxy_rules_last_timestamp_seconds", () => lastSync, "s", "When a batch was last applied.");
    }

    public void Synced(TimeSpan took, int count)
    {
        sync.Record(took.TotalSeconds);
        changes.Add(count);
        lastSync = time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
    }

    public void Dispose() => meter.Dispose();
}
