using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Xunit;

namespace Mesh.Telemetry.Tests;

public sealed class MetricsRegistryTests
{
    [Fact]
    public void Counters_gauges_and_labels_are_written_as_prometheus_reads_them()
    {
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        var meter = registry.Create("mesh.test");
        var requests = meter.CreateCounter<long>("apiserver_request_total", null, "Requests\nby \\ verb.");
        requests.Add(2, new("verb", "GET"), new("code", 200));
        requests.Add(1, new("code", 200), new("verb", "GET"));
        requests.Add(1, new("verb", "LI\"ST\\\n"), new("code", 500));
        var depth = meter.CreateUpDownCounter<int>("workqueue_depth");
        depth.Add(5);
        depth.Add(-2);
        meter.CreateObservableGauge("temperature_celsius", () => new Measurement<double>(36.6, new KeyValuePair<string, object?>("room", true)));
        Assert.Equal(
            """
            # HELP apiserver_request_total Requests\nby \\ verb.
            # TYPE apiserver_request_total counter
            apiserver_request_total{code="200",verb="GET"} 3
            apiserver_request_total{code="500",verb="LI\"ST\\\n"} 1
            # HELP temperature_celsius 
            # TYPE temperature_celsius gauge
            temperature_celsius{room="true"} 36.6
            # HELP workqueue_depth 
            # TYPE workqueue_depth gauge
            workqueue_depth 3

            """,
            Scrape(registry));
    }

    [Fact]
    public void Histograms_have_cumulative_buckets_with_upper_bounds_included()
    {
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        var histogram = registry.Create("m").CreateHistogram("request_duration_seconds", [0.1, 0.5, 1], "Time.");
        foreach (var value in (double[])[0.05, 0.1, 0.25, 1, 7]) histogram.Record(value, new KeyValuePair<string, object?>("verb", "GET"));
        Assert.Equal(
            """
            # HELP request_duration_seconds Time.
            # TYPE request_duration_seconds histogram
            request_duration_seconds_bucket{verb="GET",le="0.1"} 2
            request_duration_seconds_bucket{verb="GET",le="0.5"} 3
            request_duration_seconds_bucket{verb="GET",le="1"} 4
            request_duration_seconds_bucket{verb="GET",le="+Inf"} 5
            request_duration_seconds_sum{verb="GET"} 8.4
            request_duration_seconds_count{verb="GET"} 5

            """,
            Scrape(registry));
    }

    [Fact]
    public void Registries_of_one_process_do_not_see_each_other()
    {
        using var a = new MetricsRegistry(TimeProvider.System, withProcess: false);
        using var b = new MetricsRegistry(TimeProvider.System, withProcess: false);
        a.Create("m").CreateCounter<int>("only_a_total").Add(1);
        b.Create("m").CreateCounter<int>("only_b_total").Add(1);
        Assert.Contains("only_a_total 1", Scrape(a), StringComparison.Ordinal);
        Assert.DoesNotContain("only_a", Scrape(b), StringComparison.Ordinal);
    }

    [Fact]
    public void Instruments_with_dots_are_not_exported()
    {
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        registry.Create("Microsoft.AspNetCore.Hosting").CreateCounter<int>("http.server.requests").Add(1);
        Assert.Equal("", Scrape(registry));
    }

    [Fact]
    public void Observable_series_that_are_no_longer_reported_are_gone()
    {
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        var nodes = new List<string> { "a", "b" };
        registry.Create("m").CreateObservableGauge("node_ready", () => nodes.Select(n => new Measurement<int>(1, new KeyValuePair<string, object?>("node", n))));
        Assert.Contains("node=\"a\"", Scrape(registry), StringComparison.Ordinal);
        nodes.Remove("a");
        var after = Scrape(registry);
        Assert.DoesNotContain("node=\"a\"", after, StringComparison.Ordinal);
        Assert.Contains("node_ready{node=\"b\"} 1", after, StringComparison.Ordinal);
    }

    [Fact]
    public void Process_metrics_are_those_of_this_process()
    {
        using var registry = new MetricsRegistry(TimeProvider.System);
        var values = Scrape(registry).Split('\n').Where(l => l.Length > 0 && l[0] != '#' && !l.Contains('{'))
            .ToDictionary(l => l.Split(' ')[0], l => double.Parse(l.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
        using var self = Process.GetCurrentProcess();
        Assert.InRange(values["process_start_time_seconds"], new DateTimeOffset(self.StartTime).ToUnixTimeSeconds() - 5, new DateTimeOffset(self.StartTime).ToUnixTimeSeconds() + 5);
        Assert.InRange(values["process_resident_memory_bytes"], 10e6, 10e9);
        Assert.True(values["process_cpu_seconds_total"] > 0);
        Assert.True(values["process_open_fds"] > 3);
    }

    [Fact]
    public void Concurrent_measurements_are_all_counted()
    {
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        var meter = registry.Create("m");
        var counter = meter.CreateCounter<long>("c_total");
        var sum = meter.CreateCounter<double>("s_total");
        var histogram = meter.CreateHistogram("h_seconds", [1.0]);
        Parallel.For(0, 8, worker =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                counter.Add(1, new KeyValuePair<string, object?>("worker", worker % 2));
                sum.Add(0.5);
                histogram.Record(0.5);
            }
        });
        var text = Scrape(registry);
        Assert.Contains("c_total{worker=\"0\"} 40000", text, StringComparison.Ordinal);
        Assert.Contains("s_total 40000", text, StringComparison.Ordinal);
        Assert.Contains("h_seconds_bucket{le=\"1\"} 80000", text, StringComparison.Ordinal);
        Assert.Contains("h_seconds_sum 40000", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_measurement_of_a_known_series_allocates_nothing()
    {
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        var counter = registry.Create("m").CreateCounter<long>("c_total");
        for (var i = 0; i < 1000; i++) counter.Add(1, new("verb", "GET"), new("resource", "pods"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) counter.Add(1, new("verb", "GET"), new("resource", "pods"));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Scrape(MetricsRegistry registry)
    {
        var output = new ArrayBufferWriter<byte>();
        registry.Write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
