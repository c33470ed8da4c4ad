using System.Net;
using Mesh.Security.Pki;

namespace Mesh.Standalone;

/// <summary>Makes what a cluster needs before its first process starts. Doing it again changes nothing that is still good.</summary>
internal static class Preparation
{
    public static void Run(ClusterOptions options)
    {
        var layout = new ClusterLayout(options.DataDir);
        Directory.CreateDirectory(layout.Store);
        Directory.CreateDirectory(layout.Node);
        var pki = new PkiOptions
        {
            NodeName = options.NodeName,
            Addresses = [IPAddress.Parse(options.NodeIp)],
            ServiceAddress = options.ServiceAddress(1),
            ClusterDomain = options.ClusterDomain,
            ServerUrl = $"https://127.0.0.1:{options.ApiPort}",
        };
        ClusterPki.Ensure(layout.Pki, pki);
        ClusterKubeConfigs.Ensure(layout.Configs, layout.Pki, pki);
        PemFiles.Write(layout.Kubeconfig, File.ReadAllText(layout.Config(ClusterKubeConfigs.Admin)), secret: true);
        var paths = new PkiPaths(layout.Pki);
        PemFiles.Write(
            layout.EtcdctlEnvironment,
            $"""
            ETCDCTL_API=3
            ETCDCTL_ENDPOINTS=https://127.0.0.1:{options.StorePort}
            ETCDCTL_CACERT={paths.StoreCa.Certificate}
            ETCDCTL_CERT={paths.StoreHealthClient.Certificate}
            ETCDCTL_KEY={paths.StoreHealthClient.Key}

            """,
            secret: false);
        options.Save();
    }
}
