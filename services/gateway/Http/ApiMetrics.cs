using System.Diagnostics.Metrics;
using Mesh.Telemetry;

namespace Mesh.Gateway.Http;

/// <summary>The apiserver_* metrics that dashboards read (see k8s-api/dashboard-metrics of the interface).</summary>
internal sealed class ApiMetrics
{
    private readonly Counter<long> total;
    private readonly Histogram<double> duration;
    private readonly UpDownCounter<long> inflight;
    private readonly UpDownCounter<long> longRunning;
    private readonly Histogram<double> responseSizes;

    /// <summary>Registers them.</summary>
    public ApiMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Mesh.Gateway");
        total = meter.CreateCounter<long>("apiserver_request_total", description: "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.");
        duration = meter.CreateHistogram("apiserver_request_duration_seconds", HistogramBuckets.ApiRequest, "Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.");
        inflight = meter.CreateUpDownCounter<long>("apiserver_current_inflight_requests", description: "Maximal number of currently used inflight request limit of this apiserver per request kind in last second.");
        longRunning = meter.CreateUpDownCounter<long>("apiserver_longrunning_requests", description: "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.");
        responseSizes = meter.CreateHistogram("apiserver_response_sizes", HistogramBuckets.Exponential(1000, 10, 7), "Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.");
    }

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
