using System.ComponentModel;
using Mesh.Client;

namespace Mesh.Controllers;

/// <summary>Settings of the controllers service.</summary>
public sealed class ControllersOptions : GatewayConnectionOptions
{
    /// <summary>What kube-root-ca.crt publishes; the kubeconfig's CA when not given.</summary>
    [Description("CA published to every namespace as kube-root-ca.crt (PEM); default: the kubeconfig's")]
    public string? RootCaFile { get; set; }

    /// <summary>The authority that signs approved certificate requests; without it none are signed.</summary>
    [Description("certificate of the authority that signs approved certificate requests (PEM); empty: none are signed")]
    public string ClusterSigningCertFile { get; set; } = "";

    /// <summary>Its key.</summary>
    [Description("private key of the signing authority (PEM)")]
    public string ClusterSigningKeyFile { get; set; } = "";

    /// <summary>Address of /healthz and /metrics; empty: none.</summary>
    [Description("listen address of health and metrics; empty for none")]
    public string Listen { get; set; } = "http://127.0.0.1:10257";

    /// <summary>Which controllers run: names, "*" for all, "-name" to leave one out; comma separated.</summary>
    [Description("controllers to run: *, name, -name; comma separated")]
    public string Controllers { get; set; } = "*";

    /// <summary>Workers a controller.</summary>
    [Description("concurrent reconciles a controller")]
    public int Concurrency { get; set; } = 5;

    /// <summary>Pod addresses of the whole cluster, cut into a range a node.</summary>
    [Description("pod address range of the cluster (CIDR, comma separated for dual stack)")]
    public string ClusterCidr { get; set; } = "10.244.0.0/16";

    /// <summary>Prefix length of a node's range, IPv4.</summary>
    [Description("prefix length of a node's IPv4 range")]
    public int NodeCidrMaskSize { get; set; } = 24;

    /// <summary>Whether nodes get ranges at all.</summary>
    [Description("give every node a pod address range")]
    public bool AllocateNodeCidrs { get; set; } = true;

    /// <summary>How long a node may be silent before it counts as unknown.</summary>
    [Description("silence after which a node is Unknown")]
    public TimeSpan NodeMonitorGracePeriod { get; set; } = TimeSpan.FromSeconds(40);

    /// <summary>How often silence is looked for.</summary>
    [Description("how often node silence is checked")]
    public TimeSpan NodeMonitorPeriod { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Terminated pods kept before the pod garbage collector deletes the oldest; 0 or less keeps all.</summary>
    [Description("terminated pods kept before the oldest are deleted")]
    public int TerminatedPodGcThreshold { get; set; } = 12500;

    /// <summary>Whether one process at a time works, by a Lease.</summary>
    [Description("work only while holding the Lease kube-system/kube-controller-manager")]
    public bool LeaderElect { get; set; } = true;

    /// <summary>Who we are in the Lease; a stable name takes the lease up again at once after a restart.</summary>
    [Description("holder identity in the Lease; default: host name and a random part")]
    public string? Identity { get; set; }

    /// <summary>Kafka brokers; the members of a consumer group then share the keys, see <see cref="Shards"/>.</summary>
    [Description("Kafka brokers (host:port,...) for --shards across processes")]
    public string Kafka { get; set; } = "";

    /// <summary>More than one: several processes share the keys by partitions of this many, instead of electing a leader.</summary>
    [Description("partitions of the keys shared by several workers; 1 for a single worker")]
    public int Shards { get; set; } = 1;

    /// <summary>Whether the named controller is to run.</summary>
    public bool Runs(string name)
    {
        var words = Controllers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (words.Contains("-" + name)) return false;
        return words.Contains(name) || words.Contains("*");
    }
}
