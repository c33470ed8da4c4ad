using Mesh.Api.Core.V1;

namespace Mesh.Scheduler.Constraints;

/// <summary>What other pods' constraints see of a pod.</summary>
internal sealed class PodIdentity(string ns, IReadOnlyDictionary<string, string>? labels, bool terminating)
{
    private static readonly Dictionary<string, string> None = [];

    /// <summary>Its namespace.</summary>
    public string Namespace { get; } = ns;

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; } = labels ?? None;

    /// <summary>It is being deleted: spreading counts it no more, affinity does.</summary>
    public bool Terminating { get; } = terminating;

    /// <summary>That of a pod.</summary>
    public static PodIdentity Of(Pod pod) => new(pod.Metadata.Namespace ?? "", pod.Metadata.Labels, pod.Metadata.DeletionTimestamp is not null);

    /// <summary>Whether no constraint can tell the two apart.</summary>
    public bool Same(PodIdentity other) => ReferenceEquals(this, other) || (Terminating == other.Terminating && Namespace == other.Namespace && SameLabels(other));

    private bool SameLabels(PodIdentity other)
    {
        if (ReferenceEquals(Labels, other.Labels)) return true;
        if (Labels.Count != other.Labels.Count) return false;
        foreach (var (key, value) in Labels)
        {
            if (!other.Labels.TryGetValue(key, out var theirs) || theirs != value) return false;
        }

        return true;
    }
}
