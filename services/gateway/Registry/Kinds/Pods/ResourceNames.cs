using System.Collections.Frozen;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Names of resources: which there are, where they may stand, which are counted in whole numbers.</summary>
internal static class ResourceNames
{
    private static readonly FrozenSet<string> Quota = new[]
    {
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
        "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps", "services.nodeports",
        "services.loadbalancers",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Whole = new[]
    {
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Kubernetes' own: without a domain or in kubernetes.io.</summary>
    public static bool IsNative(string name) => !name.Contains('/') || name.Contains("kubernetes.io/", StringComparison.Ordinal);

    public static bool IsHugePage(string name) => name.StartsWith("hugepages-", StringComparison.Ordinal);

    /// <summary>Devices and the like: somebody else's domain.</summary>
    public static bool IsExtended(string name) =>
        !IsNative(name) && !name.StartsWith("requests.", StringComparison.Ordinal) && Names.QualifiedName("requests." + name).Count == 0;

    /// <summary>Whether more of it may be promised than there is.</summary>
    public static bool MayOvercommit(string name) => IsNative(name) && !IsHugePage(name);

    public static bool IsInteger(string name) => Whole.Contains(name) || IsExtended(name);

    /// <summary>Whether a quota can be on it by its plain name.</summary>
    public static bool IsStandardQuota(string name) =>
        Quota.Contains(name) || IsHugePage(name) || name.StartsWith("requests.hugepages-", StringComparison.Ordinal);

    /// <summary>A name in a container's requests or limits.</summary>
    public static void Container(List<FieldError> errors, FieldPath at, string name)
    {
        if (name is "cpu" or "memory" or "ephemeral-storage")
            return;
        Any(errors, at, name);
        if (!name.Contains('/'))
        {
            if (!IsHugePage(name))
                errors.Add(FieldError.Invalid(at, name, "must be a standard resource for containers"));
        }
        else if (!IsNative(name) && !IsExtended(name))
        {
            errors.Add(FieldError.Invalid(at, name, "doesn't follow extended resource name standard"));
        }
    }

    /// <summary>A name in a pod's own requests or limits.</summary>
    public static void Pod(List<FieldError> errors, FieldPath at, string name)
    {
        var before = errors.Count;
        Any(errors, at, name);
        if (errors.Count == before && name is not ("cpu" or "memory") && !IsHugePage(name))
            errors.Add(FieldError.NotSupported(at, name, "cpu", "hugepages-", "memory"));
    }

    /// <summary>A name in a quota.</summary>
    public static void OfQuota(List<FieldError> errors, FieldPath at, string name)
    {
        Any(errors, at, name);
        if (!name.Contains('/') && !IsStandardQuota(name))
            errors.Add(FieldError.Invalid(at, name, "must be a standard resource for quota"));
    }

    /// <summary>A name anywhere.</summary>
    public static void Any(List<FieldError> errors, FieldPath at, string name)
    {
        var broken = Names.QualifiedName(name);
        errors.Rules(at, name, broken);
        if (broken.Count == 0 && !name.Contains('/') && name != "storage" && !IsStandardQuota(name))
            errors.Add(FieldError.Invalid(at, name, "must be a standard resource type or fully qualified"));
    }
}
