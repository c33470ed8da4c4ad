using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mesh.Telemetry;

/// <summary>
/// Traces of a process by OTLP. Off unless an endpoint is given: then nothing listens, and starting an activity costs a null check. Requests in and out are
/// traced by the framework's own sources; code adds spans with <see cref="Source"/>.
/// </summary>
public static class MeshTracing
{
    /// <summary>Source of the mesh's own spans.</summary>
    public static ActivitySource Source { get; } = new("Mesh");

    /// <summary>Starts exporting; dispose to flush and stop.</summary>
    /// <param name="endpoint">OTLP over gRPC (<c>http://collector:4317</c>), or over HTTP when it has a path (<c>http://collector:4318/v1/traces</c>).</param>
    /// <param name="service">The service.name of the spans.</param>
    /// <param name="ratio">Share of the traces that are kept, 0 to 1; a caller's own decision is followed.</param>
    public static IDisposable Start(Uri endpoint, string service, double ratio = 1)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        return Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(ResourceBuilder.CreateDefault().AddService(service))
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(ratio)))
            .AddSource("Mesh", "Microsoft.AspNetCore", "System.Net.Http", "Grpc.Net.Client")
            .AddOtlpExporter(options =>
            {
                options.Endpoint = endpoint;
                options.Protocol = endpoint.AbsolutePath.Length > 1 ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
            })
            .Build();
    }
}
