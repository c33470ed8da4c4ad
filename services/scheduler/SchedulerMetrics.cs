using System.Diagnostics.Metrics;
using Mesh.Scheduler.Queue;

namespace Mesh.Scheduler;

/// <summary>kube-scheduler's metric names, so that its dashboards and alerts work.</summary>
internal sealed class SchedulerMetrics
{
    private readonly Counter<long> _attempts;
    private readonly Histogram<double> _attempt;
    private readonly Histogram<double> _algorithm;
    private readonly Histogram<double> _sli;
    private readonly Counter<long> _incoming;
    private readonly string _profile;

    public SchedulerMetrics(IMeterFactory meters, SchedulingQueue queue, SchedulerOptions options)
    {
        _profile = options.SchedulerName;
        var meter = meters.Create(new MeterOptions("Mesh.Scheduler"));
        _attempts = meter.CreateCounter<long>("scheduler_schedule_attempts_total", description: "Tries to place a pod, by result.");
        _attempt = Histogram(meter, "scheduler_scheduling_attempt_duration_seconds", "From taking a pod out of the queue to its binding or refusal.", 15);
        _algorithm = Histogram(meter, "scheduler_scheduling_algorithm_duration_seconds", "Filtering and scoring.", 15);
        _sli = Histogram(meter, "scheduler_pod_scheduling_sli_duration_seconds", "From a pod's first coming into the queue to its binding.", 20, 0.01);
        _incoming = meter.CreateCounter<long>("scheduler_queue_incoming_pods_total", description: "Pods put into the queue, by event and part.");
        meter.CreateObservableGauge("scheduler_pending_pods", () => Pending(queue), description: "Pods that wait, by part of the queue.");
    }

    public void Attempt(string result, double seconds, int pods = 1)
    {
        _attempts.Add(pods, new("profile", _profile), new("result", result));
        for (var i = 0; i < pods; i++) _attempt.Record(seconds, new("profile", _profile), new("result", result));
    }

    public void Algorithm(double seconds) => _algorithm.Record(seconds);

    public void Bound(double seconds, int attempts) => _sli.Record(seconds, new KeyValuePair<string, object?>("attempts", attempts < 16 ? attempts.ToString() : "16+"));

    public void Incoming(string @event, string part) => _incoming.Add(1, new("event", @event), new("queue", part));

    private static Histogram<double> Histogram(Meter meter, string name, string description, int buckets, double first = 0.001) => meter.CreateHistogram(
        name, description: description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [.. Enumerable.Range(0, buckets).Select(i => first * Math.Pow(2, i))] });

    private static IEnumerable<Measurement<int>> Pending(SchedulingQueue queue)
    {
        yield return new(queue.Count(QueuePart.Active), new KeyValuePair<string, object?>("queue", "active"));
        yield return new(queue.Count(QueuePart.Backoff), new KeyValuePair<string, object?>("queue", "backoff"));
        yield return new(queue.Count(QueuePart.Unschedulable), new KeyValuePair<string, object?>("queue", "unschedulable"));
        yield return new(queue.Count(QueuePart.Gated), new KeyValuePair<string, object?>("queue", "gated"));
    }
}
