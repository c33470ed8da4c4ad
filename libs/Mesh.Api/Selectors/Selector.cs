using System.Text.Json.Nodes;

namespace Mesh.Api.Selectors;

/// <summary>
/// A label selector ready to match: all of its requirements must hold. No requirement matches everything;
/// <see cref="Nothing"/> matches nothing (what a missing selector of an object means).
/// </summary>
public sealed class Selector
{
    private readonly Requirement[] requirements;
    private readonly bool never;

    private Selector(Requirement[] requirements, bool never = false)
    {
        this.requirements = requirements;
        this.never = never;
    }

    /// <summary>Matches every label set.</summary>
    public static Selector Everything { get; } = new([]);

    /// <summary>Matches no label set.</summary>
    public static Selector Nothing { get; } = new([], never: true);

    /// <summary>The conditions, ordered by key.</summary>
    public IReadOnlyList<Requirement> Requirements => requirements;

    /// <summary>True when every label set matches.</summary>
    public bool IsEverything => !never && requirements.Length == 0;

    /// <summary>Reads the text form (labelSelector=...). Throws FormatException with Kubernetes' message.</summary>
    public static Selector Parse(string? text) =>
        string.IsNullOrWhiteSpace(text) ? Everything : FromRequirements(new SelectorParser(text).Parse());

    /// <summary>A selector of these conditions.</summary>
    public static Selector FromRequirements(IEnumerable<Requirement> requirements) =>
        new([.. requirements.OrderBy(r => r.Key, StringComparer.Ordinal)]);

    /// <summary>All these labels with these values (spec.selector of Services and ReplicationControllers).</summary>
    public static Selector FromSet(IEnumerable<KeyValuePair<string, string>>? set) =>
        set is null ? Everything : FromRequirements(set.Select(p => new Requirement(p.Key, SelectorOperator.Equals, [p.Value])));

    /// <summary>
    /// A LabelSelector object in JSON: null matches nothing, an empty one everything. Throws FormatException for unknown operators and bad values.
    /// </summary>
    public static Selector FromJson(JsonObject? labelSelector)
    {
        if (labelSelector is null)
            return Nothing;
        var list = new List<Requirement>();
        if (labelSelector["matchLabels"] is JsonObject labels)
        {
            foreach (var (key, value) in labels)
                list.Add(Requirement.Create(key, SelectorOperator.Equals, [value?.ToString() ?? string.Empty]));
        }

        if (labelSelector["matchExpressions"] is JsonArray expressions)
        {
            foreach (var expression in expressions.OfType<JsonObject>())
            {
                var values = (expression["values"] as JsonArray)?.Select(v => v?.ToString() ?? string.Empty).ToArray() ?? [];
                list.Add(FromExpression(expression["key"]?.ToString() ?? string.Empty, expression["operator"]?.ToString() ?? string.Empty, values));
            }
        }

        return FromRequirements(list);
    }

    /// <summary>One matchExpressions entry: In, NotIn, Exists, DoesNotExist (and Gt, Lt of node selectors). Throws FormatException.</summary>
    public static Requirement FromExpression(string key, string op, IReadOnlyList<string> values) => op switch
    {
        "In" => Requirement.Create(key, SelectorOperator.In, values),
        "NotIn" => Requirement.Create(key, SelectorOperator.NotIn, values),
        "Exists" => Requirement.Create(key, SelectorOperator.Exists, values),
        "DoesNotExist" => Requirement.Create(key, SelectorOperator.DoesNotExist, values),
        "Gt" => Requirement.Create(key, SelectorOperator.GreaterThan, values),
        "Lt" => Requirement.Create(key, SelectorOperator.LessThan, values),
        _ => throw new FormatException($"{GoText.Quote(op)} is not a valid label selector operator"),
    };

    /// <summary>True when the labels fulfil every requirement.</summary>
    public bool Matches<TLabels>(TLabels labels)
        where TLabels : ILabels
    {
        if (never)
            return false;
        foreach (var requirement in requirements)
        {
            if (!requirement.Matches(labels))
                return false;
        }

        return true;
    }

    /// <summary>Matches labels of a typed object.</summary>
    public bool Matches(IReadOnlyDictionary<string, string>? labels) => Matches(new DictionaryLabels(labels));

    /// <summary>Matches labels held as JSON.</summary>
    public bool Matches(JsonObject? labels) => Matches(new JsonLabels(labels));

    /// <summary>The text form.</summary>
    public override string ToString() => string.Join(',', requirements.Select(r => r.ToString()));
}
