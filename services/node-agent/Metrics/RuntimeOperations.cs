using System.Diagnostics.Metrics;
using Grpc.Core;
using Mesh.Telemetry;

namespace Mesh.NodeAgent.Metrics;

/// <summary>Counts and times the calls to the runtime (kubelet_runtime_operations_*), on the connection itself: what is asked is what is counted.</summary>
internal sealed class RuntimeOperations
{
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["Version"] = "version",
        ["Status"] = "status",
        ["RunPodSandbox"] = "run_podsandbox",
        ["StopPodSandbox"] = "stop_podsandbox",
        ["RemovePodSandbox"] = "remove_podsandbox",
        ["PodSandboxStatus"] = "podsandbox_status",
        ["ListPodSandbox"] = "list_podsandbox",
        ["CreateContainer"] = "create_container",
        ["StartContainer"] = "start_container",
        ["StopContainer"] = "stop_container",
        ["RemoveContainer"] = "remove_container",
        ["ListContainers"] = "list_containers",
        ["ContainerStatus"] = "container_status",
        ["UpdateContainerResources"] = "update_container",
        ["ReopenContainerLog"] = "reopen_container_log",
        ["ExecSync"] = "exec_sync",
        ["Exec"] = "exec",
        ["Attach"] = "attach",
        ["PortForward"] = "port_forward",
        ["ListContainerStats"] = "list_container_stats",
        ["ListImages"] = "list_images",
        ["ImageStatus"] = "image_status",
        ["PullImage"] = "pull_image",
        ["RemoveImage"] = "remove_image",
        ["ImageFsInfo"] = "image_fs_info",
    };

    private readonly Counter<long> _total;
    private readonly Counter<long> _errors;
    private readonly Histogram<double> _duration;
    private readonly TimeProvider _time;

    public RuntimeOperations(Meter meter, TimeProvider time)
    {
        _time = time;
        _total = meter.CreateCounter<long>("kubelet_runtime_operations_total", description: "Cumulative number of runtime operations by operation type.");
        _errors = meter.CreateCounter<long>("kubelet_runtime_operations_errors_total", description: "Cumulative number of runtime operation errors by operation type.");
        _duration = meter.CreateHistogram("kubelet_runtime_operations_duration_seconds", HistogramBuckets.Exponential(0.005, 2.5, 14), "Duration in seconds of runtime operations, by operation type.");
    }

    /// <summary>A call that is none over gRPC (the simulated runtime's), until disposed.</summary>
    public Call Start(string operation) => new(this, operation);

    /// <summary>Counts a failure of a call that was started.</summary>
    public void Failed(string operation) => _errors.Add(1, new KeyValuePair<string, object?>("operation_type", operation));

    /// <summary>The calls of a channel, counted.</summary>
    public CallInvoker Observe(ChannelBase channel) => new Invoker(channel.CreateCallInvoker(), this);

    private async Task FollowAsync(Task answer, string operation, long started)
    {
        await answer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        End(operation, started, failed: !answer.IsCompletedSuccessfully);
    }

    private long Begin(string operation)
    {
        _total.Add(1, new KeyValuePair<string, object?>("operation_type", operation));
        return _time.GetTimestamp();
    }

    private void End(string operation, long started, bool failed)
    {
        var label = new KeyValuePair<string, object?>("operation_type", operation);
        _duration.Record(_time.GetElapsedTime(started).TotalSeconds, label);
        if (failed)
            _errors.Add(1, label);
    }

    /// <summary>One call under way.</summary>
    internal readonly struct Call(RuntimeOperations owner, string operation) : IDisposable
    {
        private readonly long _started = owner.Begin(operation);

        public void Dispose() => owner.End(operation, _started, failed: false);
    }

    private sealed class Invoker(CallInvoker inner, RuntimeOperations operations) : CallInvoker
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            var operation = Names.TryGetValue(method.Name, out var known) ? known : method.Name;
            var started = operations.Begin(operation);
            var call = inner.AsyncUnaryCall(method, host, options, request);
            _ = operations.FollowAsync(call.ResponseAsync, operation, started);
            return call;
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            inner.BlockingUnaryCall(method, host, options, request);

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            inner.AsyncServerStreamingCall(method, host, options, request);

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            inner.AsyncClientStreamingCall(method, host, options);

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            inner.AsyncDuplexStreamingCall(method, host, options);
    }
}
