using Mesh.Api.Core.V1;
using Mesh.Api.Selectors;

namespace Mesh.Scheduler.Constraints;

/// <summary>One of a pod's topologySpreadConstraints.</summary>
internal sealed class SpreadConstraint
{
    private readonly Selector _selector;
    private readonly string _namespace;

    public SpreadConstraint(TopologySpreadConstraint constraint, PodIdentity carrier)
    {
        _namespace = carrier.Namespace;
        _selector = LabelSelectors.Of(constraint.LabelSelector, carrier.Labels, constraint.MatchLabelKeys);
        TopologyKey = constraint.TopologyKey ?? "";
        MaxSkew = constraint.MaxSkew ?? 1;
        MinDomains = constraint.MinDomains ?? 1;
        HonoursNodeAffinity = constraint.NodeAffinityPolicy != "Ignore";
        HonoursTaints = constraint.NodeTaintsPolicy == "Honor";
        CountsItself = _selector.Matches(carrier.Labels);
        Pods = $"{_namespace}/{LabelSelectors.Text(_selector)}";
    }

    /// <summary>Label of nodes whose values are the domains.</summary>
    public string TopologyKey { get; }

    /// <summary>How many pods a domain may have more than the emptiest.</summary>
    public int MaxSkew { get; }

    /// <summary>With fewer domains the emptiest counts as having none.</summary>
    public int MinDomains { get; }

    /// <summary>Only nodes that the pod's node selector and required node affinity allow make up domains.</summary>
    public bool HonoursNodeAffinity { get; }

    /// <summary>Only nodes whose taints the pod tolerates make up domains.</summary>
    public bool HonoursTaints { get; }

    /// <summary>The carrier is one of the pods it spreads.</summary>
    public bool CountsItself { get; }

    /// <summary>Equal for constraints that count the same pods.</summary>
    public string Pods { get; }

    /// <summary>Whether the constraint counts the pod. As in Kubernetes an empty selector counts none, though the carrier itself matches it.</summary>
    public bool Counts(PodIdentity pod) => !pod.Terminating && !_selector.IsEverything && pod.Namespace == _namespace && _selector.Matches(pod.Labels);
}
