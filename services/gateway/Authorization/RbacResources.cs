using Mesh.Api;

namespace Mesh.Gateway.Authorization;

/// <summary>The resources that authentication, authorization and admission read.</summary>
internal static class RbacResources
{
    public const string Group = "rbac.authorization.k8s.io";

    public static ApiResource Roles { get; } = Find(Group, "v1", "roles");

    public static ApiResource ClusterRoles { get; } = Find(Group, "v1", "clusterroles");

    public static ApiResource RoleBindings { get; } = Find(Group, "v1", "rolebindings");

    public static ApiResource ClusterRoleBindings { get; } = Find(Group, "v1", "clusterrolebindings");

    public static ApiResource Pods { get; } = Find("", "v1", "pods");

    public static ApiResource Secrets { get; } = Find("", "v1", "secrets");

    public static ApiResource Nodes { get; } = Find("", "v1", "nodes");

    public static ApiResource ServiceAccounts { get; } = Find("", "v1", "serviceaccounts");

    public static ApiResource Namespaces { get; } = Find("", "v1", "namespaces");

    public static ApiResource PersistentVolumeClaims { get; } = Find("", "v1", "persistentvolumeclaims");

    public static ApiResource PersistentVolumes { get; } = Find("", "v1", "persistentvolumes");

    public static ApiResource LimitRanges { get; } = Find("", "v1", "limitranges");

    public static ApiResource ResourceQuotas { get; } = Find("", "v1", "resourcequotas");

    public static ApiResource VolumeAttachments { get; } = Find("storage.k8s.io", "v1", "volumeattachments");

    public static ApiResource StorageClasses { get; } = Find("storage.k8s.io", "v1", "storageclasses");

    public static ApiResource PriorityClasses { get; } = Find("scheduling.k8s.io", "v1", "priorityclasses");

    public static ApiResource RuntimeClasses { get; } = Find("node.k8s.io", "v1", "runtimeclasses");

    public static ApiResource IngressClasses { get; } = Find("networking.k8s.io", "v1", "ingressclasses");

    private static ApiResource Find(string group, string version, string plural) =>
        ResourceTable.Find(group, version, plural) ?? throw new InvalidOperationException($"the resource table lacks {group}/{version}/{plural}");
}
