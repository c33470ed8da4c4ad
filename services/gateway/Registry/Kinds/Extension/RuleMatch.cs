using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>Which requests a webhook or a policy is about: rules with operations, selectors, conditions. Defaults and rules that both share.</summary>
internal static class RuleMatch
{
    private static readonly string[] Operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

    /// <summary>Defaults of a list of rules.</summary>
    public static void Default(JsonObject? owner, string list)
    {
        foreach (var (_, rule) in owner.Items(list))
            rule.DefaultAbsent("scope", "*");
    }

    public static void Rules(List<FieldError> errors, FieldPath path, JsonObject? owner, string list)
    {
        foreach (var (i, rule) in owner.Items(list))
            Rule(errors, path.Child(list).Index(i), rule);
    }

    public static void Conditions(List<FieldError> errors, FieldPath path, JsonObject? owner)
    {
        const int Max = 64;
        var conditions = owner.Items("matchConditions").ToList();
        if (conditions.Count > Max)
            errors.Add(FieldError.TooMany(path, conditions.Count, Max));
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, condition) in conditions)
        {
            var (at, name) = (path.Index(i), condition.Str("name"));
            if (condition.Str("expression").Trim().Length == 0)
                errors.Add(FieldError.Required(at.Child("expression")));
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else
                errors.Rules(at.Child("name"), name, Names.QualifiedName(name));
            if (name.Length > 0 && !names.Add(name))
                errors.Add(FieldError.Duplicate(at.Child("name"), name));
        }
    }

    private static void Rule(List<FieldError> errors, FieldPath at, JsonObject rule)
    {
        Wild(errors, at.Child("operations"), rule.Strings("operations"), "operations");
        foreach (var (i, operation) in rule.Strings("operations").Index())
            errors.Supported(at.Child("operations").Index(i), operation, Operations);
        Wild(errors, at.Child("apiGroups"), rule.Strings("apiGroups"), "API groups");
        Wild(errors, at.Child("apiVersions"), rule.Strings("apiVersions"), "API versions");
        foreach (var (i, version) in rule.Strings("apiVersions").Index())
        {
            if (version.Length == 0)
                errors.Add(FieldError.Required(at.Child("apiVersions").Index(i)));
        }

        Resources(errors, at.Child("resources"), rule.Strings("resources"));
        if (rule.Has("scope"))
            errors.Supported(at.Child("scope"), rule.Str("scope"), "*", "Cluster", "Namespaced");
    }

    private static void Wild(List<FieldError> errors, FieldPath at, List<string> values, string what)
    {
        if (values.Count == 0)
            errors.Add(FieldError.Required(at));
        if (values.Count > 1 && values.Contains("*"))
            errors.Add(FieldError.Invalid(at, values, $"if '*' is present, must not specify other {what}"));
    }

    private static void Resources(List<FieldError> errors, FieldPath at, List<string> resources)
    {
        if (resources.Count == 0)
            errors.Add(FieldError.Required(at));
        for (var i = 0; i < resources.Count; i++)
        {
            if (resources[i].Length == 0)
                errors.Add(FieldError.Required(at.Index(i)));
            else if (resources[i] is not ("*/*" or "*") && resources.Contains("*/*"))
            {
                errors.Add(FieldError.Invalid(at, resources, "if '*/*' is present, must not specify other resources"));
                break;
            }
        }

        if (resources.Contains("*") && resources.Any(static r => r != "*" && !r.Contains('/')))
            errors.Add(FieldError.Invalid(at, resources, "if '*' is present, must not specify other resources without subresources"));
    }
}
