using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;

namespace Mesh.Scheduler.Tests.Constraints;

/// <summary>The rules said once more in the plainest way: every node looks at every pod, on the API's own types, without index or memory.</summary>
internal sealed class BruteForce
{
    public List<Node> Nodes { get; } = [];

    public List<Pod> Pods { get; } = [];

    public Dictionary<string, Dictionary<string, string>> Namespaces { get; } = [];

    /// <summary>Why a node does not take the pod; null when it does.</summary>
    public string? Refuses(Node node, Pod pod)
    {
        if (Tainted(pod, node)) return "node(s) had untolerated taint {k: }";
        if (!Selects(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
        var hard = Constraints(pod, "DoNotSchedule");
        foreach (var c in hard)
        {
            if (Label(node, c.TopologyKey!) is not { } value) return "node(s) didn't match pod topology spread constraints (missing required label)";
            var counts = Counts(pod, c, hard);
            var least = counts.Count < (c.MinDomains ?? 1) ? 0 : counts.Values.Min();
            if (counts.GetValueOrDefault(value) + (Matches(Spreading(c, pod), pod) ? 1 : 0) - least > c.MaxSkew) return "node(s) didn't match pod topology spread constraints";
        }

        var near = pod.Spec!.Affinity?.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? [];
        var joined = On().Where(p => near.TrueForAll(t => Means(t, pod, p.Pod))).ToList();
        if (near.Exists(t => Label(node, t.TopologyKey!) is null)) return "node(s) didn't match pod affinity rules";
        var alone = !near.Exists(t => joined.Exists(j => Label(j.Node, t.TopologyKey!) is not null)) && near.TrueForAll(t => Means(t, pod, pod));
        if (!alone && near.Exists(t => !joined.Exists(j => Together(j.Node, node, t.TopologyKey!)))) return "node(s) didn't match pod affinity rules";

        var apart = pod.Spec.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? [];
        if (apart.Exists(t => On().Any(o => Means(t, pod, o.Pod) && Together(o.Node, node, t.TopologyKey!)))) return "node(s) didn't match pod anti-affinity rules";
        foreach (var (other, at) in On())
        {
            var theirs = other.Spec!.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? [];
            if (theirs.Exists(t => Means(t, other, pod) && Together(at, node, t.TopologyKey!))) return "node(s) didn't satisfy existing pods anti-affinity rules";
        }

        return null;
    }

    /// <summary>The scores of constraints for the nodes that take the pod.</summary>
    public Dictionary<string, long> Scores(Pod pod, List<Node> fitting)
    {
        var near = fitting.ToDictionary(n => n, n => Liking(n, pod));
        var (least, most) = (near.Values.Min(), near.Values.Max());
        var spread = Spread(pod, fitting);
        return fitting.ToDictionary(n => n.Metadata.Name!, n => (2 * (most == least ? 0 : (long)(100.0 * ((double)(near[n] - least) / (most - least))))) + (2 * spread[n]));
    }

    private long Liking(Node node, Pod pod)
    {
        var sum = 0L;
        foreach (var (other, at) in On())
        {
            foreach (var (carrier, target) in new[] { (pod, other), (other, pod) })
            {
                foreach (var t in carrier.Spec!.Affinity?.PodAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []) Add(t.PodAffinityTerm!, carrier, target, t.Weight!.Value);
                foreach (var t in carrier.Spec!.Affinity?.PodAntiAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []) Add(t.PodAffinityTerm!, carrier, target, -t.Weight!.Value);
            }

            foreach (var t in other.Spec!.Affinity?.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []) Add(t, other, pod, 1);

            void Add(PodAffinityTerm term, Pod carrier, Pod target, int weight)
            {
                if (Means(term, carrier, target) && Together(at, node, term.TopologyKey!)) sum += weight;
            }
        }

        return sum;
    }

    private Dictionary<Node, long> Spread(Pod pod, List<Node> fitting)
    {
        var soft = Constraints(pod, "ScheduleAnyway");
        var result = fitting.ToDictionary(n => n, _ => 0L);
        var scored = fitting.Where(n => soft.TrueForAll(c => Label(n, c.TopologyKey!) is not null)).ToList();
        if (soft.Count == 0 || scored.Count == 0) return result;
        foreach (var node in scored)
        {
            var sum = 0.0;
            foreach (var c in soft)
            {
                var host = c.TopologyKey == World.Host;
                var size = host ? scored.Count : scored.Select(n => Label(n, c.TopologyKey!)).Distinct().Count();
                var pods = host ? On().Count(o => o.Node == node && Counted(c, pod, o.Pod)) : Counts(pod, c, soft).GetValueOrDefault(Label(node, c.TopologyKey!)!);
                sum += (pods * Math.Log(size + 2.0)) + (c.MaxSkew!.Value - 1);
            }

            result[node] = (long)Math.Round(sum, MidpointRounding.AwayFromZero);
        }

        var (least, most) = (scored.Min(n => result[n]), scored.Max(n => result[n]));
        foreach (var node in scored) result[node] = most == 0 ? 100 : 100 * (most + least - result[node]) / most;
        return result;
    }

    // Pods by domain, over the nodes that take part.
    private Dictionary<string, int> Counts(Pod pod, TopologySpreadConstraint c, List<TopologySpreadConstraint> all)
    {
        var counts = new Dictionary<string, int>();
        foreach (var node in Nodes)
        {
            if (all.Exists(a => Label(node, a.TopologyKey!) is null)) continue;
            if (c.NodeAffinityPolicy != "Ignore" && !Selects(pod, node)) continue;
            if (c.NodeTaintsPolicy == "Honor" && Tainted(pod, node)) continue;
            var value = Label(node, c.TopologyKey!)!;
            counts[value] = counts.GetValueOrDefault(value) + On().Count(o => o.Node == node && Counted(c, pod, o.Pod));
        }

        return counts;
    }

    private static bool Counted(TopologySpreadConstraint c, Pod pod, Pod other)
    {
        var selector = Spreading(c, pod);
        var empty = selector is { MatchLabels: null or { Count: 0 }, MatchExpressions: null or { Count: 0 } };
        return !empty && other.Metadata.DeletionTimestamp is null && other.Metadata.Namespace == pod.Metadata.Namespace && Matches(selector, other);
    }

    private IEnumerable<(Pod Pod, Node Node)> On() => from p in Pods join n in Nodes on p.Spec!.NodeName equals n.Metadata.Name select (p, n);

    private static List<TopologySpreadConstraint> Constraints(Pod pod, string when) => [.. (pod.Spec!.TopologySpreadConstraints ?? []).Where(c => c.WhenUnsatisfiable == when)];

    private static bool Tainted(Pod pod, Node node) => (node.Spec!.Taints ?? []).Exists(t => !(pod.Spec!.Tolerations ?? []).Exists(o => o.Key == t.Key));

    private static bool Selects(Pod pod, Node node) => (pod.Spec!.NodeSelector ?? []).All(s => Label(node, s.Key) == s.Value);

    private static bool Together(Node a, Node b, string key) => Label(a, key) is { } value && Label(b, key) == value;

    private static string? Label(Node node, string key) => node.Metadata.Labels?.GetValueOrDefault(key);

    private static LabelSelector? Spreading(TopologySpreadConstraint c, Pod carrier) => WithKeys(c.LabelSelector, carrier, c.MatchLabelKeys, null);

    private bool Means(PodAffinityTerm term, Pod carrier, Pod other)
    {
        var ns = other.Metadata.Namespace!;
        var own = term.Namespaces is not { Count: > 0 } && term.NamespaceSelector is null;
        var there = own ? ns == carrier.Metadata.Namespace
            : (term.Namespaces ?? []).Contains(ns) || (term.NamespaceSelector is { } s && Matches(s, Namespaces.GetValueOrDefault(ns) ?? []));
        return there && Matches(WithKeys(term.LabelSelector, carrier, term.MatchLabelKeys, term.MismatchLabelKeys), other);
    }

    private static LabelSelector? WithKeys(LabelSelector? selector, Pod carrier, List<string>? same, List<string>? other)
    {
        if (selector is null) return null;
        var expressions = new List<LabelSelectorRequirement>(selector.MatchExpressions ?? []);
        foreach (var key in same ?? []) Add(key, "In");
        foreach (var key in other ?? []) Add(key, "NotIn");
        return new LabelSelector { MatchLabels = selector.MatchLabels, MatchExpressions = expressions };

        void Add(string key, string op)
        {
            if (carrier.Metadata.Labels?.GetValueOrDefault(key) is { } value) expressions.Add(new LabelSelectorRequirement { Key = key, Operator = op, Values = [value] });
        }
    }

    private static bool Matches(LabelSelector? selector, Pod pod) => Matches(selector, pod.Metadata.Labels ?? []);

    private static bool Matches(LabelSelector? selector, Dictionary<string, string> labels) => selector is not null
        && (selector.MatchLabels ?? []).All(l => labels.GetValueOrDefault(l.Key) == l.Value)
        && (selector.MatchExpressions ?? []).All(e => e.Operator switch
        {
            "In" => labels.TryGetValue(e.Key!, out var v) && e.Values!.Contains(v),
            "NotIn" => !labels.TryGetValue(e.Key!, out var v) || !e.Values!.Contains(v),
            "Exists" => labels.ContainsKey(e.Key!),
            _ => !labels.ContainsKey(e.Key!),
        });
}
