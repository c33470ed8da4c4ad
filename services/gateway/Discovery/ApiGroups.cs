using System.Globalization;
using Mesh.Api;

namespace Mesh.Gateway.Discovery;

/// <summary>One version of a group and its resources by name.</summary>
internal sealed record ApiGroupVersion(string Version, IReadOnlyList<ApiResource> Resources);

/// <summary>A group and its versions, the preferred one first.</summary>
internal sealed record ApiGroup(string Name, IReadOnlyList<ApiGroupVersion> Versions);

/// <summary>Resources by group and version, in the order in which clients look for a name without a group.</summary>
internal sealed class ApiGroups
{
    // Groups of Kubernetes in their order of precedence; all others follow by name.
    private static readonly string[] Order =
    [
        "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io",
        "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io",
        "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io", "storagemigration.k8s.io",
    ];

    public ApiGroups(IEnumerable<ApiResource> resources)
    {
        All = [.. resources.Where(r => r.Plural.Length > 0).GroupBy(r => r.Group)
            .OrderBy(g => Array.IndexOf(Order, g.Key) is >= 0 and var at ? at : Order.Length).ThenBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new ApiGroup(g.Key, [.. g.GroupBy(r => r.Version).OrderByDescending(v => Rank(v.Key))
                .Select(v => new ApiGroupVersion(v.Key, [.. v.OrderBy(r => r.Plural, StringComparer.Ordinal)]))]))];
    }

    /// <summary>All groups.</summary>
    public IReadOnlyList<ApiGroup> All { get; }

    /// <summary>The group without a name.</summary>
    public ApiGroup Core => All.FirstOrDefault(g => g.Name.Length == 0) ?? new(string.Empty, []);

    /// <summary>The groups under /apis.</summary>
    public IEnumerable<ApiGroup> Named => All.Where(g => g.Name.Length > 0);

    /// <summary>One version of a group, or null.</summary>
    public ApiGroupVersion? Find(string group, string version) => All.FirstOrDefault(g => g.Name == group)?.Versions.FirstOrDefault(v => v.Version == version);

    /// <summary>Finished before beta before alpha, then higher numbers first.</summary>
    internal static int Rank(string version)
    {
        var rest = version.AsSpan(version.StartsWith('v') ? 1 : 0);
        var end = rest.IndexOfAnyExceptInRange('0', '9');
        var major = Number(end < 0 ? rest : rest[..end]);
        var stage = end < 0 ? 2 : rest[end..].StartsWith("beta") ? 1 : 0;
        var minor = end < 0 ? 0 : Number(rest[end..].TrimStart("abehlpt"));
        return (stage * 1_000_000) + (major * 1000) + minor;
    }

    private static int Number(ReadOnlySpan<char> text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
