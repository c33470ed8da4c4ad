using System.Buffers;
using System.Text.RegularExpressions;
using Mesh.Gateway.Http;
using Mesh.Telemetry;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Http;

/// <summary>What dashboards and alerts read of a gateway, under job="kube-apiserver".</summary>
[Collection("gateway")]
public sealed class ApiMetricsTests(GatewayHost gateway)
{
    [Fact, Compatibility(17)]
    public async Task Requests_are_counted_and_timed_under_kubernetes_names()
    {
        await gateway.GetAsync("/api/v1/namespaces/default/podtemplates");
        var text = await gateway.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));

        const string Labels = """component="apiserver",group="",resource="podtemplates",scope="namespace",subresource="",verb="LIST",version="v1" """;
        Assert.True(Value(text, "apiserver_request_total", Labels + """code="200",dry_run="" """) >= 1);
        Assert.True(Value(text, "apiserver_request_duration_seconds_count", Labels + """dry_run="" """) >= 1);
        Assert.True(Value(text, "apiserver_request_sli_duration_seconds_count", Labels) >= 1);
        Assert.Equal(
            "0.005 0.025 0.05 0.1 0.2 0.4 0.6 0.8 1 1.25 1.5 2 3 4 5 6 8 10 15 20 30 45 60 +Inf", Buckets(text, "apiserver_request_duration_seconds_bucket"));
        Assert.Equal("0.05 0.1 0.2 0.4 0.6 0.8 1 1.25 1.5 2 3 4 5 6 8 10 15 20 30 45 60 +Inf", Buckets(text, "apiserver_request_sli_duration_seconds_bucket"));
    }

    [Theory, Compatibility(17)]
    [InlineData("apiserver_request_total", "counter")]
    [InlineData("apiserver_request_duration_seconds", "histogram")]
    [InlineData("apiserver_request_sli_duration_seconds", "histogram")]
    [InlineData("apiserver_current_inflight_requests", "gauge")]
    [InlineData("kubernetes_build_info", "gauge")]
    [InlineData("process_cpu_seconds_total", "counter")]
    [InlineData("process_resident_memory_bytes", "gauge")]
    [InlineData("go_goroutines", "gauge")]
    public async Task Every_name_is_there_with_its_kind(string name, string kind) =>
        Assert.Contains($"# TYPE {name} {kind}\n", await gateway.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);

    [Fact, Compatibility(17)]
    public void Certificates_and_what_was_ended_are_counted()
    {
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        var metrics = new ApiMetrics(registry);
        metrics.CertificateUsed(TimeSpan.FromHours(3));
        metrics.Terminated(RequestInfo.Parse("GET", "/api/v1/pods", false), 504);
        var output = new ArrayBufferWriter<byte>();
        registry.Write(output);
        var text = System.Text.Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.Equal("0 1800 3600 7200 21600 43200 86400 172800 345600 604800 2592000 7776000 15552000 31104000 +Inf", Buckets(text, "apiserver_client_certificate_expiration_seconds_bucket"));
        Assert.Contains("apiserver_client_certificate_expiration_seconds_bucket{le=\"7200\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("apiserver_client_certificate_expiration_seconds_bucket{le=\"21600\"} 1\n", text, StringComparison.Ordinal);
        Assert.Equal(1, Value(text, "apiserver_request_terminations_total", """code="504",component="apiserver",resource="pods",scope="cluster",verb="LIST",version="v1" """));
    }

    [Fact, Compatibility(17)]
    public async Task Every_name_that_dashboards_read_is_served()
    {
        // A request that was cut off and a client with a certificate are not among what this gateway has seen; their series are the same meters'.
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        var rare = new ApiMetrics(registry);
        rare.CertificateUsed(TimeSpan.FromHours(3));
        rare.Terminated(RequestInfo.Parse("GET", "/api/v1/pods", false), 504);
        var output = new ArrayBufferWriter<byte>();
        registry.Write(output);
        await gateway.GetAsync("/api/v1/namespaces/default/podtemplates");
        var text = "\n" + await gateway.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative)) + "\n" + System.Text.Encoding.UTF8.GetString(output.WrittenSpan);
        // rest_client_* is of those that ask the API (ClientMetricsTests).
        var names = DashboardMetrics.Of("kube-apiserver").Concat(DashboardMetrics.Of("every").Where(static n => !n.StartsWith("rest_", StringComparison.Ordinal)));
        Assert.All(names, name => Assert.True(DashboardMetrics.Serves(text, name), name));
    }

    [Fact, Compatibility(17)]
    public async Task The_build_says_its_version()
    {
        var text = await gateway.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Equal(1, Value(text, "kubernetes_build_info", """major="1",minor="36",git_version="v1.36.0" """));
    }

    /// <summary>The value of the series with at least these labels; -1 when there is none.</summary>
    private static double Value(string text, string name, string labels)
    {
        var wanted = Regex.Matches(labels, "[a-z_]+=\"[^\"]*\"").Select(static m => m.Value).ToList();
        var line = text.Split('\n').FirstOrDefault(l => l.StartsWith(name + "{", StringComparison.Ordinal) && wanted.All(w => Regex.IsMatch(l, $"[{{,]{Regex.Escape(w)}[,}}]")));
        return line is null ? -1 : double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Buckets(string text, string name)
    {
        var first = text.Split('\n').Where(l => l.StartsWith(name + "{", StringComparison.Ordinal)).Select(static l => (Series: Regex.Replace(l[..l.LastIndexOf('}')], "le=\"[^\"]*\"", ""), Bound: Regex.Match(l, "le=\"([^\"]*)\"").Groups[1].Value));
        return string.Join(' ', first.GroupBy(static l => l.Series).First().Select(static l => l.Bound));
    }
}
