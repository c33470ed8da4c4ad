using System.Diagnostics.Metrics;
using Mesh.Telemetry;

namespace Mesh.Gateway.Http;

/// <summary>The apiserver_* metrics that dashboards read (see k8s-api/dashboard-metrics of the interface).</summary>
internal sealed class ApiMetrics
{
    private static readonly double[] SliBounds = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

    // From nothing left over half an hour, hours, days, weeks and months to a year.
    private static readonly double[] CertificateBounds = [0, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 345600, 604800, 2592000, 7776000, 15552000, 31104000];

    private readonly Counter<long> total;
    private readonly Histogram<double> duration;
    private readonly UpDownCounter<long> inflight;
    private readonly UpDownCounter<long> longRunning;
    private readonly Histogram<double> responseSizes;
    private readonly Histogram<double> sliDuration;
    private readonly Counter<long> terminations;
    private readonly Histogram<double> certificateLife;

    /// <summary>Registers them.</summary>
    public ApiMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Mesh.Gateway");
        total = meter.CreateCounter<long>("apiserver_request_total", description: "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.");
        duration = meter.CreateHistogram("apiserver_request_duration_seconds", HistogramBuckets.ApiRequest, "Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.");
        sliDuration = meter.CreateHistogram("apiserver_request_sli_duration_seconds", SliBounds, "Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.");
        terminations = meter.CreateCounter<long>("apiserver_request_terminations_total", description: "Number of requests which apiserver terminated in self-defense.");
        certificateLife = meter.CreateHistogram("apiserver_client_certificate_expiration_seconds", CertificateBounds, "Distribution of the remaining lifetime on the certificate used to authenticate a request.");
        KubernetesBuild.Export(meter);
        inflight = meter.CreateUpDownCounter<long>("apiserver_current_inflight_requests", description: "Maximal number of currently used inflight request limit of this apiserver per request kind in last second.");
        longRunning = meter.CreateUpDownCounter<long>("apiserver_longrunning_requests", description: "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.");
        responseSizes = meter.CreateHistogram("apiserver_response_sizes", HistogramBuckets.Exponential(1000, 10, 7), "Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.");
    }

    /// <summary>A certificate said who asks; remaining: how long it still may.</summary>
    public void CertificateUsed(TimeSpan remaining) => certificateLife.Record(remaining.TotalSeconds);

    /// <summary>A request was ended by the server to protect itself: it took too long, or there are too many.</summary>
    public void Terminated(RequestInfo info, int code) => terminations.Add(
        1, Tag("verb", Verb(info)), Tag("group", info.Group), Tag("version", info.Version), Tag("resource", info.Resource), Tag("subresource", info.Subresource),
        Tag("scope", Scope(info)), Tag("component", "apiserver"), Tag("code", code.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>A request began.</summary>
    public void Begin(RequestInfo info)
    {
        if (IsLongRunning(info)) longRunning.Add(1, Tag("verb", Verb(info)), Tag("group", info.Group), Tag("version", info.Version), Tag("resource", info.Resource), Tag("subresource", info.Subresource), Tag("scope", Scope(info)), Tag("component", "apiserver"));
        else inflight.Add(1, Tag("request_kind", IsReading(info) ? "readOnly" : "mutating"));
    }

    /// <summary>A request ended.</summary>
    public void End(RequestInfo info, int code, bool dryRun, TimeSpan took, long? size)
    {
        if (IsLongRunning(info)) longRunning.Add(-1, Tag("verb", Verb(info)), Tag("group", info.Group), Tag("version", info.Version), Tag("resource", info.Resource), Tag("subresource", info.Subresource), Tag("scope", Scope(info)), Tag("component", "apiserver"));
        else inflight.Add(-1, Tag("request_kind", IsReading(info) ? "readOnly" : "mutating"));
        total.Add(
            1, Tag("verb", Verb(info)), Tag("dry_run", dryRun ? "All" : ""), Tag("group", info.Group), Tag("version", info.Version), Tag("resource", info.Resource),
            Tag("subresource", info.Subresource), Tag("scope", Scope(info)), Tag("component", "apiserver"), Tag("code", code.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        duration.Record(
            took.TotalSeconds, Tag("verb", Verb(info)), Tag("dry_run", dryRun ? "All" : ""), Tag("group", info.Group), Tag("version", info.Version),
            Tag("resource", info.Resource), Tag("subresource", info.Subresource), Tag("scope", Scope(info)), Tag("component", "apiserver"));
        sliDuration.Record(
            took.TotalSeconds, Tag("verb", Verb(info)), Tag("group", info.Group), Tag("version", info.Version), Tag("resource", info.Resource),
            Tag("subresource", info.Subresource), Tag("scope", Scope(info)), Tag("component", "apiserver"));
        if (size is { } bytes && IsReading(info) && !IsLongRunning(info))
        {
            responseSizes.Record(
                bytes, Tag("verb", Verb(info)), Tag("group", info.Group), Tag("version", info.Version), Tag("resource", info.Resource),
                Tag("subresource", info.Subresource), Tag("scope", Scope(info)), Tag("component", "apiserver"));
        }
    }

    /// <summary>Whether a request holds its connection as long as it likes: watches, streams and proxied calls.</summary>
    public static bool IsLongRunning(RequestInfo info) => info.Verb == "watch" || info.Subresource is "exec" or "attach" or "portforward" or "proxy" or "log";

    /// <summary>Whether a request changes nothing.</summary>
    public static bool IsReading(RequestInfo info) => info.Verb is "get" or "list" or "watch" or "head";

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static string Scope(RequestInfo info) => !info.IsResource ? "" : info.Name.Length > 0 ? "resource" : info.Namespace.Length > 0 ? "namespace" : "cluster";

    private static string Verb(RequestInfo info) => info.Subresource is "exec" or "attach" or "portforward" or "proxy" ? "CONNECT" : info.Verb switch
    {
        "create" => "POST",
        "update" => "PUT",
        "deletecollection" => "DELETECOLLECTION",
        _ => info.Verb.ToUpperInvariant(),
    };
}
