using Mesh.Api;
using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Namespaces;

/// <summary>What a deletion pass found and could not do.</summary>
internal sealed class DeletionReport
{
    /// <summary>Instances left, by "pods." or "deployments.apps".</summary>
    internal SortedDictionary<string, int> Remaining { get; } = new(StringComparer.Ordinal);

    /// <summary>Instances that hold each finalizer.</summary>
    internal SortedDictionary<string, int> Finalizers { get; } = new(StringComparer.Ordinal);

    /// <summary>Failures, in words.</summary>
    internal List<string> Failures { get; } = [];

    internal bool Empty => Remaining.Count == 0 && Failures.Count == 0;
}

/// <summary>The pure side of namespace deletion: which resources, in which order, and what the conditions say.</summary>
internal static class NamespaceContents
{
    /// <summary>One entry a stored resource: several versions show the same objects. Pods come first, and the rest waits for them.</summary>
    internal static (ApiResource Pods, IReadOnlyList<ApiResource> Others) Resources(IEnumerable<ApiResource> table)
    {
        var all = Stored(table).Where(r => r.Namespaced && r.HasVerb("delete") && r.HasVerb("list")).ToList();
        var pods = all.Find(r => r is { Group: "", Plural: "pods" }) ?? throw new InvalidOperationException("the resource table has no pods");
        return (pods, [.. all.Where(r => r != pods)]);
    }

    /// <summary>Each group's resource in its most stable version; events are kept under both groups' names but stored once.</summary>
    internal static IEnumerable<ApiResource> Stored(IEnumerable<ApiResource> table) =>
        table.Where(r => r.Plural.Length > 0 && r is not { Group: "events.k8s.io", Plural: "events" })
            .GroupBy(r => (r.Group, r.Plural))
            .Select(g => g.OrderBy(r => Stability(r.Version)).First());

    /// <summary>The conditions of a namespace whose deletion goes on; times change only with the status.</summary>
    internal static List<NamespaceCondition> Conditions(IReadOnlyList<NamespaceCondition>? before, DeletionReport report, DateTime now)
    {
        var failed = report.Failures.Count > 0;
        var remaining = string.Join(", ", report.Remaining.Select(r => $"{r.Key} has {r.Value} resource instances"));
        var finalizers = string.Join(", ", report.Finalizers.Select(f => $"{f.Key} in {f.Value} resource instances"));
        return
        [
            Make("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered"),
            Make("NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions", "All legacy kube types successfully parsed"),
            failed
                ? Make("NamespaceDeletionContentFailure", true, "ContentDeletionFailed", "Failed to delete all resource types, " + report.Failures.Count + " remaining: " + string.Join(", ", report.Failures))
                : Make("NamespaceDeletionContentFailure", false, "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
            report.Remaining.Count > 0
                ? Make("NamespaceContentRemaining", true, "SomeResourcesRemain", "Some resources are remaining: " + remaining)
                : Make("NamespaceContentRemaining", false, "ContentRemoved", "All content successfully removed"),
            report.Finalizers.Count > 0
                ? Make("NamespaceFinalizersRemaining", true, "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: " + finalizers)
                : Make("NamespaceFinalizersRemaining", false, "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ];

        NamespaceCondition Make(string type, bool status, string reason, string message)
        {
            var text = status ? "True" : "False";
            var old = before?.FirstOrDefault(c => c.Type == type);
            return new NamespaceCondition
            {
                Type = type,
                Status = text,
                Reason = reason,
                Message = message,
                LastTransitionTime = old?.Status == text ? old.LastTransitionTime : now,
            };
        }
    }

    private static int Stability(string version) => version.Contains("alpha", StringComparison.Ordinal) ? 2 : version.Contains("beta", StringComparison.Ordinal) ? 1 : 0;
}
