using System.Globalization;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Sandboxes;

/// <summary>What sandboxes of this node have in common.</summary>
internal sealed record SandboxSettings
{
    public required string ClusterDomain { get; init; }

    public required IReadOnlyList<string> ClusterDns { get; init; }

    /// <summary>The node's own resolver.</summary>
    public required ResolverConfig HostResolver { get; init; }
}

/// <summary>A pod's CRI sandbox configuration. Pure.</summary>
internal static class SandboxConfigBuilder
{
    public static Cri.PodSandboxConfig Build(Pod pod, uint attempt, string logDirectory, string cgroupParent, SandboxSettings settings)
    {
        var config = new Cri.PodSandboxConfig
        {
            Metadata = new Cri.PodSandboxMetadata { Name = pod.Metadata.Name, Namespace = pod.Metadata.Namespace, Uid = pod.Uid(), Attempt = attempt },
            LogDirectory = logDirectory,
            Linux = new Cri.LinuxPodSandboxConfig { CgroupParent = cgroupParent, SecurityContext = Security(pod) },
            DnsConfig = Dns(pod, settings),
        };
        if (!pod.HostNetwork())
            config.Hostname = PodHostname.Kernel(pod, settings.ClusterDomain);
        foreach (var (key, value) in pod.Metadata.Labels ?? [])
            config.Labels[key] = value;
        config.Labels[RuntimeLabels.PodName] = pod.Metadata.Name;
        config.Labels[RuntimeLabels.PodNamespace] = pod.Metadata.Namespace;
        config.Labels[RuntimeLabels.PodUid] = pod.Uid();
        foreach (var (key, value) in pod.Metadata.Annotations ?? [])
            config.Annotations[key] = value;
        config.Annotations[RuntimeLabels.GracePeriod] = pod.GraceSeconds().ToString(CultureInfo.InvariantCulture);
        foreach (var sysctl in pod.Spec?.SecurityContext?.Sysctls ?? [])
            config.Linux.Sysctls[sysctl.Name!] = sysctl.Value ?? "";
        if (!pod.HostNetwork())
            AddPorts(pod, config);
        return config;
    }

    private static Cri.DNSConfig Dns(Pod pod, SandboxSettings settings)
    {
        var resolver = PodDns.For(pod, settings.HostResolver, settings.ClusterDns, settings.ClusterDomain);
        var dns = new Cri.DNSConfig();
        dns.Servers.AddRange(resolver.Servers);
        dns.Searches.AddRange(resolver.Searches);
        dns.Options.AddRange(resolver.Options);
        return dns;
    }

    private static void AddPorts(Pod pod, Cri.PodSandboxConfig config)
    {
        foreach (var container in pod.InitContainers().Where(c => c.IsRestartable()).Concat(pod.MainContainers()))
        {
            foreach (var port in container.Ports ?? [])
            {
                if (port.HostPort is not > 0)
                    continue;
                config.PortMappings.Add(new Cri.PortMapping
                {
                    ContainerPort = port.ContainerPortValue ?? 0,
                    HostPort = port.HostPort.Value,
                    HostIp = port.HostIP ?? "",
                    Protocol = port.Protocol switch { "UDP" => Cri.Protocol.Udp, "SCTP" => Cri.Protocol.Sctp, _ => Cri.Protocol.Tcp },
                });
            }
        }
    }

    private static Cri.LinuxSandboxSecurityContext Security(Pod pod)
    {
        var spec = pod.Spec?.SecurityContext;
        var security = new Cri.LinuxSandboxSecurityContext
        {
            // A privileged container needs a sandbox that is privileged too.
            Privileged = pod.AllContainers().Any(c => c.SecurityContext?.Privileged == true),
            NamespaceOptions = SecurityContexts.Namespaces(pod, null),
            Seccomp = SecurityContexts.Seccomp(spec?.SeccompProfile) ?? new Cri.SecurityProfile { ProfileType = Cri.SecurityProfile.Types.ProfileType.RuntimeDefault },
            SelinuxOptions = SecurityContexts.Selinux(spec?.SeLinuxOptions),
        };
        // The pause process runs as whoever the containers run as only when the pod says so for all of them.
        if (spec?.RunAsUser is { } user)
            security.RunAsUser = new Cri.Int64Value { Value = user };
        if (spec?.RunAsGroup is { } group && spec.RunAsUser is not null)
            security.RunAsGroup = new Cri.Int64Value { Value = group };
        security.SupplementalGroups.AddRange(SecurityContexts.SupplementalGroups(pod));
        return security;
    }
}
