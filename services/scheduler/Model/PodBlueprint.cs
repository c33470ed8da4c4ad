using System.Globalization;
using System.Text;
using Mesh.Api.Core.V1;
using Mesh.Scheduler.Constraints;

namespace Mesh.Scheduler.Model;

/// <summary>
/// What of a pod decides its place, read once. Pods with the same signature are placed in one run. <see cref="Resolve"/> puts it into
/// the numbers of the moment: taints and ports that came up since are judged then.
/// </summary>
internal sealed class PodBlueprint
{
    private const string NameField = "metadata.name";
    private readonly PodSpec _spec;
    private readonly ResourceAmounts _amounts;
    private readonly List<HostPort> _ports = [];
    private PodConstraints? _constraints;

    public PodBlueprint(Pod pod)
    {
        _spec = pod.Spec ?? new PodSpec();
        _amounts = ResourceAmounts.Of(ResizedSpec.Of(pod));
        foreach (var port in (_spec.Containers ?? []).Concat((_spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always")).SelectMany(c => c.Ports ?? []))
        {
            if (port.HostPort is > 0 and var number) _ports.Add(new HostPort(string.IsNullOrEmpty(port.HostIP) ? HostPort.Any : port.HostIP, port.Protocol ?? "TCP", number));
        }

        Owner = pod.Metadata.OwnerReferences?.FirstOrDefault(o => o.Controller == true)?.Uid;
        Identity = PodIdentity.Of(pod);
        IsConstrained = PodConstraints.AnyIn(_spec);
        Signature = Sign(pod);
    }

    /// <summary>Equal for pods that can be placed in one run.</summary>
    public string Signature { get; }

    /// <summary>Uid of the controller whose pods are to be spread, or null.</summary>
    public string? Owner { get; }

    /// <summary>Priority; preemption may only take pods below.</summary>
    public int Priority => _spec.Priority ?? 0;

    /// <summary>What other pods' constraints see of it.</summary>
    public PodIdentity Identity { get; }

    /// <summary>Whether other pods bear on where it may or should go.</summary>
    public bool IsConstrained { get; }

    /// <summary>How they do; null when they do not. Read when first asked for: most changes of a pod ask for nothing new.</summary>
    public PodConstraints? Constraints => IsConstrained ? _constraints ??= new PodConstraints(_spec, Identity) : null;

    /// <summary>What the pod takes, in numbers.</summary>
    public PodDemand Demand(Vocabulary words) => new()
    {
        Cpu = _amounts.Cpu,
        Memory = _amounts.Memory,
        Ephemeral = _amounts.Ephemeral,
        ScoreCpu = _amounts.ScoreCpu,
        ScoreMemory = _amounts.ScoreMemory,
        Extended = [.. _amounts.Extended.Keys.Order(StringComparer.Ordinal).Select(words.Resource)],
        ExtendedAmounts = [.. _amounts.Extended.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => e.Value)],
        Ports = [.. _ports.Select(words.Port).Distinct()],
    };

    /// <summary>Names of the extended resources, in the order of the demand.</summary>
    public IReadOnlyList<string> ExtendedNames => [.. _amounts.Extended.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The class in the numbers of the moment.</summary>
    public PodClass Resolve(Vocabulary words, Func<string, int> slotOf, int[]? spread, uint seed)
    {
        var affinity = _spec.Affinity?.NodeAffinity;
        var demand = Demand(words);
        return new PodClass
        {
            Demand = demand,
            Node = string.IsNullOrEmpty(_spec.NodeName) ? PodClass.AnyNode : slotOf(_spec.NodeName) is >= 0 and var slot ? slot : PodClass.NoNode,
            ToleratesUnschedulable = Tolerates(new TaintKey("node.kubernetes.io/unschedulable", "", "NoSchedule")),
            Seed = seed,
            Selector = _spec.NodeSelector is { Count: > 0 } selector ? new Term([.. selector.Select(s => new Requirement(RequirementOp.HasPair, [words.Pair(s.Key, s.Value)]))]) : null,
            Required = affinity?.RequiredDuringSchedulingIgnoredDuringExecution is { } required ? [.. (required.NodeSelectorTerms ?? []).Select(t => ToTerm(words, t, 0))] : null,
            Preferred = [.. (affinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Where(p => p.Weight is > 0 && p.Preference is not null).Select(p => ToTerm(words, p.Preference!, p.Weight!.Value))],
            BlockedTaints = TaintsWhere(words, t => t.Effect is "NoSchedule" or "NoExecute"),
            SoftTaints = TaintsWhere(words, t => t.Effect == "PreferNoSchedule"),
            BusyPorts = _ports.Count == 0 ? [] : [.. Enumerable.Range(0, words.Ports.Count).Where(id => _ports.Any(p => p.Collides(words.Ports[id])))],
            Spread = spread,
        };
    }

    /// <summary>Whether a toleration of the pod covers the taint.</summary>
    public bool Tolerates(TaintKey taint) => (_spec.Tolerations ?? []).Any(t => Covers(t, taint));

    private static bool Covers(Toleration toleration, TaintKey taint)
    {
        if (!string.IsNullOrEmpty(toleration.Effect) && toleration.Effect != taint.Effect) return false;
        if (!string.IsNullOrEmpty(toleration.Key) && toleration.Key != taint.Key) return false;
        return toleration.Operator switch
        {
            "Exists" => true,
            null or "" or "Equal" => !string.IsNullOrEmpty(toleration.Key) && (toleration.Value ?? "") == taint.Value,
            "Lt" or "Gt" => long.TryParse(toleration.Value, out var bound) && long.TryParse(taint.Value, out var value) && (toleration.Operator == "Lt" ? value < bound : value > bound),
            _ => false,
        };
    }

    private int[] TaintsWhere(Vocabulary words, Func<TaintKey, bool> keepsAway) =>
        [.. Enumerable.Range(0, words.Taints.Count).Where(id => keepsAway(words.Taints[id]) && !Tolerates(words.Taints[id]))];

    private static Term ToTerm(Vocabulary words, NodeSelectorTerm term, int weight)
    {
        var requirements = new List<Requirement>();
        foreach (var expression in term.MatchExpressions ?? []) requirements.Add(ToRequirement(words, expression.Key ?? "", expression));
        foreach (var field in term.MatchFields ?? []) requirements.Add(ToRequirement(words, FieldKey(field.Key ?? ""), field));
        return new Term([.. requirements], weight);
    }

    private static Requirement ToRequirement(Vocabulary words, string key, NodeSelectorRequirement expression)
    {
        var values = expression.Values ?? [];
        switch (expression.Operator)
        {
            case "In": return new Requirement(RequirementOp.HasPair, [.. values.Select(v => words.Pair(key, v))]);
            case "NotIn": return new Requirement(RequirementOp.LacksPairs, [.. values.Select(v => words.Pair(key, v))]);
            case "Exists": return new Requirement(RequirementOp.HasKey, [words.Key(key)]);
            case "DoesNotExist": return new Requirement(RequirementOp.LacksKey, [words.Key(key)]);
            case "Gt" or "Lt" when values.Count == 1 && long.TryParse(values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var bound):
                return new Requirement(RequirementOp.HasPair, words.PairsCompared(key, bound, expression.Operator == "Gt"));
            default: return new Requirement(RequirementOp.HasPair, []); // matches nothing
        }
    }

    /// <summary>Key under which a node's field is kept among its labels; no label can be called so.</summary>
    internal static string FieldKey(string field) => "\0" + field;

    /// <summary>The pair of a node's own name.</summary>
    internal static int NamePair(Vocabulary words, string node) => words.Pair(FieldKey(NameField), node);

    private string Sign(Pod pod)
    {
        var text = new StringBuilder();
        text.Append(pod.Metadata.Namespace).Append('|').Append(Owner).Append('|').Append(Priority).Append('|').Append(_spec.NodeName).Append('|').Append(_spec.PreemptionPolicy)
            .Append('|').Append(_amounts.Cpu).Append(',').Append(_amounts.Memory).Append(',').Append(_amounts.Ephemeral).Append(',').Append(_amounts.ScoreCpu).Append(',').Append(_amounts.ScoreMemory);
        foreach (var (name, amount) in _amounts.Extended.OrderBy(e => e.Key, StringComparer.Ordinal)) text.Append('|').Append(name).Append('=').Append(amount);
        foreach (var port in _ports) text.Append('|').Append(port);
        foreach (var (key, value) in (_spec.NodeSelector ?? []).OrderBy(s => s.Key, StringComparer.Ordinal)) text.Append('|').Append(key).Append('=').Append(value);
        foreach (var t in _spec.Tolerations ?? []) text.Append('|').Append(t.Key).Append(' ').Append(t.Operator).Append(' ').Append(t.Value).Append(' ').Append(t.Effect);
        if (_spec.Affinity is { } affinity) text.Append('|').Append(Encoding.UTF8.GetString(Json(affinity.WriteJson)));
        foreach (var constraint in _spec.TopologySpreadConstraints ?? []) text.Append('|').Append(Encoding.UTF8.GetString(Json(constraint.WriteJson)));

        // Which pods are meant may depend on the pod's own labels.
        if (IsConstrained)
        {
            foreach (var (key, value) in Identity.Labels.OrderBy(l => l.Key, StringComparer.Ordinal)) text.Append('|').Append(key).Append('=').Append(value);
        }

        return text.ToString();
    }

    private static byte[] Json(Action<System.Text.Json.Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new System.Text.Json.Utf8JsonWriter(buffer)) write(writer);
        return buffer.ToArray();
    }
}
