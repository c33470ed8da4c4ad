using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of what steers scheduling: affinity, tolerations, spreading, gates.</summary>
internal static class SchedulingValidation
{
    private static readonly string[] NodeOperators = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

    public static void Affinity(List<FieldError> errors, FieldPath path, JsonObject? affinity)
    {
        if (affinity.Obj("nodeAffinity") is { } node)
        {
            var at = path.Child("nodeAffinity");
            if (node.Obj("requiredDuringSchedulingIgnoredDuringExecution") is { } required)
                NodeSelector(errors, at.Child("requiredDuringSchedulingIgnoredDuringExecution"), required);
            foreach (var (i, term) in node.Items("preferredDuringSchedulingIgnoredDuringExecution"))
            {
                var item = at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i);
                Weight(errors, item.Child("weight"), term);
                NodeTerm(errors, item.Child("preference"), term.Obj("preference"), labelValues: false);
            }
        }

        foreach (var name in new[] { "podAffinity", "podAntiAffinity" })
        {
            var pods = affinity.Obj(name);
            var at = path.Child(name);
            foreach (var (i, term) in pods.Items("requiredDuringSchedulingIgnoredDuringExecution"))
                PodTerm(errors, at.Child("requiredDuringSchedulingIgnoredDuringExecution").Index(i), term);
            foreach (var (i, term) in pods.Items("preferredDuringSchedulingIgnoredDuringExecution"))
            {
                var item = at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i);
                Weight(errors, item.Child("weight"), term);
                PodTerm(errors, item.Child("podAffinityTerm"), term.Obj("podAffinityTerm") ?? []);
            }
        }
    }

    public static void NodeSelector(List<FieldError> errors, FieldPath path, JsonObject selector)
    {
        if ((selector.Arr("nodeSelectorTerms")?.Count ?? 0) == 0)
            errors.Add(FieldError.Required(path.Child("nodeSelectorTerms"), "must have at least one node selector term"));
        foreach (var (i, term) in selector.Items("nodeSelectorTerms"))
            NodeTerm(errors, path.Child("nodeSelectorTerms").Index(i), term, labelValues: true);
    }

    public static void Tolerations(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        foreach (var (i, toleration) in spec.Items("tolerations"))
        {
            var at = path.Index(i);
            var (key, op, value, effect) = (toleration.Str("key"), toleration.Str("operator"), toleration.Str("value"), toleration.Str("effect"));
            if (key.Length > 0)
                errors.Rules(at.Child("key"), key, Names.QualifiedName(key));
            if (key.Length == 0 && op != "Exists")
                errors.Add(FieldError.Invalid(at.Child("operator"), op, "operator must be Exists when `key` is empty, which means \"match all values and all keys\""));
            if (toleration.Has("tolerationSeconds") && effect != "NoExecute")
                errors.Add(FieldError.Invalid(at.Child("effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
            if (op is "" or "Equal")
            {
                if (Names.LabelValue(value) is { Count: > 0 } broken)
                    errors.Add(FieldError.Invalid(at.Child("operator"), value, string.Join(";", broken)));
            }
            else if (op == "Exists")
            {
                if (value.Length > 0)
                    errors.Add(FieldError.Invalid(at.Child("operator"), value, "value must be empty when `operator` is 'Exists'"));
            }
            else
            {
                errors.Add(FieldError.NotSupported(at.Child("operator"), op, "Equal", "Exists"));
            }

            errors.OptionalOneOf(at.Child("effect"), effect, "NoSchedule", "PreferNoSchedule", "NoExecute");
        }
    }

    public static void SchedulingGates(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, gate) in spec.Items("schedulingGates"))
        {
            errors.Rules(path.Index(i), gate.Str("name"), Names.QualifiedName(gate.Str("name")));
            if (!names.Add(gate.Str("name")))
                errors.Add(FieldError.Duplicate(path.Index(i), gate.Str("name")));
        }
    }

    public static void TopologySpread(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var pairs = spec.Items("topologySpreadConstraints").Select(static c => (Key: c.Item.Str("topologyKey"), When: c.Item.Str("whenUnsatisfiable"))).ToList();
        foreach (var (i, constraint) in spec.Items("topologySpreadConstraints"))
        {
            var at = path.Index(i);
            var when = constraint.Str("whenUnsatisfiable");
            if ((constraint.Num("maxSkew") ?? 0) <= 0)
                errors.Add(FieldError.Invalid(at.Child("maxSkew"), constraint.Num("maxSkew") ?? 0, "must be greater than zero"));
            if (constraint.Str("topologyKey").Length == 0)
                errors.Add(FieldError.Required(at.Child("topologyKey"), "can not be empty"));
            errors.Supported(at.Child("whenUnsatisfiable"), when, "DoNotSchedule", "ScheduleAnyway");
            if (pairs.IndexOf(pairs[i], i + 1) >= 0)
                errors.Add(FieldError.Duplicate(at.Child("{topologyKey, whenUnsatisfiable}"), $"{{{pairs[i].Key}, {when}}}"));
            if (constraint.Num("minDomains") is { } domains)
            {
                if (domains <= 0)
                    errors.Add(FieldError.Invalid(at.Child("minDomains"), domains, "must be greater than zero"));
                if (when != "DoNotSchedule")
                    errors.Add(FieldError.Invalid(at.Child("minDomains"), domains, $"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"));
            }

            foreach (var policy in new[] { "nodeAffinityPolicy", "nodeTaintsPolicy" })
            {
                if (constraint.Has(policy))
                    errors.Supported(at.Child(policy), constraint.Str(policy), "Honor", "Ignore");
            }

            LabelKeys.Check(errors, at, constraint);
            var before = errors.Count;
            errors.LabelSelector(at.Child("labelSelector"), constraint.Obj("labelSelector"));
            errors.Name(before, Ratchet.SpreadSelector);
        }
    }

    private static void NodeTerm(List<FieldError> errors, FieldPath path, JsonObject? term, bool labelValues)
    {
        foreach (var (i, item) in term.Items("matchExpressions"))
        {
            var at = path.Child("matchExpressions").Index(i);
            errors.Requirement(at, item, NodeOperators);
            var before = errors.Count;
            foreach (var (v, value) in labelValues ? item.Strings("values").Index() : [])
                errors.Rules(at.Child("values").Index(v), value, Names.LabelValue(value));
            errors.Name(before, Ratchet.NodeAffinityValue);
        }

        foreach (var (i, item) in term.Items("matchFields"))
        {
            var at = path.Child("matchFields").Index(i);
            if (item.Str("operator") is not ("In" or "NotIn"))
                errors.Add(FieldError.Invalid(at.Child("operator"), item.Str("operator"), "not a valid selector operator"));
            else if ((item.Arr("values")?.Count ?? 0) != 1)
                errors.Add(FieldError.Required(at.Child("values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
            if (item.Str("key") != "metadata.name")
                errors.Add(FieldError.Invalid(at.Child("key"), item.Str("key"), "not a valid field selector key"));
            foreach (var (v, value) in item.Str("key") == "metadata.name" ? item.Strings("values").Index() : [])
                errors.Rules(at.Child("values").Index(v), value, Names.Dns1123Subdomain(value));
        }
    }

    private static void PodTerm(List<FieldError> errors, FieldPath path, JsonObject term)
    {
        errors.LabelSelector(path.Child("labelSelector"), term.Obj("labelSelector"));
        errors.LabelSelector(path.Child("namespaceSelector"), term.Obj("namespaceSelector"));
        foreach (var ns in term.Strings("namespaces"))
            errors.Rules(path.Child("namespace"), ns, Names.Dns1123Label(ns));
        LabelKeys.Check(errors, path, term);
        var key = term.Str("topologyKey");
        if (key.Length == 0)
            errors.Add(FieldError.Required(path.Child("topologyKey"), "can not be empty"));
        errors.Rules(path.Child("topologyKey"), key, Names.QualifiedName(key));
    }

    private static void Weight(List<FieldError> errors, FieldPath path, JsonObject term)
    {
        if (term.Num("weight") is not (>= 1 and <= 100))
            errors.Add(FieldError.Invalid(path, term.Num("weight") ?? 0, "must be in the range 1-100"));
    }
}
