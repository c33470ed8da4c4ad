using Mesh.Api.Core.V1;
using Mesh.Api.Selectors;

namespace Mesh.Scheduler.Constraints;

/// <summary>A term of podAffinity or podAntiAffinity: pods of which namespaces with which labels, and within which topology.</summary>
internal sealed class AffinityTerm
{
    private readonly string[] _namespaces;
    private readonly Selector _namespaceSelector;
    private readonly Selector _selector;

    public AffinityTerm(PodAffinityTerm term, PodIdentity carrier, int weight)
    {
        // Without namespaces and namespaceSelector the carrier's own namespace is meant; an empty namespaceSelector means all.
        _namespaces = term.Namespaces is { Count: > 0 } named ? [.. named.Distinct().Order(StringComparer.Ordinal)] : term.NamespaceSelector is null ? [carrier.Namespace] : [];
        _namespaceSelector = LabelSelectors.Of(term.NamespaceSelector);
        SelectsNamespaces = term.NamespaceSelector is not null;
        _selector = LabelSelectors.Of(term.LabelSelector, carrier.Labels, term.MatchLabelKeys, term.MismatchLabelKeys);
        TopologyKey = term.TopologyKey ?? "";
        Weight = weight;
        Pods = $"{string.Join(',', _namespaces)};{LabelSelectors.Text(_namespaceSelector)};{LabelSelectors.Text(_selector)}";
    }

    /// <summary>Label of nodes whose values are the domains.</summary>
    public string TopologyKey { get; }

    /// <summary>Weight of a preferred term; negative when pods are to be kept away from.</summary>
    public int Weight { get; }

    /// <summary>Whether labels of namespaces decide.</summary>
    public bool SelectsNamespaces { get; }

    /// <summary>Equal for terms that mean the same pods.</summary>
    public string Pods { get; }

    /// <summary>Whether the term means the pod.</summary>
    public bool Matches(PodIdentity pod, NamespaceLabels namespaces) =>
        (_namespaces.Contains(pod.Namespace) || (SelectsNamespaces && _namespaceSelector.Matches(namespaces.Of(pod.Namespace)))) && _selector.Matches(pod.Labels);

    /// <summary>As <see cref="Matches"/>, but any namespace passes a namespace selector.</summary>
    public bool MayMatch(PodIdentity pod) => (SelectsNamespaces || _namespaces.Contains(pod.Namespace)) && _selector.Matches(pod.Labels);
}
