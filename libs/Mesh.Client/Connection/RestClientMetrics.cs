using System.Diagnostics.Metrics;
using Grpc.Core;
using Mesh.Api;
using Mesh.Rpc;
using Mesh.Telemetry;
using Status = Mesh.Api.Meta.V1.Status;

namespace Mesh.Client;

/// <summary>
/// rest_client_requests_total and rest_client_request_duration_seconds as dashboards read them: what a component asks of the API, by the method and the code that
/// the same request has over REST. A watch and a list count when they begin.
/// </summary>
public sealed class RestClientMetrics
{
    private static readonly double[] Buckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _duration;
    private readonly TimeProvider _time;

    /// <summary>Makes the instruments, and kubernetes_build_info, on the metrics of a service.</summary>
    public RestClientMetrics(IMeterFactory meters, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(meters);
        _time = time;
        var meter = meters.Create(new MeterOptions("Mesh.Client"));
        KubernetesBuild.Export(meter);
        _requests = meter.CreateCounter<long>("rest_client_requests_total", null, "Number of HTTP requests, partitioned by status code, method, and host.");
        _duration = meter.CreateHistogram(
            "rest_client_request_duration_seconds", null, "Request latency in seconds. Broken down by verb, and host.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets });
    }

    /// <summary>The calls of a channel, counted.</summary>
    public CallInvoker Observe(ChannelBase channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return new Invoker(channel.CreateCallInvoker(), channel.Target, this);
    }

    private static string Verb(string rpc) => rpc switch
    {
        "Get" or "List" or "Watch" => "GET",
        "Update" => "PUT",
        "Patch" => "PATCH",
        "Delete" => "DELETE",
        _ => "POST",
    };

    private async Task CountAsync(Task call, string rpc, string host)
    {
        var started = _time.GetTimestamp();
        var code = rpc == "Create" ? "201" : "200";
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            code = Code(e);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException or ObjectDisposedException)
        {
            code = "<error>";
        }

        var verb = Verb(rpc);
        _requests.Add(1, new("code", code), new("host", host), new("method", verb));
        _duration.Record(_time.GetElapsedTime(started).TotalSeconds, new("host", host), new("verb", verb));
    }

    // A Status is the server's answer; without one nobody answered.
    private static string Code(RpcException e) =>
        RpcStatus.FindKubernetesStatus(e) is { } json && KubeJson.Deserialize<Status>(json).Code is { } code
            ? code.ToString(System.Globalization.CultureInfo.InvariantCulture) : "<error>";

    private sealed class Invoker(CallInvoker inner, string host, RestClientMetrics metrics) : CallInvoker
    {
        public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            inner.BlockingUnaryCall(method, host, options, request);

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            var call = inner.AsyncUnaryCall(method, host, options, request);
            _ = metrics.CountAsync(call.ResponseAsync, method.Name, Host);
            return call;
        }

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            var call = inner.AsyncServerStreamingCall(method, host, options, request);
            _ = metrics.CountAsync(call.ResponseHeadersAsync, method.Name, Host);
            return call;
        }

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            inner.AsyncClientStreamingCall(method, host, options);

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            inner.AsyncDuplexStreamingCall(method, host, options);

        private string Host { get; } = host;
    }
}
