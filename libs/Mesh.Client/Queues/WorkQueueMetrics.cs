using System.Diagnostics.Metrics;

namespace Mesh.Client;

/// <summary>The workqueue_* metrics under the names, units (seconds) and label (name) that Kubernetes dashboards read.</summary>
internal sealed class WorkQueueMetrics : IDisposable
{
    /// <summary>Bucket bounds of both durations: 10 ns to 10 s by tens, then 16.7 and 60 minutes' worth, as Kubernetes has them.</summary>
    private static readonly double[] Buckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 60, 300, 1000];

    private readonly Meter _meter = new("Mesh.Client.WorkQueue");
    private readonly KeyValuePair<string, object?> _name;
    private readonly Counter<long> _adds;
    private readonly Counter<long> _retries;
    private readonly Histogram<double> _waited;
    private readonly Histogram<double> _worked;

    internal WorkQueueMetrics(string name, Func<int> depth, Func<(double Total, double Longest)> running)
    {
        _name = new KeyValuePair<string, object?>("name", name);
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets };
        _adds = _meter.CreateCounter<long>("workqueue_adds_total", null, "Total number of adds handled by workqueue");
        _retries = _meter.CreateCounter<long>("workqueue_retries_total", null, "Total number of retries handled by workqueue");
        _waited = _meter.CreateHistogram("workqueue_queue_duration_seconds", "s", "Seconds a key waited before it was taken", null, advice);
        _worked = _meter.CreateHistogram("workqueue_work_duration_seconds", "s", "Seconds working on a key took", null, advice);
        _meter.CreateObservableGauge("workqueue_depth", () => new Measurement<int>(depth(), _name), null, "Current depth of workqueue");
        _meter.CreateObservableGauge(
            "workqueue_unfinished_work_seconds", () => new Measurement<double>(running().Total, _name), "s", "Seconds of work in progress not yet counted");
        _meter.CreateObservableGauge(
            "workqueue_longest_running_processor_seconds", () => new Measurement<double>(running().Longest, _name), "s", "Seconds the longest running worker has run");
    }

    public void Dispose() => _meter.Dispose();

    internal void Added() => _adds.Add(1, _name);

    internal void Retry() => _retries.Add(1, _name);

    internal void Waited(TimeSpan wait) => _waited.Record(wait.TotalSeconds, _name);

    internal void Worked(TimeSpan work) => _worked.Record(work.TotalSeconds, _name);
}
