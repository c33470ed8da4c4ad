using Mesh.Api.Meta.V1;
using Mesh.Api.Selectors;

namespace Mesh.Scheduler.Constraints;

/// <summary>Typed label selectors made ready to match, with the keys whose values come from the pod that carries them (KEP-3243, KEP-3633).</summary>
internal static class LabelSelectors
{
    /// <summary>Null matches nothing, an empty selector everything. Keys that the labels lack are passed over. What the API would refuse matches nothing.</summary>
    public static Selector Of(LabelSelector? selector, IReadOnlyDictionary<string, string>? labels = null, List<string>? matchKeys = null, List<string>? mismatchKeys = null)
    {
        if (selector is null) return Selector.Nothing;
        try
        {
            var requirements = new List<Requirement>();
            foreach (var (key, value) in selector.MatchLabels ?? []) requirements.Add(Requirement.Create(key, SelectorOperator.Equals, [value]));
            foreach (var e in selector.MatchExpressions ?? []) requirements.Add(Selector.FromExpression(e.Key ?? "", e.Operator ?? "", e.Values ?? []));
            Add(SelectorOperator.In, matchKeys);
            Add(SelectorOperator.NotIn, mismatchKeys);
            return Selector.FromRequirements(requirements);

            void Add(SelectorOperator op, List<string>? keys)
            {
                foreach (var key in keys ?? [])
                {
                    if (labels is not null && labels.TryGetValue(key, out var value)) requirements.Add(Requirement.Create(key, op, [value]));
                }
            }
        }
        catch (FormatException)
        {
            return Selector.Nothing;
        }
    }

    /// <summary>Equal for selectors that match the same.</summary>
    public static string Text(Selector selector) => selector.IsEverything ? "*" : selector.Requirements.Count == 0 ? "-" : selector.ToString();
}
