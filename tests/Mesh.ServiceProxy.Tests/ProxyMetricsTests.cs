using System.Buffers;
using System.Text;
using Mesh.Api.Discovery.V1;
using Mesh.Telemetry;
using Mesh.Testing;

namespace Mesh.ServiceProxy.Tests;

/// <summary>What dashboards and alerts read of a service proxy, under job="kube-proxy".</summary>
public sealed class ProxyMetricsTests : IDisposable
{
    private readonly Clock clock = new();
    private readonly MetricsRegistry registry;
    private readonly ProxyMetrics metrics;

    public ProxyMetricsTests()
    {
        registry = new MetricsRegistry(clock, withProcess: false);
        metrics = new ProxyMetrics(registry, clock);
    }

    public void Dispose() => registry.Dispose();

    [Fact]
    public void Batches_are_timed_under_kube_proxys_names_and_shown_by_the_service()
    {
        metrics.Synced(TimeSpan.FromMilliseconds(3), 7);
        var text = Text();
        Assert.Contains("kubeproxy_sync_proxy_rules_duration_seconds_bucket{le=\"0.002\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("kubeproxy_sync_proxy_rules_duration_seconds_bucket{le=\"0.004\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kubeproxy_sync_proxy_rules_duration_seconds_bucket{le=\"16.384\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kubeproxy_sync_proxy_rules_duration_seconds_count 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kubeproxy_sync_proxy_rules_service_changes_total 7\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Endpoints_are_timed_from_their_change_if_that_was_in_our_time()
    {
        var before = clock.Now;
        clock.Now += TimeSpan.FromSeconds(10);
        Assert.Null(metrics.Trigger(Slice(before.AddSeconds(-1))));
        Assert.Null(metrics.Trigger(new EndpointSlice()));
        metrics.Programmed(metrics.Trigger(Slice(before.AddSeconds(8)))!.Value);
        var text = Text();
        Assert.Contains("kubeproxy_network_programming_duration_seconds_bucket{le=\"0.25\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("kubeproxy_network_programming_duration_seconds_bucket{le=\"1\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("kubeproxy_network_programming_duration_seconds_bucket{le=\"2\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("kubeproxy_network_programming_duration_seconds_bucket{le=\"300\"} 1\n", text, StringComparison.Ordinal);
    }

    [Fact, Compatibility(17)]
    public void Every_name_that_dashboards_read_is_served()
    {
        metrics.Synced(TimeSpan.FromMilliseconds(3), 1);
        metrics.Programmed(clock.Now);
        Assert.All(DashboardMetrics.Of("kube-proxy"), name => Assert.True(DashboardMetrics.Serves("\n" + Text(), name), name));
    }

    private static EndpointSlice Slice(DateTime changed) => new()
    {
        Metadata = { Annotations = new() { ["endpoints.kubernetes.io/last-change-trigger-time"] = changed.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) } },
    };

    private string Text()
    {
        var output = new ArrayBufferWriter<byte>();
        registry.Write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTime Now { get; set; } = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
