using Mesh.Controllers;
using Mesh.Dns;
using Mesh.Events;
using Mesh.Gateway;
using Mesh.Hosting;
using Mesh.NodeAgent;
using Mesh.Scheduler;
using Mesh.Security;
using Mesh.Security.Pki;
using Mesh.Security.Tokens;
using Mesh.ServiceProxy;
using Mesh.Store;

namespace Mesh.Standalone;

/// <summary>
/// The whole cluster on one page: which services, in which order, and how each finds the next. In one process they talk in memory and carry
/// tokens made at start; in processes of their own they talk TLS and carry client certificates. Everything set here is a default that flags
/// (--gateway.listen …) and the environment override.
/// </summary>
internal static class Composition
{
    // In the order of their start. Made by a call each, so that a process loads the libraries of its own services only.
    private static readonly (string Name, Func<IMeshService> Create)[] s_services =
    [
        ("store", () => new StoreService()),
        ("gateway", () => new GatewayService()),
        ("controllers", () => new ControllersService()),
        ("scheduler", () => new SchedulerService()),
        ("node-agent", () => new NodeAgentService()),
        ("service-proxy", () => new ServiceProxyService()),
        ("dns", () => new DnsService()),
    ];

    /// <summary>Every service as it is without a cluster: for the help text.</summary>
    public static void AddAll(MeshHostBuilder builder)
    {
        foreach (var (_, create) in s_services) builder.Add(create());
    }

    /// <summary>Under the names that users of Kubernetes look for.</summary>
    private static string Components(ClusterOptions cluster) => string.Join(',', new[]
    {
        cluster.Store.Length > 0 ? "" : $"etcd=tcp://127.0.0.1:{cluster.StorePort}", $"kube-apiserver=https://127.0.0.1:{cluster.ApiPort}/readyz", "kube-scheduler=http://127.0.0.1:10259/readyz",
        "kube-controller-manager=http://127.0.0.1:10257/readyz", "kube-proxy=http://127.0.0.1:10256/readyz", "coredns=http://127.0.0.1:9153/readyz",
    }.Where(c => c.Length > 0));

    /// <summary>The services of a cluster: one whose state is kept elsewhere has no store.</summary>
    public static IEnumerable<string> Services(ClusterOptions cluster) => s_services.Select(s => s.Name).Where(s => s != "store" || cluster.Store.Length == 0);

    public static void Add(MeshHostBuilder builder, ClusterOptions cluster, string only)
    {
        var wanted = only.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var services = Services(cluster).ToList();
        if (wanted.FirstOrDefault(s => !services.Contains(s)) is { } unknown)
            throw new SettingsException($"--services {unknown}: there are {string.Join(", ", services)}");
        var together = wanted.Length == 0;
        var layout = new ClusterLayout(cluster.DataDir);
        var pki = new PkiPaths(layout.Pki);
        var tokens = new StaticTokens();
        builder.Share(tokens);
        if (together && cluster.Kafka.Length == 0)
            builder.Share<IEventBus>(new EmbeddedEventBus(new EmbeddedEventBusOptions { EventsPerPartition = 1024 }));
        foreach (var (name, create) in s_services.Where(s => services.Contains(s.Name) && (together || wanted.Contains(s.Name))))
        {
            void Set(string key, string value) => builder.Set(name, key, value);
            void Client(string kubeconfig, string user, params string[] groups)
            {
                Set("kubeconfig", together ? "" : layout.Config(kubeconfig));
                if (!together)
                    return;
                Set("gateway", "inproc://gateway");
                Set("gateway-token", tokens.Create(new UserInfo(user, "", groups)));
            }

            switch (name)
            {
                case "store":
                    Set("data-dir", layout.Store);
                    Set("name", cluster.NodeName);
                    Set("listen", (together ? "inproc://store," : "") + $"https://127.0.0.1:{cluster.StorePort}");
                    Set("cert-file", pki.StoreServer.Certificate);
                    Set("key-file", pki.StoreServer.Key);
                    Set("trusted-ca-file", pki.StoreCa.Certificate);
                    break;
                case "gateway":
                    Set("store", cluster.Store.Length > 0 ? cluster.Store : together ? "inproc://store" : $"https://127.0.0.1:{cluster.StorePort}");
                    Set("store-ca-file", cluster.StoreCaFile);
                    Set("store-cert-file", cluster.StoreCertFile);
                    Set("store-key-file", cluster.StoreKeyFile);
                    Set("listen", (together ? "inproc://gateway," : "") + $"https://0.0.0.0:{cluster.ApiPort}");
                    Set("pki-dir", layout.Pki);
                    Set("advertise-address", cluster.NodeIp);
                    Set("advertise-port", cluster.ApiPort.ToString());
                    Set("service-cidr", cluster.ServiceCidr);
                    Set("runtime-config", cluster.RuntimeConfig);
                    Set("kafka", cluster.Kafka);
                    break;
                case "controllers":
                    Client(ClusterKubeConfigs.Controllers, "system:kube-controller-manager");
                    Set("root-ca-file", pki.Ca.Certificate);
                    Set("cluster-signing-cert-file", pki.Ca.Certificate);
                    Set("cluster-signing-key-file", pki.Ca.Key);
                    Set("leader-elect", "false"); // there is one
                    Set("cluster-cidr", cluster.PodCidr);
                    Set("kafka", cluster.Kafka);
                    break;
                case "scheduler":
                    Client(ClusterKubeConfigs.Scheduler, "system:kube-scheduler");
                    Set("kafka", cluster.Kafka);
                    break;
                case "node-agent":
                    Client(ClusterKubeConfigs.Node, UserNames.NodePrefix + cluster.NodeName, UserNames.Nodes);
                    Set("node-name", cluster.NodeName);
                    Set("node-ip", cluster.NodeIp);
                    Set("data-dir", layout.Node);
                    Set("runtime", cluster.Runtime);
                    Set("cgroup-root", layout.CgroupRoot);
                    Set("components", Components(cluster));
                    Set("listen", $"https://0.0.0.0:{cluster.NodePort}");
                    Set("cert-file", pki.NodeServer.Certificate);
                    Set("key-file", pki.NodeServer.Key);
                    Set("client-ca-file", pki.Ca.Certificate);
                    Set("cluster-dns", cluster.ServiceAddress(10).ToString());
                    Set("cluster-domain", cluster.ClusterDomain);
                    Set("cluster-cidr", cluster.PodCidr);
                    break;
                case "service-proxy":
                    Client(ClusterKubeConfigs.Proxy, "system:kube-proxy");
                    Set("node-name", cluster.NodeName);
                    Set("pod-cidr", cluster.PodCidr);
                    Set("service-cidr", cluster.ServiceCidr);
                    if (cluster.Runtime == "hollow")
                        Set("driver", "none");
                    break;
                case "dns":
                    Client(ClusterKubeConfigs.Dns, "system:kube-dns");
                    // The node's address and not the wildcard: an answer by UDP leaves from the address its socket is bound to, and pods
                    // would get it from the bridge's address, which is not where their question went.
                    Set("listen", $"{cluster.NodeIp}:{cluster.DnsPort}");
                    Set("advertise-address", cluster.NodeIp);
                    Set("cluster-ip", cluster.ServiceAddress(10).ToString());
                    Set("domain", cluster.ClusterDomain);
                    break;
            }

            builder.Add(create());
        }
    }
}
