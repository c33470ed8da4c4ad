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
        WriteEtcdctlEnvironment(options);
        options.Save();
    }

    /// <summary>The file by which etcdctl reaches what keeps the cluster's state.</summary>
    public static void WriteEtcdctlEnvironment(ClusterOptions options)
    {
        var layout = new ClusterLayout(options.DataDir);
        var paths = new PkiPaths(layout.Pki);
        var own = options.Store.Length == 0;
        var text = $"ETCDCTL_API=3\nETCDCTL_ENDPOINTS={(own ? $"https://127.0.0.1:{options.StorePort}" : options.Store)}\n";
        foreach (var (name, file) in ((string, string)[])[
            ("CACERT", own ? paths.StoreCa.Certificate : options.StoreCaFile),
            ("CERT", own ? paths.StoreHealthClient.Certificate : options.StoreCertFile),
            ("KEY", own ? paths.StoreHealthClient.Key : options.StoreKeyFile)])
        {
            if (file.Length > 0)
                text += $"ETCDCTL_{name}={file}\n";
        }

        PemFiles.Write(layout.EtcdctlEnvironment, text, secret: false);
    }
}
