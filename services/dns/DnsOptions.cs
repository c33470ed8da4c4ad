using System.ComponentModel;
using Mesh.Client;

namespace Mesh.Dns;

/// <summary>How the cluster DNS runs.</summary>
public sealed class DnsOptions : GatewayConnectionOptions
{
    /// <summary>Address to listen on; pods reach it through the Service.</summary>
    [Description("IP:port to answer on, UDP and TCP")]
    public string Listen { get; set; } = "0.0.0.0:10053";

    /// <summary>Address of a node at which the Service's endpoint is announced; empty announces nothing (the Service is somebody else's).</summary>
    [Description("node address announced in the kube-dns Service; empty announces nothing")]
    public string AdvertiseAddress { get; set; } = "";

    /// <summary>Cluster IP of the kube-dns Service.</summary>
    [Description("cluster IP of the kube-dns Service")]
    public string ClusterIp { get; set; } = "10.96.0.10";

    /// <summary>The cluster's domain.</summary>
    [Description("domain of the cluster")]
    public string Domain { get; set; } = "cluster.local";

    /// <summary>Where the resolvers for every other name are found.</summary>
    [Description("where the resolvers for other names are listed")]
    public string ResolvConf { get; set; } = "/etc/resolv.conf";

    /// <summary>Address of health checks and metrics; empty for none.</summary>
    [Description("address of /healthz and /metrics; empty for none")]
    public string Health { get; set; } = "http://127.0.0.1:9153";
}
