using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Mesh.Telemetry;

/// <summary>What an instrument is in Prometheus' terms.</summary>
internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>All series of one instrument. A measurement finds its series by its labels without allocating.</summary>
internal sealed class MetricFamily
{
    private readonly ConcurrentDictionary<LabelSet, MetricSeries> _series;
    private readonly ConcurrentDictionary<LabelSet, MetricSeries>.AlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>> _lookup;
    private readonly ConcurrentDictionary<string, MetricSeries> _byText = new(StringComparer.Ordinal);
    private readonly string _name;
    private readonly string _help;
    private readonly MetricKind _kind;
    private readonly bool _adds;
    private readonly bool _observable;
    private readonly double[] _bounds;
    private MetricSeries? _unlabelled;

    private MetricFamily(Instrument instrument, MetricKind kind, bool adds, double[] bounds)
    {
        _name = instrument.Name;
        _help = instrument.Description ?? "";
        _kind = kind;
        _adds = adds;
        _observable = instrument.IsObservable;
        _bounds = bounds;
        _series = new ConcurrentDictionary<LabelSet, MetricSeries>(LabelSetComparer.Instance);
        _lookup = _series.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>();
    }

    public static MetricFamily For(Instrument instrument)
    {
        var type = instrument.GetType();
        var name = type.IsGenericType ? type.GetGenericTypeDefinition().Name : type.Name;
        return name switch
        {
            "Counter`1" => new MetricFamily(instrument, MetricKind.Counter, adds: true, []),
            "ObservableCounter`1" => new MetricFamily(instrument, MetricKind.Counter, adds: false, []),
            "UpDownCounter`1" => new MetricFamily(instrument, MetricKind.Gauge, adds: true, []),
            "Histogram`1" => new MetricFamily(instrument, MetricKind.Histogram, adds: true, HistogramBuckets.Of(instrument)),
            _ => new MetricFamily(instrument, MetricKind.Gauge, adds: false, []),
        };
    }

    public void Record(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = Find(tags);
        if (_kind == MetricKind.Histogram) series.Observe(value, _bounds);
        else if (_adds) series.Add(value);
        else series.Set(value);
    }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = Find(tags);
        if (_kind == MetricKind.Histogram) series.Observe(value, _bounds);
        else if (_adds) series.Add(value);
        else series.Set(value);
    }

    public void BeginScrape()
    {
        if (!_observable) return;
        _series.Clear();
        _byText.Clear();
        _unlabelled = null;
    }

    public void Write(ref PrometheusWriter writer)
    {
        if (_unlabelled is null && _byText.IsEmpty) return;
        writer.Header(_name, _help, _kind);
        if (_unlabelled is { } single) WriteSeries(ref writer, single);
        foreach (var (_, series) in _byText.OrderBy(static p => p.Key, StringComparer.Ordinal)) WriteSeries(ref writer, series);
    }

    private void WriteSeries(ref PrometheusWriter writer, MetricSeries series)
    {
        if (_kind == MetricKind.Histogram) writer.Histogram(_name, series, _bounds);
        else writer.Sample(_name, "", series.Labels, null, series.Value);
    }

    private MetricSeries Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty) return _unlabelled ?? Unlabelled();
        return _lookup.TryGetValue(tags, out var series) ? series : Add(tags);
    }

    private MetricSeries Unlabelled()
    {
        Interlocked.CompareExchange(ref _unlabelled, new MetricSeries("", _bounds.Length), null);
        return _unlabelled;
    }

    /// <summary>First sight of these labels in this order; the same labels in another order are the same series.</summary>
    private MetricSeries Add(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = PrometheusWriter.Labels(tags);
        var series = _byText.GetOrAdd(text, static (labels, buckets) => new MetricSeries(labels, buckets), _bounds.Length);
        _series.TryAdd(new LabelSet(tags.ToArray()), series);
        return series;
    }
}
