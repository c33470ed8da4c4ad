using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Mesh.Telemetry;

/// <summary>
/// The metrics of one service in the Prometheus text format. It is the service's <see cref="IMeterFactory"/>: an instrument made through it is
/// exported when its name is a Prometheus name (<c>apiserver_request_total</c>); .NET's own instruments have dots in theirs and cost nothing.
/// Histogram buckets are the instrument's advice (see <see cref="HistogramBuckets"/>). Observable instruments are asked at each scrape, and
/// series they no longer report are gone.
/// </summary>
public sealed class MetricsRegistry : IMeterFactory
{
    private readonly ConcurrentDictionary<string, Meter> _meters = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly ProcessMetrics? _process;
    private readonly Lock _lock = new();
    private readonly Lock _scrape = new();

    /// <summary>Makes a registry; <paramref name="withProcess"/> adds <c>process_*</c> and <c>dotnet_*</c>.</summary>
    public MetricsRegistry(TimeProvider time, bool withProcess = true)
    {
        ArgumentNullException.ThrowIfNull(time);
        _process = withProcess ? new ProcessMetrics(time) : null;
        _listener.InstrumentPublished = OnPublished;
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Record((long)value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, family) => ((MetricFamily)family!).Record((long)value, tags));
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, family) => ((MetricFamily)family!).Record((long)value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, family) => ((MetricFamily)family!).Record((double)value, tags));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, family) => ((MetricFamily)family!).Record((double)value, tags));
        _listener.Start();
    }

    /// <summary>The meter of a name; the same one each time, living as long as the registry.</summary>
    public Meter Create(MeterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return _meters.GetOrAdd(options.Name, static (name, args) => new OwnedMeter(name, args.options.Version, args.self), (options, self: this));
    }

    /// <summary>Writes all metrics, sorted by name.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        // One scrape at a time: observable series are cleared and asked anew.
        lock (_scrape)
        {
            MetricFamily[] families;
            lock (_lock) families = [.. _families.Values];
            foreach (var family in families) family.BeginScrape();
            _listener.RecordObservableInstruments();
            var writer = new PrometheusWriter(output);
            foreach (var family in families) family.Write(ref writer);
            _process?.Write(ref writer);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        foreach (var meter in _meters.Values) ((OwnedMeter)meter).Release();
    }

    private void OnPublished(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Scope != this || !PrometheusWriter.IsName(instrument.Name)) return;
        MetricFamily? family;
        lock (_lock)
        {
            if (!_families.TryGetValue(instrument.Name, out family)) _families.Add(instrument.Name, family = MetricFamily.For(instrument));
        }
        listener.EnableMeasurementEvents(instrument, family);
    }

    /// <summary>A meter that its users cannot end for each other.</summary>
    private sealed class OwnedMeter(string name, string? version, object scope) : Meter(name, version, null, scope)
    {
        private bool _released;

        public void Release()
        {
            _released = true;
            Dispose();
        }

        protected override void Dispose(bool disposing)
        {
            if (_released) base.Dispose(disposing);
        }
    }
}
