namespace Mesh.Dns;

/// <summary>How the cluster DNS runs.</summary>
public sealed class DnsOptions
{
    /// <summary>Address to listen on; pods reach it through the Service.</summary>
    public string Listen { get; set; } = "0.0.0.0:10053";

    /// <summary>Address of a node at which the Service's endpoint is announced; empty announces nothing (the Service is somebody else's).</summary>
    public string AdvertiseAddress { get; set; } = "";

    /// <summary>Cluster IP of the kube-dns Service.</summary>
    public string ClusterIp { get; set; } = "10.96.0.10";

    /// <summary>The cluster's domain.</summary>
    public string Domain { get; set; } = "cluster.local";

    /// <summary>Where the resolvers for every other name are found.</summary>
    public string ResolvConf { get; set; } = "/etc/resolv.conf";
}
