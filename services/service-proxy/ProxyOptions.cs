namespace Mesh.ServiceProxy;

/// <summary>How the service proxy runs.</summary>
public sealed class ProxyOptions
{
    /// <summary>The node this proxy serves: decides which backends are local.</summary>
    public string NodeName { get; set; } = Environment.MachineName.ToLowerInvariant();

    /// <summary>auto, nftables, userspace or none. auto takes the first that the kernel allows.</summary>
    public string Driver { get; set; } = "auto";

    /// <summary>Addresses of pods; other sources are masqueraded on their way to a cluster IP.</summary>
    public string PodCidr { get; set; } = "10.244.0.0/16";

    /// <summary>Addresses of services.</summary>
    public string ServiceCidr { get; set; } = "10.96.0.0/16";

    /// <summary>nf_tables table the proxy owns.</summary>
    public string Table { get; set; } = "mesh-proxy";
}
