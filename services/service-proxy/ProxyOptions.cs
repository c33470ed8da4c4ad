using System.ComponentModel;
using Mesh.Client;

namespace Mesh.ServiceProxy;

/// <summary>How the service proxy runs.</summary>
public sealed class ProxyOptions : GatewayConnectionOptions
{
    /// <summary>The node this proxy serves: decides which backends are local.</summary>
    [Description("name of this node")]
    public string NodeName { get; set; } = Environment.MachineName.ToLowerInvariant();

    /// <summary>auto, nftables, userspace or none. auto takes the first that the kernel allows.</summary>
    [Description("auto, nftables, userspace or none")]
    public string Driver { get; set; } = "auto";

    /// <summary>Addresses of pods; other sources are masqueraded on their way to a cluster IP.</summary>
    [Description("addresses of pods")]
    public string PodCidr { get; set; } = "10.244.0.0/16";

    /// <summary>Addresses of services.</summary>
    [Description("addresses of services")]
    public string ServiceCidr { get; set; } = "10.96.0.0/16";

    /// <summary>nf_tables table the proxy owns.</summary>
    [Description("nf_tables table the proxy owns")]
    public string Table { get; set; } = "mesh-proxy";

    /// <summary>Address of health checks and metrics; empty for none.</summary>
    [Description("address of /healthz and /metrics; empty for none")]
    public string Health { get; set; } = "http://127.0.0.1:10256";
}
