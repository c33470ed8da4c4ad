using System.ComponentModel;
using Mesh.Client;

namespace Mesh.NodeAgent;

/// <summary>Settings of the node agent.</summary>
public sealed class NodeAgentOptions : GatewayConnectionOptions
{
    /// <summary>Name of the node object.</summary>
    [Description("name of the node")]
    public string NodeName { get; set; } = Environment.MachineName.ToLowerInvariant();

    /// <summary>Address of the node; found when empty.</summary>
    [Description("address of the node; default: that of the interface with the default route")]
    public string NodeIp { get; set; } = "";

    /// <summary>Everything the node keeps on disk.</summary>
    [Description("directory of the node: containerd, pods, logs, networks")]
    public string DataDir { get; set; } = "/var/lib/mesh/node";

    /// <summary>What runs the containers.</summary>
    [Description("containerd, or hollow for simulated containers")]
    public string Runtime { get; set; } = "containerd";

    /// <summary>Which containerd.</summary>
    [Description("managed: the agent starts one of its own under data-dir; or the path of a running CRI socket")]
    public string Containerd { get; set; } = "managed";

    /// <summary>Image of pod sandboxes.</summary>
    [Description("image of the pod sandbox")]
    public string SandboxImage { get; set; } = "docker.io/mesh/pause:1";

    /// <summary>A docker-archive with the sandbox image, imported when the image is missing.</summary>
    [Description("docker-archive with the sandbox image; default: pause.tar beside the program")]
    public string SandboxArchive { get; set; } = "";

    /// <summary>Directory with hosts.toml trees, for mirrors and private registries.</summary>
    [Description("directory with registry hosts.toml trees (containerd's config_path)")]
    public string RegistryConfigDir { get; set; } = "";

    /// <summary>Address of the agent's API.</summary>
    [Description("address of the agent's own API; empty for none")]
    public string Listen { get; set; } = "https://0.0.0.0:10250";

    /// <summary>Certificate of the API.</summary>
    [Description("certificate of the agent's API; default: self-signed")]
    public string CertFile { get; set; } = "";

    /// <summary>Key of the certificate.</summary>
    [Description("key of cert-file")]
    public string KeyFile { get; set; } = "";

    /// <summary>Authority of client certificates.</summary>
    [Description("authority of the clients of the agent's API")]
    public string ClientCaFile { get; set; } = "";

    /// <summary>Users that may use the API, beside members of system:masters.</summary>
    [Description("users (certificate names) that may call the agent's API, comma separated")]
    public string AllowedClients { get; set; } = "kube-apiserver-kubelet-client";

    /// <summary>Cluster DNS addresses.</summary>
    [Description("addresses of the cluster DNS, comma separated")]
    public string ClusterDns { get; set; } = "10.96.0.10";

    /// <summary>Cluster domain.</summary>
    [Description("domain of the cluster")]
    public string ClusterDomain { get; set; } = "cluster.local";

    /// <summary>The node's resolver.</summary>
    [Description("resolv.conf of the node")]
    public string ResolvConf { get; set; } = "/etc/resolv.conf";

    /// <summary>Pod addresses of this node.</summary>
    [Description("pod addresses of this node (CIDR); default: the node object's spec.podCIDR")]
    public string PodCidr { get; set; } = "";

    /// <summary>Pod addresses of all nodes.</summary>
    [Description("pod addresses of the whole cluster (CIDR, comma separated): packets to them keep the pod's address")]
    public string ClusterCidr { get; set; } = "10.244.0.0/16";

    /// <summary>Name of the pod bridge.</summary>
    [Description("interface name of the pod bridge")]
    public string Bridge { get; set; } = "mesh0";

    /// <summary>Whether the agent makes the pod network.</summary>
    [Description("write the CNI configuration of the bridge network; no: another network plugin puts its own into DATA/cni/net.d")]
    public bool PodNetwork { get; set; } = true;

    /// <summary>Control-plane processes of this machine that are shown as mirror pods in kube-system.</summary>
    [Description("processes shown as mirror pods in kube-system: name=http(s)://health or name=tcp://host:port, several by commas")]
    public string Components { get; set; } = "";

    /// <summary>Parent of the pods' cgroups.</summary>
    [Description("cgroup above kubepods")]
    public string CgroupRoot { get; set; } = "/";

    /// <summary>Labels of the node.</summary>
    [Description("labels of the node, a=b,c=d")]
    public string NodeLabels { get; set; } = "";

    /// <summary>Taints the node registers with.</summary>
    [Description("taints the node registers with, key=value:effect,...")]
    public string RegisterWithTaints { get; set; } = "";

    /// <summary>Most pods on this node.</summary>
    [Description("most pods on this node")]
    public int MaxPods { get; set; } = 110;

    /// <summary>Simulated nodes in this process (runtime hollow).</summary>
    [Description("with runtime hollow: how many nodes to simulate (more than one: named NODE-NAME-0 ...)")]
    public int HollowNodes { get; set; } = 1;

    /// <summary>Log files are turned over at this size.</summary>
    [Description("bytes after which a container's log is turned over")]
    public long ContainerLogMaxSize { get; set; } = 10 * 1024 * 1024;

    /// <summary>Log files kept per container.</summary>
    [Description("log files kept per container")]
    public int ContainerLogMaxFiles { get; set; } = 5;

    /// <summary>Disk use in percent above which unused images are removed.</summary>
    [Description("disk use (percent) above which unused images are removed")]
    public int ImageGcHighPercent { get; set; } = 85;

    /// <summary>Disk use in percent image removal aims for.</summary>
    [Description("disk use (percent) image removal aims for")]
    public int ImageGcLowPercent { get; set; } = 80;

    /// <summary>Time between looks at ConfigMaps, Secrets and fields that running pods mount.</summary>
    [Description("time after which mounted ConfigMaps, Secrets and pod fields are brought up to date")]
    public TimeSpan SyncFrequency { get; set; } = TimeSpan.FromSeconds(40);
}
