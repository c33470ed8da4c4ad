using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Containers;

/// <summary>Pod and container security contexts in CRI's terms; the container's own fields win over the pod's.</summary>
internal static class SecurityContexts
{
    // What a container may not see, or not write, of the kernel unless procMount is Unmasked.
    private static readonly string[] Masked =
    [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    private static readonly string[] ReadOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    public static Cri.NamespaceOption Namespaces(Pod pod, string? targetContainerId)
    {
        var option = new Cri.NamespaceOption
        {
            Network = pod.HostNetwork() ? Cri.NamespaceMode.Node : Cri.NamespaceMode.Pod,
            Ipc = pod.Spec?.HostIPC == true ? Cri.NamespaceMode.Node : Cri.NamespaceMode.Pod,
            Pid = pod.Spec?.HostPID == true ? Cri.NamespaceMode.Node
                : pod.Spec?.ShareProcessNamespace == true ? Cri.NamespaceMode.Pod : Cri.NamespaceMode.Container,
        };
        if (targetContainerId is not null && option.Pid == Cri.NamespaceMode.Container)
            (option.Pid, option.TargetId) = (Cri.NamespaceMode.Target, targetContainerId);
        return option;
    }

    /// <summary>Groups every process of the pod is in: those listed and the volumes' group.</summary>
    public static IEnumerable<long> SupplementalGroups(Pod pod)
    {
        var spec = pod.Spec?.SecurityContext;
        var groups = new List<long>(spec?.SupplementalGroups ?? []);
        if (spec?.FsGroup is { } fsGroup)
            groups.Add(fsGroup);
        return groups.Distinct();
    }

    public static long? User(Pod pod, Container container) => container.SecurityContext?.RunAsUser ?? pod.Spec?.SecurityContext?.RunAsUser;

    public static bool MustNotBeRoot(Pod pod, Container container) =>
        (container.SecurityContext?.RunAsNonRoot ?? pod.Spec?.SecurityContext?.RunAsNonRoot) == true;

    /// <summary>Refuses a container that must not run as root but would. Throws ContainerConfigException with Kubernetes' words.</summary>
    public static void VerifyNonRoot(Pod pod, Container container, long? imageUid, string imageUser)
    {
        if (!MustNotBeRoot(pod, container))
            return;
        var suffix = $"(pod: \"{pod.Describe()}\", container: {container.Name})";
        if (User(pod, container) is { } user)
        {
            if (user == 0)
                throw new ContainerConfigException($"container's runAsUser breaks non-root policy {suffix}");
            return;
        }

        if (imageUser.Length > 0)
            throw new ContainerConfigException($"container has runAsNonRoot and image has non-numeric user ({imageUser}), cannot verify user is non-root {suffix}");
        if (imageUid is null or 0)
            throw new ContainerConfigException($"container has runAsNonRoot and image will run as root {suffix}");
    }

    public static Cri.LinuxContainerSecurityContext Build(Pod pod, Container container, long? imageUid, string imageUser, string? targetContainerId)
    {
        var podLevel = pod.Spec?.SecurityContext;
        var own = container.SecurityContext;
        var security = new Cri.LinuxContainerSecurityContext
        {
            NamespaceOptions = Namespaces(pod, targetContainerId),
            Privileged = own?.Privileged == true,
            ReadonlyRootfs = own?.ReadOnlyRootFilesystem == true,
            NoNewPrivs = own?.AllowPrivilegeEscalation == false,
            SelinuxOptions = Selinux(own?.SeLinuxOptions ?? podLevel?.SeLinuxOptions),
            Seccomp = own?.Privileged == true ? Unconfined() : Seccomp(own?.SeccompProfile ?? podLevel?.SeccompProfile) ?? Unconfined(),
            Apparmor = AppArmor(own?.AppArmorProfile ?? podLevel?.AppArmorProfile),
        };
        if (User(pod, container) is { } user)
            security.RunAsUser = new Cri.Int64Value { Value = user };
        else if (imageUid is { } uid)
            security.RunAsUser = new Cri.Int64Value { Value = uid };
        else if (imageUser.Length > 0)
            security.RunAsUsername = imageUser;
        if ((own?.RunAsGroup ?? podLevel?.RunAsGroup) is { } group)
            security.RunAsGroup = new Cri.Int64Value { Value = group };
        security.SupplementalGroups.AddRange(SupplementalGroups(pod));
        if (podLevel?.SupplementalGroupsPolicy == "Strict")
            security.SupplementalGroupsPolicy = Cri.SupplementalGroupsPolicy.Strict;
        if (own?.Capabilities is { } capabilities)
        {
            security.Capabilities = new Cri.Capability();
            security.Capabilities.AddCapabilities.AddRange(capabilities.Add ?? []);
            security.Capabilities.DropCapabilities.AddRange(capabilities.Drop ?? []);
        }

        if (own?.ProcMount != "Unmasked" && !security.Privileged)
        {
            security.MaskedPaths.AddRange(Masked);
            security.ReadonlyPaths.AddRange(ReadOnly);
        }

        return security;
    }

    /// <summary>The profile, or null when none is asked for.</summary>
    public static Cri.SecurityProfile? Seccomp(SeccompProfile? profile) => profile?.Type switch
    {
        "RuntimeDefault" => new Cri.SecurityProfile { ProfileType = Cri.SecurityProfile.Types.ProfileType.RuntimeDefault },
        "Localhost" => new Cri.SecurityProfile { ProfileType = Cri.SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = profile.LocalhostProfile ?? "" },
        "Unconfined" => Unconfined(),
        _ => null,
    };

    public static Cri.SELinuxOption? Selinux(SELinuxOptions? options) => options is null
        ? null
        : new Cri.SELinuxOption { User = options.User ?? "", Role = options.Role ?? "", Type = options.Type ?? "", Level = options.Level ?? "" };

    private static Cri.SecurityProfile? AppArmor(AppArmorProfile? profile) => profile?.Type switch
    {
        "Localhost" => new Cri.SecurityProfile { ProfileType = Cri.SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = profile.LocalhostProfile ?? "" },
        "Unconfined" => Unconfined(),
        "RuntimeDefault" => new Cri.SecurityProfile { ProfileType = Cri.SecurityProfile.Types.ProfileType.RuntimeDefault },
        _ => null,
    };

    private static Cri.SecurityProfile Unconfined() => new() { ProfileType = Cri.SecurityProfile.Types.ProfileType.Unconfined };
}
