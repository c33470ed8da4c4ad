using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Mesh.Client;

/// <summary>
/// The workqueue_* metrics under the names, units (seconds) and label (name) that Kubernetes dashboards read: one set of
/// instruments for all queues of a service.
/// </summary>
public sealed class WorkQueueMetrics
{
    /// <summary>Bucket bounds of both durations, seconds: powers of ten from 10 ns, then what long reconciles need.</summary>
    private static readonly double[] Buckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 60, 300, 1000];

    private readonly ConcurrentDictionary<object, (KeyValuePair<string, object?> Name, Func<int> Depth, Func<(double Total, double Longest)> Running)> _queues = new();
    private readonly Counter<long> _adds;
    private readonly Counter<long> _retries;
    private readonly Histogram<double> _waited;
    private readonly Histogram<double> _worked;

    /// <summary>Makes the instruments on a meter (of the service's IMeterFactory, so that they show on its /metrics).</summary>
    public WorkQueueMetrics(Meter meter)
    {
        ArgumentNullException.ThrowIfNull(meter);
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets };
        _adds = meter.CreateCounter<long>("workqueue_adds_total", null, "Total number of adds handled by workqueue");
        _retries = meter.CreateCounter<long>("workqueue_retries_total", null, "Total number of retries handled by workqueue");
        _waited = meter.CreateHistogram("workqueue_queue_duration_seconds", null, "Seconds a key waited before it was taken", null, advice);
        _worked = meter.CreateHistogram("workqueue_work_duration_seconds", null, "Seconds working on a key took", null, advice);
        meter.CreateObservableGauge(
            "workqueue_depth", () => _queues.Values.Select(q => new Measurement<int>(q.Depth(), q.Name)), null, "Current depth of workqueue");
        meter.CreateObservableGauge(
            "workqueue_unfinished_work_seconds",
            () => _queues.Values.Select(q => new Measurement<double>(q.Running().Total, q.Name)), null, "Seconds of work in progress not yet counted");
        meter.CreateObservableGauge(
            "workqueue_longest_running_processor_seconds",
            () => _queues.Values.Select(q => new Measurement<double>(q.Running().Longest, q.Name)), null, "Seconds the longest running worker has run");
    }

    internal void Register(object queue, string name, Func<int> depth, Func<(double Total, double Longest)> running) =>
        _queues[queue] = (new KeyValuePair<string, object?>("name", name), depth, running);

    internal void Unregister(object queue) => _queues.TryRemove(queue, out _);

    internal void Added(KeyValuePair<string, object?> name) => _adds.Add(1, name);

    internal void Retry(KeyValuePair<string, object?> name) => _retries.Add(1, name);

    internal void Waited(KeyValuePair<string, object?> name, TimeSpan wait) => _waited.Record(wait.TotalSeconds, name);

    internal void Worked(KeyValuePair<string, object?> name, TimeSpan work) => _worked.Record(work.TotalSeconds, name);
}
