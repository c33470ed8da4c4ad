using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Selectors;
using Mesh.Controllers.Nodes;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.DaemonSets;

/// <summary>A daemon set's pods: how one is made for a node, which node one is for, and whether a node may have one.</summary>
internal static class DaemonPods
{
    internal const string HashLabel = "controller-revision-hash";
    private const string GenerationLabel = "pod-template-generation";
    private const string GenerationAnnotation = "deprecated.daemonset.template.generation";
    private const string NodeNameField = "metadata.name";

    /// <summary>A pod of the template that only fits the node and stays through the node's troubles.</summary>
    internal static Pod Make(DaemonSet set, string node, string hash)
    {
        var pod = PodMaker.FromTemplate(set, set.Spec?.Template);
        (pod.Metadata.Labels ??= [])[HashLabel] = hash;
        if (set.Metadata.Annotations?.GetValueOrDefault(GenerationAnnotation) is { } generation) pod.Metadata.Labels[GenerationLabel] = generation;
        Tolerate(pod.Spec!);
        var affinity = (pod.Spec!.Affinity ??= new Affinity()).NodeAffinity ??= new NodeAffinity();
        var terms = (affinity.RequiredDuringSchedulingIgnoredDuringExecution ??= new NodeSelector()).NodeSelectorTerms ??= [];
        if (terms.Count == 0) terms.Add(new NodeSelectorTerm());
        // The node's name takes the place of every other field requirement; the terms' label requirements stay.
        foreach (var term in terms) term.MatchFields = [new NodeSelectorRequirement { Key = NodeNameField, Operator = "In", Values = [node] }];
        return pod;
    }

    /// <summary>The node a pod runs on, or is made for.</summary>
    internal static string NodeOf(Pod pod)
    {
        if (pod.Spec?.NodeName is { Length: > 0 } name) return name;
        foreach (var term in pod.Spec?.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms ?? [])
        {
            if (term.MatchFields?.Find(f => f is { Key: NodeNameField, Operator: "In", Values.Count: 1 }) is { } field) return field.Values![0];
        }

        return "";
    }

    /// <summary>Whether the node is to have a pod, and whether one that it has may stay.</summary>
    internal static (bool Run, bool Stay) Fits(DaemonSet set, Node node)
    {
        var spec = (set.Spec?.Template?.Spec ?? new PodSpec()).Clone();
        if (spec.NodeName is { Length: > 0 } only && only != node.Metadata.Name) return (false, false);
        if (!Selector.FromSet(spec.NodeSelector).Matches(node.Metadata.Labels) || !FitsAffinity(spec, node)) return (false, false);
        Tolerate(spec);
        var hostile = (node.Spec?.Taints ?? [])
            .Where(t => t.Effect is "NoSchedule" or "NoExecute" && !spec.Tolerations!.Exists(o => TaintTolerations.Tolerates(o, t))).ToList();
        return (hostile.Count == 0, !hostile.Exists(t => t.Effect == "NoExecute"));
    }

    private static bool FitsAffinity(PodSpec spec, Node node)
    {
        if (spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms is not { } terms) return true;
        var name = new Dictionary<string, string> { [NodeNameField] = node.Metadata.Name! };
        return terms.Exists(t => (t.MatchExpressions?.Count > 0 || t.MatchFields?.Count > 0)
            && Of(t.MatchExpressions).Matches(node.Metadata.Labels) && Of(t.MatchFields).Matches(name));

        static Selector Of(List<NodeSelectorRequirement>? all) =>
            Selector.FromRequirements((all ?? []).Select(r => Selector.FromExpression(r.Key ?? "", r.Operator ?? "", r.Values ?? [])));
    }

    private static void Tolerate(PodSpec spec)
    {
        var all = spec.Tolerations ??= [];
        Add("not-ready", "NoExecute");
        Add("unreachable", "NoExecute");
        foreach (var pressure in (string[])["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"]) Add(pressure, "NoSchedule");
        if (spec.HostNetwork == true) Add("network-unavailable", "NoSchedule");

        void Add(string what, string effect)
        {
            var key = "node.kubernetes.io/" + what;
            if (!all.Exists(t => t.Key == key && t.Operator == "Exists" && t.Effect == effect && t.TolerationSeconds is null))
                all.Add(new Toleration { Key = key, Operator = "Exists", Effect = effect });
        }
    }
}
