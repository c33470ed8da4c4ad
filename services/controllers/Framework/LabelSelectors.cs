using Mesh.Api.Meta.V1;
using Mesh.Api.Selectors;

namespace Mesh.Controllers.Framework;

/// <summary>Typed label selectors made ready to match.</summary>
internal static class LabelSelectors
{
    /// <summary>Null matches nothing, an empty selector everything, as everywhere in the API.</summary>
    internal static Selector Of(LabelSelector? selector)
    {
        if (selector is null) return Selector.Nothing;
        var requirements = new List<Requirement>();
        foreach (var (key, value) in selector.MatchLabels ?? []) requirements.Add(Requirement.Create(key, SelectorOperator.Equals, [value]));
        foreach (var e in selector.MatchExpressions ?? []) requirements.Add(Selector.FromExpression(e.Key ?? "", e.Operator ?? "", e.Values ?? []));
        return Selector.FromRequirements(requirements);
    }

    /// <summary>A selector that would match everything is refused by workload controllers: it would take every pod there is.</summary>
    internal static Selector OfWorkload(LabelSelector? selector)
    {
        var made = Of(selector);
        return made.IsEverything ? Selector.Nothing : made;
    }
}
