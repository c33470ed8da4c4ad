using System.Security.Cryptography;
using System.Text;

namespace Mesh.Standalone;

/// <summary>Where a single-node cluster keeps what, under its data directory.</summary>
internal sealed class ClusterLayout(string dataDir)
{
    public string Options => Path.Combine(dataDir, "cluster.json");

    public string Pki => Path.Combine(dataDir, "pki");

    /// <summary>Component kubeconfigs (scheduler.conf, kubelet.conf ...).</summary>
    public string Configs => Path.Combine(dataDir, "conf");

    /// <summary>The administrator's kubeconfig, for kubectl and helm.</summary>
    public string Kubeconfig => Path.Combine(dataDir, "kubeconfig");

    public string EtcdctlEnvironment => Path.Combine(dataDir, "etcdctl.env");

    public string Store => Path.Combine(dataDir, "store");

    public string Node => Path.Combine(dataDir, "node");

    /// <summary>The cgroup above the pods': of this cluster alone, as several may be on one machine.</summary>
    public string CgroupRoot => "/mesh-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(dataDir))).AsSpan(0, 4));

    public string Config(string name) => Path.Combine(Configs, name);
}
