using System.Diagnostics.Metrics;

namespace Mesh.Telemetry;

/// <summary>Bucket bounds in seconds, for <c>new InstrumentAdvice&lt;double&gt; { HistogramBucketBoundaries = … }</c>.</summary>
public static class HistogramBuckets
{
    /// <summary>Prometheus' own default bounds.</summary>
    public static IReadOnlyList<double> Default { get; } = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>Bounds of <c>apiserver_request_duration_seconds</c>.</summary>
    public static IReadOnlyList<double> ApiRequest { get; } =
        [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

    /// <summary>Bounds of scheduling and many kubelet durations: 1 ms doubling 15 times.</summary>
    public static IReadOnlyList<double> Scheduling { get; } = Exponential(0.001, 2, 15);

    /// <summary>Bounds that grow by a factor.</summary>
    public static double[] Exponential(double start, double factor, int count)
    {
        var bounds = new double[count];
        for (var i = 0; i < count; i++, start *= factor) bounds[i] = start;
        return bounds;
    }

    /// <summary>Bounds that grow by a step.</summary>
    public static double[] Linear(double start, double width, int count)
    {
        var bounds = new double[count];
        for (var i = 0; i < count; i++) bounds[i] = start + (width * i);
        return bounds;
    }

    /// <summary>A histogram with the given bounds.</summary>
    public static Histogram<double> CreateHistogram(this Meter meter, string name, IReadOnlyList<double> bounds, string description = "")
    {
        ArgumentNullException.ThrowIfNull(meter);
        return meter.CreateHistogram(name, null, description, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
    }

    internal static double[] Of(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(static b => (double)b)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(static b => (double)b)],
        _ => [.. Default],
    };
}
