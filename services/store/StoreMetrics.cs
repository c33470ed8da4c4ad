using System.Diagnostics.Metrics;

namespace Mesh.Store;

/// <summary>What the store says about itself on /metrics. The etcd_ names are those that etcd dashboards read.</summary>
internal sealed class StoreMetrics : IDisposable
{
    private readonly Meter _meter;

    public StoreMetrics(IMeterFactory factory, StoreEngine engine)
    {
        _meter = factory.Create("Mesh.Store");
        _meter.CreateObservableGauge("etcd_server_has_leader", () => engine.Failure is null ? 1 : 0);
        _meter.CreateObservableGauge("etcd_mvcc_db_total_size_in_bytes", () => engine.Store.SizeInBytes);
        _meter.CreateObservableGauge("etcd_debugging_mvcc_current_revision", () => engine.Store.Published.Revision);
        _meter.CreateObservableGauge("etcd_debugging_mvcc_compact_revision", () => engine.Store.CompactRevision);
        _meter.CreateObservableGauge("etcd_debugging_mvcc_keys_total", () => engine.Store.KeyCount);
        _meter.CreateObservableGauge("etcd_debugging_mvcc_watcher_total", () => engine.Hub.SyncedCount);
        _meter.CreateObservableGauge("etcd_debugging_lease_total", () => engine.Lessor.Count);
    }

    public void Dispose() => _meter.Dispose();
}
