using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Sandboxes;

/// <summary>A pod's host name and domain name.</summary>
internal static class PodHostname
{
    private const int MaxLength = 63;

    /// <summary>Short name and, when the pod has a subdomain, its domain ("" otherwise).</summary>
    public static (string Hostname, string Domain) Of(Pod pod, string clusterDomain)
    {
        if (pod.Spec?.HostnameOverride is { Length: > 0 } given)
            return (given, "");
        var name = pod.Spec?.Hostname is { Length: > 0 } wanted ? wanted : Truncate(pod.Metadata.Name ?? "");
        var domain = pod.Spec?.Subdomain is { Length: > 0 } sub ? $"{sub}.{pod.Metadata.Namespace}.svc.{clusterDomain}" : "";
        return (name, domain);
    }

    /// <summary>The name the kernel gets: the full one when the pod asks for it.</summary>
    public static string Kernel(Pod pod, string clusterDomain)
    {
        var (name, domain) = Of(pod, clusterDomain);
        return pod.Spec?.SetHostnameAsFQDN == true && domain.Length > 0 ? $"{name}.{domain}" : name;
    }

    private static string Truncate(string name) => name.Length <= MaxLength ? name : name[..MaxLength].TrimEnd('-', '.');
}
