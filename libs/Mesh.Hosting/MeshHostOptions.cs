using System.ComponentModel;
using Mesh.Telemetry;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting;

/// <summary>Settings of the process, whatever services it hosts.</summary>
public sealed class MeshHostOptions
{
    /// <summary>Path of a YAML or JSON file with settings.</summary>
    [Description("configuration file, YAML or JSON")]
    public string? Config { get; set; }

    /// <summary>Least level that is logged.</summary>
    [Description("least level that is logged: trace, debug, information, warning, error")]
    public LogLevel LogLevel { get; set; } = LogLevel.Information;

    /// <summary>How log lines look.</summary>
    [Description("text (as klog) or json (one object a line)")]
    public LogFormat LogFormat { get; set; } = LogFormat.Text;

    /// <summary>Where traces go by OTLP over gRPC; empty for nowhere.</summary>
    [Description("OTLP endpoint for traces, for example http://collector:4317; empty: no tracing")]
    public string OtlpEndpoint { get; set; } = "";

    /// <summary>Share of the traces that is kept, 0 to 1.</summary>
    [Description("share of the traces that is kept, 0 to 1")]
    public double TraceRatio { get; set; } = 1;

    /// <summary>How long a service may take to stop.</summary>
    [Description("how long each service may take to stop")]
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(15);
}
