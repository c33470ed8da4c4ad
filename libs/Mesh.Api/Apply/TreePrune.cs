using System.Text.Json.Nodes;

namespace Mesh.Api.Apply;

/// <summary>
/// Takes out what an applier applied the last time and nobody wants any more. A field goes when it is in the last set and neither it, nor a
/// container of it that would go as well, is in a set of anybody now. Named fields of structs count as owned with what is in them; items of lists and
/// maps only when they are owned themselves.
/// </summary>
internal static class TreePrune
{
    /// <summary>Prunes a merged object in place.</summary>
    /// <param name="plan">Plan of the object.</param>
    /// <param name="merged">The object.</param>
    /// <param name="last">What the applier owned before.</param>
    /// <param name="kept">What anybody owns now, the applier's new set included.</param>
    public static void Apply(ApplyPlan plan, JsonObject merged, FieldSet last, FieldSet kept) => Children(plan, merged, last, kept, below: false, gone: false);

    private static void Children(ApplyPlan plan, JsonObject obj, FieldSet last, FieldSet? kept, bool below, bool gone)
    {
        for (var i = 0; i < last.Nodes.Length; i++)
        {
            var element = last.Elements[i];
            if (!element.StartsWith("f:", StringComparison.Ordinal)) continue;
            var name = element[2..];
            if (!obj.TryGetPropertyValue(name, out var value)) continue;
            var field = plan.Kind == PlanKind.Struct ? plan.Find(name) : null;
            if (field is { Tracked: false }) continue;
            var inner = field?.Plan ?? (plan.Kind == PlanKind.Struct ? plan.Additional : plan.Item) ?? ApplyPlan.Deduced;
            var verdict = inner.IsObjectMeta ? new Verdict(false, true, gone) : Judge(last.Nodes[i], kept?.Child(element), named: field is not null, below, gone);
            if (verdict.Remove || Value(inner, value, last.Nodes[i], kept?.Child(element), verdict)) obj.Remove(name);
        }
    }

    private static void Children(ApplyPlan plan, JsonArray list, FieldSet last, FieldSet? kept, bool below, bool gone)
    {
        for (var i = list.Count - 1; i >= 0; i--)
        {
            if (plan.Name(list[i]) is not { } name || last.Child(name) is not { } was) continue;
            var verdict = Judge(was, kept?.Child(name), named: false, below, gone);
            if (verdict.Remove) list.RemoveAt(i);
            else Value(plan.Item, list[i], was, kept?.Child(name), verdict);
        }
    }

    /// <summary>Prunes inside a value; whether it was emptied by that, and so is gone with its content.</summary>
    private static bool Value(ApplyPlan plan, JsonNode? value, FieldSet last, FieldSet? kept, Verdict verdict)
    {
        if (last.Nodes.Length == 0) return false;
        switch (value)
        {
            case JsonObject { Count: > 0 } obj when plan.Kind is PlanKind.Struct or PlanKind.Map or PlanKind.Deduced:
                Children(plan, obj, last, kept, verdict.Below, verdict.Gone);
                return obj.Count == 0;
            case JsonArray { Count: > 0 } list when plan.Kind is PlanKind.Set or PlanKind.Keyed:
                Children(plan, list, last, kept, verdict.Below, verdict.Gone);
                return list.Count == 0;
            default:
                return false;
        }
    }

    private static Verdict Judge(FieldSet last, FieldSet? kept, bool named, bool below, bool gone)
    {
        var applied = named ? !last.IsEmpty : last.IsMember;
        var owned = kept is not null && (named ? !kept.IsEmpty : kept.IsMember);
        var lost = gone || (!owned && (applied || below));
        return new Verdict(applied && lost, applied || below, lost);
    }

    /// <param name="Remove">The field goes.</param>
    /// <param name="Below">It, or something it is in, was applied.</param>
    /// <param name="Gone">It, or something it is in, is owned by nobody any more.</param>
    private readonly record struct Verdict(bool Remove, bool Below, bool Gone);
}
