using System.Text;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Sandboxes;

/// <summary>The /etc/hosts of a pod's containers.</summary>
internal static class HostsFile
{
    public static string Write(Pod pod, IReadOnlyList<string> podIPs, string clusterDomain, string nodeHosts)
    {
        var text = new StringBuilder();
        if (pod.HostNetwork())
        {
            text.Append("# Kubernetes-managed hosts file (host network).\n").Append(nodeHosts);
        }
        else
        {
            text.Append("# Kubernetes-managed hosts file.\n");
            text.Append("127.0.0.1\tlocalhost\n");
            text.Append("::1\tlocalhost ip6-localhost ip6-loopback\n");
            text.Append("fe00::0\tip6-localnet\n");
            text.Append("fe00::0\tip6-mcastprefix\n");
            text.Append("fe00::1\tip6-allnodes\n");
            text.Append("fe00::2\tip6-allrouters\n");
            var (name, domain) = PodHostname.Of(pod, clusterDomain);
            foreach (var ip in podIPs)
                text.Append(domain.Length > 0 ? $"{ip}\t{name}.{domain}\t{name}\n" : $"{ip}\t{name}\n");
        }

        if (pod.Spec?.HostAliases is { Count: > 0 } aliases)
        {
            text.Append("\n# Entries added by HostAliases.\n");
            foreach (var alias in aliases)
                text.Append($"{alias.Ip}\t{string.Join('\t', alias.Hostnames ?? [])}\n");
        }

        return text.ToString();
    }
}
