using Microsoft.Extensions.Logging;

namespace Mesh.ServiceProxy;

/// <summary>Kernel settings the nftables data plane needs, with kube-proxy's reasons.</summary>
internal static class NodeSettings
{
    private static readonly (string Path, string Value)[] Settings =
    [
        // Pods are routed by this machine.
        ("/proc/sys/net/ipv4/ip_forward", "1"),

        // Answers of a pod on the same bridge must pass connection tracking, to get the virtual address back.
        ("/proc/sys/net/bridge/bridge-nf-call-iptables", "1"),

        // Node ports on 127.0.0.1; packets from elsewhere to loopback addresses are dropped by the ruleset.
        ("/proc/sys/net/ipv4/conf/all/route_localnet", "1"),
    ];

    public static void Apply(ILogger logger)
    {
        foreach (var (path, value) in Settings)
        {
            try
            {
                if (File.ReadAllText(path).Trim() != value)
                    File.WriteAllText(path, value);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.SettingFailed(logger, path, e.Message);
            }
        }
    }
}
