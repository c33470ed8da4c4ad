using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>What may change in a pod: images, deadlines, more tolerations, fewer scheduling gates; while gated, where it may run.</summary>
internal static class PodUpdateValidation
{
    private const string AllowedChanges =
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        + "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    private const string Required = "requiredDuringSchedulingIgnoredDuringExecution";
    private static readonly string[] Free = ["activeDeadlineSeconds", "tolerations", "schedulingGates"];

    public static void Spec(List<FieldError> errors, JsonObject spec, JsonObject was)
    {
        foreach (var list in new[] { "containers", "initContainers" })
        {
            if ((spec.Arr(list)?.Count ?? 0) != (was.Arr(list)?.Count ?? 0))
            {
                errors.Add(FieldError.Forbidden(new FieldPath("spec").Child(list), "pod updates may not add or remove containers"));
                return;
            }
        }

        var (deadline, before) = (spec.Num("activeDeadlineSeconds"), was.Num("activeDeadlineSeconds"));
        if (deadline is null && before is not null)
            errors.Add(FieldError.Invalid("spec.activeDeadlineSeconds", null, "must not update from a positive integer to nil value"));
        if (deadline > before)
        {
            errors.Add(FieldError.Invalid("spec.activeDeadlineSeconds", deadline, "must be less than or equal to previous value"));
            return;
        }

        Tolerations(errors, spec, was);
        Gates(errors, spec, was);
        if (JsonNode.DeepEquals(spec, was))
            return;
        var (now, old) = ((JsonObject)spec.DeepClone(), (JsonObject)was.DeepClone());
        Level(now, old);
        if (was.Items("schedulingGates").Any())
            Gated(errors, now, old);
        if (!JsonNode.DeepEquals(now, old))
            errors.Add(FieldError.Forbidden("spec", AllowedChanges));
    }

    // Takes out of both what may differ.
    private static void Level(JsonObject now, JsonObject old)
    {
        foreach (var one in new[] { now, old })
        {
            foreach (var name in Free)
                one.Remove(name);
            foreach (var (_, container) in one.Items("containers").Concat(one.Items("initContainers")))
                container.Remove("image");
        }

        if (now.Num("terminationGracePeriodSeconds") == 1 && old.Num("terminationGracePeriodSeconds") < 0)
            old["terminationGracePeriodSeconds"] = 1;
    }

    private static void Tolerations(List<FieldError> errors, JsonObject spec, JsonObject was)
    {
        foreach (var (_, old) in was.Items("tolerations"))
        {
            if (spec.Items("tolerations").Any(t => JsonNode.DeepEquals(Timeless(t.Item), Timeless(old))))
                continue;
            errors.Add(FieldError.Forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
            return;
        }

        static JsonObject Timeless(JsonObject toleration)
        {
            var copy = (JsonObject)toleration.DeepClone();
            copy.Remove("tolerationSeconds");
            return copy;
        }
    }

    private static void Gates(List<FieldError> errors, JsonObject spec, JsonObject was)
    {
        var before = was.Items("schedulingGates").Select(g => g.Item.Str("name")).ToHashSet(StringComparer.Ordinal);
        foreach (var (i, gate) in spec.Items("schedulingGates"))
        {
            if (!before.Contains(gate.Str("name")))
                errors.Add(FieldError.Forbidden(new FieldPath("spec.schedulingGates").Index(i).Child("name"), "only deletion is allowed, but found new scheduling gate '" + gate.Str("name") + "'"));
        }
    }

    // KEP-3838: a pod that waits behind gates may still be told more about where it may run, never less.
    private static void Gated(List<FieldError> errors, JsonObject now, JsonObject old)
    {
        if (!JsonAccess.Same(now["nodeSelector"], old["nodeSelector"]))
        {
            var selector = now.Obj("nodeSelector");
            if (old.Map("nodeSelector").Any(p => selector?.ContainsKey(p.Key) != true || selector.Str(p.Key) != p.Value))
                errors.Add(FieldError.Invalid("spec.nodeSelector", selector, "only additions to spec.nodeSelector are allowed (no mutations or deletions)"));
        }

        Affinity(errors, now.Obj("affinity", "nodeAffinity").Obj(Required), old.Obj("affinity", "nodeAffinity").Obj(Required));
        foreach (var one in new[] { now, old })
        {
            one.Remove("nodeSelector");
            one.Obj("affinity")?.Remove("nodeAffinity");
            if (one.Obj("affinity") is { Count: 0 })
                one.Remove("affinity");
        }
    }

    private static void Affinity(List<FieldError> errors, JsonObject? now, JsonObject? old)
    {
        if (old is null)
            return;
        FieldPath path = "spec.affinity.nodeAffinity." + Required + ".nodeSelectorTerms";
        var (terms, was) = (now.Items("nodeSelectorTerms").ToList(), old.Items("nodeSelectorTerms").ToList());
        if (was.Count > 0 && terms.Count != was.Count)
        {
            errors.Add(FieldError.Invalid(path, now?["nodeSelectorTerms"], "no additions/deletions to non-empty NodeSelectorTerms list are allowed"));
            return;
        }

        foreach (var (i, term) in was)
        {
            if (!OnlyMore(terms[i].Item, term))
                errors.Add(FieldError.Invalid(path.Index(i), terms[i].Item, "only additions are allowed (no mutations or deletions)"));
        }
    }

    // An empty term selects nothing: what is added to it would select something.
    private static bool OnlyMore(JsonObject now, JsonObject old)
    {
        var empty = true;
        var grown = false;
        foreach (var list in new[] { "matchExpressions", "matchFields" })
        {
            var (a, b) = (now.Items(list).ToList(), old.Items(list).ToList());
            empty &= b.Count == 0;
            grown |= a.Count > b.Count;
            if (a.Count < b.Count || b.Any(item => !JsonNode.DeepEquals(a[item.Index].Item, item.Item)))
                return false;
        }

        return !empty || !grown;
    }
}
