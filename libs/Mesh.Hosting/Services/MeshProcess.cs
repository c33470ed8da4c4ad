using Mesh.Rpc;
using Mesh.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Hosting;

/// <summary>What the services of one process have in common.</summary>
internal sealed record MeshProcess(
    MeshHostOptions Options,
    SettingsSource Settings,
    string ServiceName,
    bool SingleService,
    InProcNetwork Network,
    LogSink Log,
    TimeProvider Time,
    IReadOnlyList<ServiceDescriptor> Shared);
